import { LockMode } from '@mikro-orm/core';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Tx } from '../platform/db/database.ts';
import { InvitationEntity } from './invitation.entity.ts';
import type { Ports } from './invite.ts';

const endedShown = 100;

/**
 * Lists every pending invitation, and the newest of the others. An invitation that opens a door must
 * be seen, or nobody could withdraw it.
 */
export const listInvitations =
  (ports: Pick<Ports, 'clock'>) =>
  (ctx: Context): Promise<InvitationEntity[]> =>
    ctx.transaction(async (tx) => {
      const now = ports.clock.now();
      const newest = { orderBy: { createdAt: 'desc', id: 'desc' } } as const;
      const pending = await tx.find(
        InvitationEntity,
        { acceptedAt: null, withdrawnAt: null, expiresAt: { $gt: now } },
        newest,
      );
      const hasEnded = {
        $or: [
          { acceptedAt: { $ne: null } },
          { withdrawnAt: { $ne: null } },
          { expiresAt: { $lte: now } },
        ],
      };
      return [
        ...pending,
        ...(await tx.find(InvitationEntity, hasEnded, { ...newest, limit: endedShown })),
      ];
    });

/**
 * Withdraws what a person has invited and nobody has accepted: a person who has to go must not leave
 * a door open to come in again.
 */
export async function withdrawInvitationsOf(
  tx: Tx,
  ctx: Context,
  ports: Pick<Ports, 'clock' | 'record'>,
  personId: string,
): Promise<void> {
  const now = ports.clock.now();
  // One that is accepted at this moment is accepted, or withdrawn: never both.
  const pending = await tx.find(
    InvitationEntity,
    { invitedBy: personId, acceptedAt: null, withdrawnAt: null, expiresAt: { $gt: now } },
    { lockMode: LockMode.PESSIMISTIC_WRITE },
  );
  for (const each of pending) each.withdrawnAt = now;
  await tx.flush();
  for (const each of pending)
    await ports.record(tx, ctx, { action: 'invitation.withdrawn', subject: each.id });
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
