import type { Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import type { Tx } from '../../platform/db/database.ts';
import { readCredential } from '../credential.ts';
import { listMemberships } from '../membership.store.ts';
import { otherAdmins } from '../other-admins.ts';
import { findPersonById } from '../person.store.ts';
import { removeSecondFactor } from '../second-factor/second-factor.store.ts';
import type { From } from '../sign-in.ts';
import type { WayBackPorts } from './way-back-ports.ts';
import { isOfFormerPassword, operatorFrom } from './way-back.model.ts';
import {
  decideWayBack,
  findByObjection,
  findOfRequest,
  findWayBack,
  type WayBack,
} from './way-back.store.ts';

/** Another admin grants a request, at once. */
export const grantByAdmin =
  (ports: WayBackPorts) =>
  async (ctx: Context, id: string): Promise<WayBack> => {
    const asked = await readPending(ports, ctx, id);
    if (asked.personId === ctx.actor.id) throw new AppError('second_person_required');
    return grant(ports, ctx, asked);
  };

/** An operator grants a request if no other admin can decide and nobody objected for a day. */
export const grantByOperator =
  (ports: WayBackPorts) =>
  async (ctx: Context, id: string): Promise<WayBack> => {
    const asked = await readPending(ports, ctx, id);
    if ((await otherAdmins(ports, ctx, asked)).others.length > 0)
      throw new AppError('admin_decides');
    const from = operatorFrom(asked);
    if (ports.clock.now() < from)
      throw new AppError('objection_time', { until: from.toISOString() });
    return grant(ports, ctx, asked);
  };

export const refuse =
  (ports: WayBackPorts) =>
  async (ctx: Context, id: string): Promise<WayBack> => {
    await readPending(ports, ctx, id);
    return decide(ports, ctx, id, 'refused');
  };

/**
 * Ends a request by the link every admin was mailed. It needs no session, because it only keeps a
 * door shut.
 */
export const objectToWayBack =
  (ports: WayBackPorts) =>
  async (token: string, from: From): Promise<void> => {
    const credential = readCredential(token, 'way');
    if (!credential) throw new AppError('link_expired');
    const ctx = { ...ports.contextOf(credential.businessId), origin: from.address };
    await ctx.transaction(async (tx) => {
      const found = await findByObjection(tx, credential.hash);
      if (found?.state !== 'open') throw new AppError('link_expired');
      const link = { id: 'link', type: 'link' };
      await decideWayBack(tx, found.id, 'objected', link, ports.clock.now());
      await ports.record(tx, ctx, {
        action: 'way_back.objected',
        subject: found.id,
        after: { person_id: found.personId },
      });
    });
  };

async function grant(ports: WayBackPorts, ctx: Context, asked: WayBack): Promise<WayBack> {
  const person = await ports.database.platform((tx) => findPersonById(tx, asked.personId));
  if (!person || isOfFormerPassword(person, asked))
    throw new AppError('wrong_state', { state: 'over' });
  const granted = await decide(ports, ctx, asked.id, 'granted');
  await concludeIfAll(ports, granted);
  return granted;
}

const decide = (
  ports: WayBackPorts,
  ctx: Context,
  id: string,
  state: 'granted' | 'refused',
): Promise<WayBack> =>
  ctx.transaction(async (tx) => {
    const found = await mustBePending(ports, tx, id);
    await decideWayBack(tx, id, state, ctx.actor, ports.clock.now());
    await ports.record(tx, ctx, {
      action: `way_back.${state}`,
      subject: id,
      after: { person_id: found.personId, asked_at: found.askedAt.toISOString() },
    });
    return { ...found, state, decidedAt: ports.clock.now() };
  });

const readPending = (ports: WayBackPorts, ctx: Context, id: string): Promise<WayBack> =>
  ctx.transaction((tx) => mustBePending(ports, tx, id));

/** Locks a request, and refuses one that was decided or has expired. */
async function mustBePending(
  { clock }: Pick<WayBackPorts, 'clock'>,
  tx: Tx,
  id: string,
): Promise<WayBack> {
  const found = await findWayBack(tx, id);
  if (!found) throw new AppError('not_found');
  if (found.state !== 'open' || found.until <= clock.now())
    throw new AppError('wrong_state', { state: found.state === 'open' ? 'over' : found.state });
  return found;
}

/** Removes the second factor once every business of the person has granted the request. */
async function concludeIfAll(ports: WayBackPorts, granted: WayBack): Promise<void> {
  const { personId, requestId } = granted;
  const places = await ports.database.platform((tx) => listMemberships(tx, personId));
  for (const { businessId } of places) {
    const there = await ports.database.transaction(businessId, (tx) =>
      findOfRequest(tx, requestId),
    );
    if (there?.state !== 'granted') return;
  }
  await ports.sessions.endOthers(personId, null, (tx) => removeSecondFactor(tx, personId));
  ports.notify(personId, 'way_back_granted');
}
