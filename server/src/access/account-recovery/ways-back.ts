import type { Recorder } from '../../audit/index.ts';
import type { Context } from '../../context.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Tx } from '../../platform/db/database.ts';
import { askWayBack } from './ask-way-back.ts';
import { grantByAdmin, grantByOperator, objectToWayBack, refuse } from './decide-way-back.ts';
import { listWaysBack } from './list-ways-back.ts';
import { notifyPending } from './notify-admins.ts';
import type { WayBackPorts } from './way-back-ports.ts';
import { endPendingOf } from './way-back.store.ts';

/**
 * The way back of a person who has lost authenticator and recovery codes. Their password was right;
 * others decide whether their second factor is removed. Another admin may at once; if there is none,
 * an operator may, after a day in which every admin was mailed and could object. An admin whom an
 * operator has blocked lately counts as another admin still. A person who works for several
 * businesses needs all of them, because the second factor guards each. The one who decides gets no
 * session of that person.
 */
export const waysBack = (ports: WayBackPorts) => ({
  ask: askWayBack(ports),
  list: listWaysBack(ports),
  grantByAdmin: grantByAdmin(ports),
  grantByOperator: grantByOperator(ports),
  refuse: refuse(ports),
  notifyPending: notifyPending(ports),
  object: objectToWayBack(ports),
});

export type WaysBack = ReturnType<typeof waysBack>;

/**
 * Ends the requests of a person who was blocked or has left, with their line in the log. If they
 * are let in again, they ask again.
 */
export async function endWaysBackOf(
  tx: Tx,
  ctx: Context,
  ports: { clock: Clock; record: Recorder },
  personId: string,
  because: 'person.blocked' | 'membership.ended',
) {
  for (const id of await endPendingOf(tx, personId, because, ports.clock.now()))
    await ports.record(tx, ctx, {
      action: 'way_back.ended',
      subject: id,
      after: { person_id: personId, because },
    });
}
