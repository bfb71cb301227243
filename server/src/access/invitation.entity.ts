import { defineEntity, p } from '@mikro-orm/core';

const Schema = defineEntity({
  name: 'Invitation',
  tableName: 'invitation',
  properties: {
    businessId: p.string().primary(),
    id: p.string().primary(),
    email: p.string(),
    role: p.string().$type<'business_admin' | 'business_user'>(),
    permissions: p.array(),
    secretHash: p.string(),
    invitedBy: p.string(),
    expiresAt: p.datetime(),
    acceptedAt: p.datetime().nullable(),
    acceptedBy: p.string().nullable(),
    withdrawnAt: p.datetime().nullable(),
    createdAt: p.datetime(),
  },
});

/** A link that makes whoever opens it a member, once and for a while; only its hash is kept. */
export class InvitationEntity extends Schema.class {
  stateAt(now: Date): 'open' | 'accepted' | 'withdrawn' | 'expired' {
    if (this.acceptedAt) return 'accepted';
    if (this.withdrawnAt) return 'withdrawn';
    return this.expiresAt <= now ? 'expired' : 'open';
  }
}
Schema.setClass(InvitationEntity);
