import { defineEntity, p } from '@mikro-orm/core';

const Schema = defineEntity({
  name: 'Membership',
  tableName: 'membership',
  properties: {
    businessId: p.string().primary(),
    id: p.string().primary(),
    personId: p.string(),
    role: p.string().$type<'business_admin' | 'business_user'>(),
    permissions: p.array(),
    status: p.string().$type<'active' | 'ended'>(),
    version: p.integer().version(),
    createdAt: p.datetime(),
    endedAt: p.datetime().nullable(),
    /** The Zoho user they enter as, by its id in the organization; null where none has. */
    zohoUserId: p.string().nullable(),
  },
});

/** A person's place in one business. */
export class MembershipEntity extends Schema.class {}
Schema.setClass(MembershipEntity);
