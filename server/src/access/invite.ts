import { LockMode } from '@mikro-orm/core';
import type { Recorder } from '../audit/index.ts';
import { checkRoomForOneMore, getBusiness, holdBusiness } from '../businesses/index.ts';
import type { Context, Role } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db/database.ts';
import type { SendMail } from '../platform/mail.ts';
import type { NewId } from '../platform/new-id.ts';
import { InvitationEntity } from './invitation.entity.ts';
import { mustLead } from './membership.store.ts';
import { whilePersonIsActive } from './person.store.ts';
import { hashOf, newSecret } from './credential.ts';

const validMs = 7 * 86_400_000;

type Ask = { email: string; role: Role; permissions: string[] };
export type Ports = {
  clock: Clock;
  newId: NewId;
  record: Recorder;
  sendMail: SendMail;
  publicUrl: string;
};

/** How many invitations one business may have mailed within an hour, and to one address. */
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

/** Inserts an invitation. Its secret is returned once, and kept as a hash. */
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

/** Writes the mail. The link stands behind a `#`, so that no server on its way logs it. */
const invitationMail = (
  publicUrl: string,
  address: string,
  businessName: string,
  token: string,
) => ({
  to: address,
  subject: `${businessName} invites you to Muhuri`,
  text: `${businessName} invites you to work with it in Muhuri, where invoices of Zoho Books get their fiscal seal.

Open this link within seven days to accept:

${publicUrl}/settings#/accept/${token}

If you did not expect this, do nothing.
`,
});

/**
 * Invites somebody to the business. The answer is the same whoever the address belongs to. A pending
 * invitation of the same address ends with the new one.
 */
export const invite =
  (ports: Ports) =>
  async (ctx: Context, ask: Ask): Promise<InvitationEntity> => {
    const { entry, token, businessName, before } = await whilePersonIsActive(ctx, async (tx) => {
      // Two for one address go one after the other, and the second ends the first.
      const business = await getBusiness(tx, true);
      const pending = await tx.find(InvitationEntity, {
        email: ask.email,
        acceptedAt: null,
        withdrawnAt: null,
      });
      for (const each of pending) each.withdrawnAt = ports.clock.now();
      return {
        ...(await insertInvitation(tx, ctx, ports, ask)),
        businessName: business.name,
        before: pending.filter((each) => each.invitedBy === ctx.actor.id).map((each) => each.id),
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

/** An invitation that is to be mailed; `before` are those that it ended. */
type InvitationMail = {
  id: string;
  email: string;
  businessName: string;
  token: string;
  before?: string[];
};

/**
 * Mails the link of an invitation after its transaction: a slow mail holds up no row, and one that
 * was sent is never about what was undone.
 */
export async function mailInvitation(
  ports: Pick<Ports, 'clock' | 'record' | 'sendMail' | 'publicUrl'>,
  ctx: Context,
  mail: InvitationMail,
): Promise<void> {
  try {
    await ports.sendMail(
      invitationMail(ports.publicUrl, mail.email, mail.businessName, mail.token),
    );
  } catch (error) {
    await withdrawUnmailed(ports, ctx, mail);
    throw error;
  }
}

/**
 * Withdraws an invitation whose link nobody has: it would only look as if it could be accepted. The
 * links that it ended are in a mailbox still and become valid again, unless the person who made them
 * has been put out meanwhile, and this one with them.
 */
const withdrawUnmailed = (
  ports: Pick<Ports, 'clock' | 'record'>,
  ctx: Context,
  { id, email, before = [] }: InvitationMail,
): Promise<void> =>
  whilePersonIsActive(ctx, async (tx) => {
    await holdBusiness(tx);
    const made = await tx.findOne(
      InvitationEntity,
      { id },
      { lockMode: LockMode.PESSIMISTIC_WRITE },
    );
    if (!made || made.withdrawnAt) return;
    made.withdrawnAt = ports.clock.now();
    for (const each of await tx.find(InvitationEntity, { id: { $in: before } }))
      each.withdrawnAt = null;
    await tx.flush();
    await ports.record(tx, ctx, {
      action: 'invitation.withdrawn',
      subject: id,
      before: { email },
      after: { because: 'mail_unavailable' },
    });
  });
