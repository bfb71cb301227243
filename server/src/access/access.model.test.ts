import { describe, expect, test } from 'vitest';
import type { Session } from '../context.ts';
import { permissionsOfSession, refusalOf, secondFactorMs } from './access.model.ts';

const now = new Date('2026-11-20T12:00:00Z');
const justNow = new Date(now.getTime() - 1);
const tooLongAgo = new Date(now.getTime() - secondFactorMs);
const person: Session = {
  id: 'per_1.x',
  person: { id: 'per_1', username: 'ada', name: 'Ada', email: 'ada@example.com' },
  isOperator: false,
  expiresAt: now,
  verifiedAt: null,
  hasSecondFactor: false,
  awaitsSecondFactor: false,
  lineage: 'x',
  business: null,
  zohoUserId: null,
  apiKey: null,
};
const member = (more: Partial<Session> = {}, business: Partial<Business> = {}): Session => ({
  ...person,
  business: {
    membership: { id: 'mem_1', businessId: 'biz_1', role: 'business_user', permissions: [] },
    name: 'Business',
    taxpayerId: '100600570',
    organizationId: null,
    status: 'active',
    ...business,
  },
  ...more,
});
type Business = NonNullable<Session['business']>;
const membership = (role: Business['membership']['role'], permissions: string[] = []) => ({
  membership: { id: 'mem_1', businessId: 'biz_1', role, permissions },
});
const key = member({ apiKey: { id: 'key_1', name: 'till', scopes: ['read'] } });
const operator = (more: Partial<Session>): Session => ({ ...person, isOperator: true, ...more });

describe('what a session may do', () => {
  test.each<[string, Session, readonly string[]]>([
    ['a member, what the role may', member(), ['read', 'seal']],
    [
      'a member, what was added to it',
      member({}, membership('business_user', ['settle', 'operate'])),
      ['read', 'seal', 'settle'],
    ],
    ['a key, its scopes and nothing of the member', key, ['read']],
    ['an operator with a second factor', operator({ verifiedAt: justNow }), ['operate']],
    ['an operator without one, nothing', operator({}), []],
    ['a person without a business, nothing', { ...person, verifiedAt: justNow }, []],
  ])('%s', (_, session, permissions) => {
    expect(permissionsOfSession(session)).toEqual(permissions);
  });
});

describe('why a guard lets nobody pass', () => {
  test.each<[string, Session | null, string, ReturnType<typeof refusalOf>]>([
    ['anyone may pass without signing in', null, 'anyone', null],
    ['nobody else may', null, 'signed_in', 'not_signed_in'],
    ['a person is signed in', person, 'signed_in', null],
    ['a key is nobody', key, 'signed_in', 'not_allowed'],
    ['a key has its scopes', key, 'read', null],
    ['a key has nothing beside them', key, 'seal', 'not_allowed'],
    ['a member has no permission that was not given', member(), 'settle', 'not_allowed'],
    ['a member passes with it', member({}, membership('business_admin')), 'settle', null],
    ['an operator sets a factor up first', operator({}), 'operate', 'second_factor_setup'],
    [
      'an operator gives it first',
      operator({ hasSecondFactor: true }),
      'operate',
      'second_factor_needed',
    ],
    [
      'an operator who gave it passes',
      operator({ hasSecondFactor: true, verifiedAt: tooLongAgo }),
      'operate',
      null,
    ],
    [
      'what began on an unknown device waits for the factor',
      member({ awaitsSecondFactor: true }),
      'read',
      'second_factor_needed',
    ],
    ['a suspended business reads', member({}, { status: 'suspended' }), 'read', null],
    [
      'a suspended business exports its activity',
      member({}, { ...membership('business_admin'), status: 'suspended' }),
      'read_trail',
      null,
    ],
    [
      'a suspended business does nothing more',
      member({}, { status: 'suspended' }),
      'seal',
      'business_suspended',
    ],
  ])('%s', (_, session, guard, refusal) => {
    expect(refusalOf(session, { guard }, now)).toBe(refusal);
  });

  test.each<[string, Partial<Session>, ReturnType<typeof refusalOf>]>([
    ['there is none', { verifiedAt: justNow }, 'second_factor_setup'],
    ['it was not given', { hasSecondFactor: true }, 'second_factor_needed'],
    [
      'it was given too long ago',
      { hasSecondFactor: true, verifiedAt: tooLongAgo },
      'second_factor_needed',
    ],
    ['it was just given', { hasSecondFactor: true, verifiedAt: justNow }, null],
  ])('an endpoint that asks for a second factor: %s', (_, factor, refusal) => {
    const endpoint = { guard: 'read', secondFactor: true } as const;
    expect(refusalOf(member(factor), endpoint, now)).toBe(refusal);
    expect(refusalOf(member(factor), { guard: 'settle', secondFactor: true }, now)).toBe(
      'not_allowed',
    );
  });
});
