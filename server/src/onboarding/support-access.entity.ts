import { defineEntity, p } from '@mikro-orm/core';

const Schema = defineEntity({
  name: 'SupportAccess',
  tableName: 'support_access',
  properties: {
    businessId: p.string().primary(),
    id: p.string().primary(),
    operatorId: p.string(),
    operatorName: p.string(),
    reason: p.string(),
    begunAt: p.datetime(),
    until: p.datetime(),
    endedAt: p.datetime().nullable(),
  },
});

/**
 * A while in which an operator may see documents of a business, with a reason the business can
 * read.
 */
export class SupportAccessEntity extends Schema.class {}
Schema.setClass(SupportAccessEntity);
