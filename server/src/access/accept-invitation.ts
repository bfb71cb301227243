import { LockMode } from '@mikro-orm/core';
import { getBusiness } from '../businesses/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Database } from '../platform/db/database.ts';
import { checkNewPassword } from './check-new-password.ts';
import { InvitationEntity } from './invitation.entity.ts';
import { MembershipEntity } from './membership.entity.ts';
import { hashPassword } from './password.ts';
import { insertMembershipIndex } from './membership.store.ts';
import { insertPerson, lockPerson, verifyEmail } from './person.store.ts';
import { readCredential } from './credential.ts';
import type { Sessions } from './sessions.ts';
import type { SecondFactor } from './second-factor.ts';
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

/** What an invitation is for, as far as whoever holds its link may know. */
export const readInvitation =
  (ports: Pick<AcceptPorts, 'database' | 'clock'>) =>
  async (
    token: string,
  ): Promise<{ invitation: InvitationEntity; businessName: string; businessId: string }> => {
    const credential = readCredential(token, 'inv');
    if (!credential) throw new AppError('link_over');
    return ports.database.transaction(credential.businessId, async (tx) => {
      const invitation = await tx.findOne(InvitationEntity, { secretHash: credential.hash });
      if (invitation?.stateAt(ports.clock.now()) !== 'open') throw new AppError('link_over');
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
    const { invitation, businessName, businessId } = await readInvitation(ports)(given.token);
    const at = ports.clock.now();
    const existing =
      given.account === 'existing'
        ? await ports.checkWho(given.username, given.password, from)
        : null;
    const proof = given.account === 'existing' ? given : {};
    const verifiedAt = existing
      ? await passFactor(ports, existing, existing.isOperator, proof)
      : null;
    if (given.account === 'new')
      await checkNewPassword(given.password, [
        given.username,
        given.name,
        invitation.email,
        businessName,
      ]);
    const passwordHash =
      given.account === 'new' ? await hashPassword(given.password) : (existing?.passwordHash ?? '');
    const personId = existing?.id ?? ports.newId('person');
    const name = existing?.name ?? (given.account === 'new' ? given.name : '');
    const membershipId = await ports.database
      .registration(async (tx, enter, leave) => {
        // Locked, so that whoever keeps them out meanwhile finds this place among theirs, or finds
        // them kept out of it.
        const locked = existing && (await lockPerson(tx, personId));
        if (existing && locked?.passwordHash !== existing.passwordHash)
          throw new AppError('wrong_password');
        if (given.account === 'new')
          await insertPerson(
            tx,
            {
              id: personId,
              username: given.username,
              name: given.name,
              email: invitation.email,
              passwordHash,
              isOperator: false,
              isEmailVerified: true,
            },
            at,
          );
        else if (locked?.isOperator) throw new AppError('not_allowed');
        // Whoever holds the link has the address it was mailed to.
        else await verifyEmail(tx, personId, invitation.email, at);
        // A person who was a member before gets the same membership again.
        const fresh = ports.newId('membership');
        await enter(businessId);
        const before = await tx.findOne(
          MembershipEntity,
          { personId },
          { lockMode: LockMode.PESSIMISTIC_WRITE },
        );
        if (before?.status === 'active') throw new AppError('already_member');
        const open = await tx.findOne(
          InvitationEntity,
          { id: invitation.id },
          { refresh: true, lockMode: LockMode.PESSIMISTIC_WRITE },
        );
        if (open?.stateAt(at) !== 'open') throw new AppError('link_over');
        open.acceptedAt = at;
        open.acceptedBy = personId;
        const membership =
          before ??
          tx.create(MembershipEntity, {
            businessId,
            id: fresh,
            personId,
            role: open.role,
            permissions: open.permissions,
            status: 'active',
            version: 1,
            createdAt: at,
            endedAt: null,
          });
        membership.role = open.role;
        membership.permissions = open.permissions;
        membership.status = 'active';
        membership.endedAt = null;
        await tx.flush();
        const ctx: Context = {
          businessId,
          actor: { type: 'person', id: personId, membershipId: membership.id, name },
          permissions: null,
          language: 'en',
          requestId: null,
          origin: from.address,
          transaction: () => Promise.reject(new Error('already in one')),
          registration: () => Promise.reject(new Error('already in one')),
        };
        await ports.record(tx, ctx, {
          action: 'invitation.accepted',
          subject: invitation.id,
          after: { person_id: personId, role: open.role },
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
    return enter(
      ports,
      { id: personId, passwordHash },
      { businessId, membershipId },
      from,
      verifiedAt,
      proof,
    );
  };
