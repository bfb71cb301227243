import { defineEntity, p } from '@mikro-orm/core';

const Schema = defineEntity({
  name: 'ApiKey',
  tableName: 'api_key',
  properties: {
    businessId: p.string().primary(),
    id: p.string().primary(),
    name: p.string(),
    prefix: p.string(),
    secretHash: p.string(),
    scopes: p.array(),
    createdBy: p.string(),
    createdAt: p.datetime(),
    expiresAt: p.datetime().nullable(),
    lastUsedAt: p.datetime().nullable(),
    revokedAt: p.datetime().nullable(),
  },
});

/** A program's key to one business; only its hash is kept. */
export class ApiKeyEntity extends Schema.class {}
Schema.setClass(ApiKeyEntity);
