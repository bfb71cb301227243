import { LockMode } from '@mikro-orm/core';
import type { Recorder } from '../audit/index.ts';
import { getBusiness, holdBusiness, checkRoomForOneMore } from '../businesses/index.ts';
import type { Context, Role } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database, Tx } from '../platform/db/database.ts';
import type { SendMail } from '../platform/mail.ts';
import type { NewId } from '../platform/new-id.ts';
import { checkNewPassword } from './check-new-password.ts';
import { InvitationEntity } from './invitation.entity.ts';
import { MembershipEntity } from './membership.entity.ts';
import { hashPassword } from './password.ts';
import {
  insertMembershipIndex,
  insertPerson,
  lockPerson,
  mustLead,
  verifyEmail,
  whilePersonIsActive,
} from './person.store.ts';
import { hashOf, newSecret, readCredential } from './credential.ts';
import type { Sessions } from './sessions.ts';
import type { SecondFactor } from './second-factor.ts';
import {
  type VerifyCredentials,
  enter,
  type From,
  passFactor,
  type Proof,
  type SignedIn,
} from './sign-in.ts';

const validMs = 7 * 86_400_000;

type Ask = { email: string; role: Role; permissions: string[] };
type Ports = {
  clock: Clock;
  newId: NewId;
  record: Recorder;
  sendMail: SendMail;
  publicUrl: string;
};

/**
 * What one business may have mailed to strangers, and to one of them, within an hour; each leaves a
 * row, too.
 */
const invitationsAnHour = 50;
const toOneAnHour = 5;
const hourMs = 3_600_000;

async function checkBudget(tx: Tx, email: string, at: Date): Promise<void> {
  const createdAt = { $gt: new Date(at.getTime() - hourMs) };
  const full = new AppError('rate_limited', { retry_after_s: 600, field: 'email' });
  await checkRoomForOneMore(
    tx,
    invitationsAnHour,
    () => tx.count(InvitationEntity, { createdAt }),
    full,
  );
  await checkRoomForOneMore(
    tx,
    toOneAnHour,
    () => tx.count(InvitationEntity, { createdAt, email }),
    full,
  );
}

/** A new invitation in an open transaction; the secret is answered once and kept as a hash. */
export async function insertInvitation(
  tx: Tx,
  ctx: Context,
  ports: Pick<Ports, 'clock' | 'newId' | 'record'>,
  ask: Ask,
): Promise<{ entry: InvitationEntity; token: string }> {
  const at = ports.clock.now();
  await checkBudget(tx, ask.email, at);
  await mustLead(tx, ctx);
  const secret = newSecret();
  const entry = tx.create(InvitationEntity, {
    businessId: ctx.businessId,
    id: ports.newId('invitation'),
    ...ask,
    secretHash: hashOf(secret),
    invitedBy: ctx.actor.id,
    expiresAt: new Date(at.getTime() + validMs),
    acceptedAt: null,
    acceptedBy: null,
    withdrawnAt: null,
    createdAt: at,
  });
  await tx.flush();
  await ports.record(tx, ctx, {
    action: 'invitation.made',
    subject: entry.id,
    after: { email: ask.email, role: ask.role, permissions: ask.permissions },
  });
  return { entry, token: `inv.${ctx.businessId}.${secret}` };
}

/** The link stands behind a `#`, so that no server on its way writes it into a log. */
const invitationMail = (publicUrl: string, to: string, businessName: string, token: string) => ({
  to,
  subject: `${businessName} invites you to Muhuri`,
  text: `${businessName} invites you to work with it in Muhuri, where invoices of Zoho Books get their fiscal seal.

Open this link within seven days to accept:

${publicUrl}/settings#/accept/${token}

If you did not expect this, do nothing.
`,
});

const endedShown = 100;

/**
 * Every open one, whatever came after it, and the newest of the others: what opens a door must be
 * seen to be taken back.
 */
export const listInvitations =
  (ports: Pick<Ports, 'clock'>) =>
  (ctx: Context): Promise<InvitationEntity[]> =>
    ctx.transaction(async (tx) => {
      const now = ports.clock.now();
      const newest = { orderBy: { createdAt: 'desc', id: 'desc' } } as const;
      const open = await tx.find(
        InvitationEntity,
        { acceptedAt: null, withdrawnAt: null, expiresAt: { $gt: now } },
        newest,
      );
      const isOver = {
        $or: [
          { acceptedAt: { $ne: null } },
          { withdrawnAt: { $ne: null } },
          { expiresAt: { $lte: now } },
        ],
      };
      return [
        ...open,
        ...(await tx.find(InvitationEntity, isOver, { ...newest, limit: endedShown })),
      ];
    });

/**
 * Takes back what a person has invited and nobody has accepted: whoever has to go must not have
 * left a door open to come in again.
 */
export async function withdrawInvitationsOf(
  tx: Tx,
  ctx: Context,
  ports: Pick<Ports, 'clock' | 'record'>,
  personId: string,
): Promise<void> {
  const now = ports.clock.now();
  // One that is accepted at this moment is accepted, or withdrawn: never both.
  const open = await tx.find(
    InvitationEntity,
    { invitedBy: personId, acceptedAt: null, withdrawnAt: null, expiresAt: { $gt: now } },
    { lockMode: LockMode.PESSIMISTIC_WRITE },
  );
  for (const each of open) each.withdrawnAt = now;
  await tx.flush();
  for (const each of open)
    await ports.record(tx, ctx, { action: 'invitation.withdrawn', subject: each.id });
}

/**
 * Answers the same whoever the address belongs to; an open invitation of the same address ends with
 * the new one.
 */
export const invite =
  (ports: Ports) =>
  async (ctx: Context, ask: Ask): Promise<InvitationEntity> => {
    const { entry, token, businessName, before } = await whilePersonIsActive(ctx, async (tx) => {
      // Two for one address go one after the other: the second ends the first.
      const business = await getBusiness(tx, true);
      const open = await tx.find(InvitationEntity, {
        email: ask.email,
        acceptedAt: null,
        withdrawnAt: null,
      });
      for (const each of open) each.withdrawnAt = ports.clock.now();
      return {
        ...(await insertInvitation(tx, ctx, ports, ask)),
        businessName: business.name,
        before: open.filter((each) => each.invitedBy === ctx.actor.id).map((each) => each.id),
      };
    });
    await mailInvitation(ports, ctx, {
      id: entry.id,
      email: ask.email,
      businessName,
      token,
      before,
    });
    return entry;
  };

/**
 * Mails the link of an invitation that stands already: a mail that is slow holds up no row, and one
 * that was sent is never about what was undone.
 */
export async function mailInvitation(
  ports: Pick<Ports, 'clock' | 'record' | 'sendMail' | 'publicUrl'>,
  ctx: Context,
  is: { id: string; email: string; businessName: string; token: string; before?: string[] },
): Promise<void> {
  try {
    await ports.sendMail(invitationMail(ports.publicUrl, is.email, is.businessName, is.token));
  } catch (error) {
    // Nobody has the link: an invitation that cannot be accepted would only look as if it could.
    // Those of theirs that it ended are in a mailbox still, and open again, unless whoever made
    // them has been put out meanwhile, and this one with them.
    await whilePersonIsActive(ctx, async (tx) => {
      await holdBusiness(tx);
      const made = await tx.findOne(
        InvitationEntity,
        { id: is.id },
        { lockMode: LockMode.PESSIMISTIC_WRITE },
      );
      if (!made || made.withdrawnAt) return;
      made.withdrawnAt = ports.clock.now();
      for (const each of await tx.find(InvitationEntity, { id: { $in: is.before ?? [] } }))
        each.withdrawnAt = null;
      await tx.flush();
      await ports.record(tx, ctx, {
        action: 'invitation.withdrawn',
        subject: is.id,
        before: { email: is.email },
        after: { because: 'mail_unavailable' },
      });
    });
    throw error;
  }
}

export const withdrawInvitation =
  (ports: Pick<Ports, 'clock' | 'record'>) =>
  (ctx: Context, id: string): Promise<InvitationEntity> =>
    ctx.transaction(async (tx) => {
      const found = await tx.findOne(
        InvitationEntity,
        { id },
        { lockMode: LockMode.PESSIMISTIC_WRITE },
      );
      if (!found) throw new AppError('not_found');
      const state = found.stateAt(ports.clock.now());
      if (state !== 'open') throw new AppError('wrong_state', { state });
      found.withdrawnAt = ports.clock.now();
      await tx.flush();
      await ports.record(tx, ctx, {
        action: 'invitation.withdrawn',
        subject: id,
        before: { email: found.email },
      });
      return found;
    });

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
