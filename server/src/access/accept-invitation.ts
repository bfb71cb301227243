import { LockMode } from '@mikro-orm/core';
import { getBusiness } from '../businesses/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Database, Tx } from '../platform/db/database.ts';
import { checkNewPassword } from './check-new-password.ts';
import { InvitationEntity } from './invitation.entity.ts';
import { MembershipEntity } from './membership.entity.ts';
import { hashPassword } from './password.ts';
import { insertMembershipIndex } from './membership.store.ts';
import { insertPerson, lockPerson, type StoredPerson, verifyEmail } from './person.store.ts';
import { readCredential } from './credential.ts';
import type { Sessions } from './sessions/sessions.ts';
import type { SecondFactor } from './second-factor/second-factor.ts';
import {
  enter,
  type From,
  passFactor,
  type Proof,
  type SignedIn,
  type VerifyCredentials,
} from './sign-in.ts';
import type { Ports } from './invite.ts';

type AcceptPorts = Pick<Ports, 'clock' | 'newId' | 'record'> & {
  database: Database;
  sessions: Sessions;
  checkWho: VerifyCredentials;
  factor: SecondFactor;
};

/** What the link of an invitation reveals about it. */
type PendingInvitation = {
  invitation: InvitationEntity;
  businessName: string;
  businessId: string;
};

/** Reads what an invitation is for, as far as the holder of its link may know. */
export const readInvitation =
  (ports: Pick<AcceptPorts, 'database' | 'clock'>) =>
  async (token: string): Promise<PendingInvitation> => {
    const credential = readCredential(token, 'inv');
    if (!credential) throw new AppError('link_expired');
    return ports.database.transaction(credential.businessId, async (tx) => {
      const invitation = await tx.findOne(InvitationEntity, { secretHash: credential.hash });
      if (invitation?.stateAt(ports.clock.now()) !== 'open') throw new AppError('link_expired');
      return {
        invitation,
        businessName: (await getBusiness(tx)).name,
        businessId: credential.businessId,
      };
    });
  };

export type Acceptance =
  | { account: 'new'; token: string; username: string; name: string; password: string }
  | ({ account: 'existing'; token: string; username: string; password: string } & Proof);

/** Makes the person a member, in one transaction over both schemas, and signs them in. */
export const acceptInvitation =
  (ports: AcceptPorts) =>
  async (given: Acceptance, from: From): Promise<SignedIn> => {
    const pending = await readInvitation(ports)(given.token);
    const at = ports.clock.now();
    const { existing, verifiedAt, proof } = await checkExisting(ports, given, from);
    if (given.account === 'new') await checkPasswordOf(given, pending);
    const passwordHash =
      given.account === 'new' ? await hashPassword(given.password) : (existing?.passwordHash ?? '');
    const personId = existing?.id ?? ports.newId('person');
    const joining: Joining = { given, existing, pending, personId, passwordHash, from, at };
    const membershipId = await joinBusiness(ports, joining);
    return enter(ports, {
      person: { id: personId, passwordHash },
      membership: { businessId: pending.businessId, membershipId },
      from,
      verifiedAt,
      proof,
    });
  };

/** A person who has shown who they are and is about to become a member. */
type Joining = {
  given: Acceptance;
  existing: StoredPerson | null;
  pending: PendingInvitation;
  personId: string;
  passwordHash: string;
  from: From;
  at: Date;
};

/** Checks password and second factor of a person who has an account already. */
async function checkExisting(
  ports: AcceptPorts,
  given: Acceptance,
  from: From,
): Promise<{ existing: StoredPerson | null; verifiedAt: Date | null; proof: Proof }> {
  if (given.account === 'new') return { existing: null, verifiedAt: null, proof: {} };
  const existing = await ports.checkWho(given.username, given.password, from);
  const verifiedAt = await passFactor(ports, existing, existing.isOperator, given);
  return { existing, verifiedAt, proof: given };
}

const checkPasswordOf = (
  given: Extract<Acceptance, { account: 'new' }>,
  { invitation, businessName }: PendingInvitation,
): Promise<void> =>
  checkNewPassword(given.password, [given.username, given.name, invitation.email, businessName]);

/** Joins the person to the business and returns the membership's id. */
const joinBusiness = (ports: AcceptPorts, joining: Joining): Promise<string> =>
  ports.database
    .registration(async (tx, enterBusiness, leave) => {
      const { personId } = joining;
      const { businessId } = joining.pending;
      await putPerson(tx, joining);
      const fresh = ports.newId('membership');
      await enterBusiness(businessId);
      const membership = await putMembership(tx, joining, fresh);
      const { role } = membership;
      await ports.record(tx, contextOf(joining, membership.id), {
        action: 'invitation.accepted',
        subject: joining.pending.invitation.id,
        after: { person_id: personId, role },
      });
      await leave();
      await insertMembershipIndex(tx, { personId, businessId, membershipId: membership.id });
      return membership.id;
    })
    .catch((error: unknown) => {
      if ((error as { code?: string }).code === '23505')
        throw new AppError('username_taken', { field: 'username' });
      throw error;
    });

/**
 * Inserts a new person, or locks the existing one. Under the lock, a person who is blocked meanwhile
 * is found blocked here, or has this place found among theirs.
 */
async function putPerson(tx: Tx, joining: Joining): Promise<void> {
  const { given, existing, personId, passwordHash, at } = joining;
  const { email } = joining.pending.invitation;
  const locked = existing && (await lockPerson(tx, personId));
  if (existing && locked?.passwordHash !== existing.passwordHash)
    throw new AppError('wrong_password');
  if (given.account === 'new') {
    const { username, name } = given;
    await insertPerson(
      tx,
      {
        id: personId,
        username,
        name,
        email,
        passwordHash,
        isOperator: false,
        isEmailVerified: true,
      },
      at,
    );
  } else if (locked?.isOperator) throw new AppError('not_allowed');
  // The holder of the link has the address it was mailed to.
  else await verifyEmail(tx, personId, email, at);
}

/** Consumes the invitation. A person who was a member before gets the same membership again. */
async function putMembership(tx: Tx, joining: Joining, id: string): Promise<MembershipEntity> {
  const { personId, at } = joining;
  const { businessId, invitation } = joining.pending;
  const before = await tx.findOne(
    MembershipEntity,
    { personId },
    { lockMode: LockMode.PESSIMISTIC_WRITE },
  );
  if (before?.status === 'active') throw new AppError('already_member');
  const pending = await tx.findOne(
    InvitationEntity,
    { id: invitation.id },
    { refresh: true, lockMode: LockMode.PESSIMISTIC_WRITE },
  );
  if (pending?.stateAt(at) !== 'open') throw new AppError('link_expired');
  pending.acceptedAt = at;
  pending.acceptedBy = personId;
  const { role, permissions } = pending;
  const membership =
    before ??
    tx.create(MembershipEntity, {
      businessId,
      id,
      personId,
      role,
      permissions,
      status: 'active',
      version: 1,
      createdAt: at,
      endedAt: null,
    });
  membership.role = role;
  membership.permissions = permissions;
  membership.status = 'active';
  membership.endedAt = null;
  await tx.flush();
  return membership;
}

const contextOf = ({ given, existing, pending, personId, from }: Joining, membershipId: string) => {
  const name = existing?.name ?? (given.account === 'new' ? given.name : '');
  return {
    businessId: pending.businessId,
    actor: { type: 'person', id: personId, membershipId, name },
    permissions: null,
    language: 'en',
    requestId: null,
    origin: from.address,
    transaction: () => Promise.reject(new Error('already in one')),
    registration: () => Promise.reject(new Error('already in one')),
  } satisfies Context;
};
