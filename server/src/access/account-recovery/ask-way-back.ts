import type { Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import { changesOfBusiness } from '../account/own-password.ts';
import { hashOf } from '../credential.ts';
import { listMemberships, type MembershipEntry } from '../membership.store.ts';
import { type StoredPerson, whilePersonIsActive } from '../person.store.ts';
import type { From } from '../sign-in.ts';
import { notifyAdmins } from './notify-admins.ts';
import { objectionSecret, type WayBackPorts } from './way-back-ports.ts';
import { isOfFormerPassword, pendingMs } from './way-back.model.ts';
import { endPendingOf, findPendingOf, insertWayBack, type WayBack } from './way-back.store.ts';

const requestsMost = { max: 3, withinMs: 86_400_000 };

/** One request; it is made in every business of the person. */
type WayBackRequest = { person: StoredPerson; requestId: string; from: From; askedAt: Date };

/** Requests a way back. The answer is the same whether a request is made or pending already. */
export const askWayBack =
  (ports: WayBackPorts) =>
  async (username: string, password: string, from: From): Promise<void> => {
    const person = await ports.checkWho(username, password, from);
    if (person.totpConfirmedAt === null) throw new AppError('wrong_state', { state: 'none' });
    if (!(await ports.tries.allow(`way_back:${person.id}`, requestsMost)))
      throw new AppError('too_many_attempts');
    const askedAt = ports.clock.now();
    const requestId = ports.newId('way_back');
    const places = await ports.database.platform((tx) => listMemberships(tx, person.id));
    if (await isPendingEverywhere(ports, person, places, askedAt)) return;
    for (const { businessId } of places)
      if (!(await ports.tries.allow(`account_changes:${businessId}`, changesOfBusiness)))
        throw new AppError('too_many_attempts');
    for (const place of places) {
      const { ctx, wayBack } = await askIn(ports, place, { person, requestId, from, askedAt });
      if (wayBack)
        ports.background(
          notifyAdmins(ports, ctx, wayBack).catch((error: Error) =>
            ports.log.warn({ error: error.message }, 'admins were not told of a way back'),
          ),
        );
    }
  };

/**
 * Says whether one request is pending in every business. Such a request goes on, with the day it
 * has waited; if a business was added or left meanwhile, the person asks again.
 */
async function isPendingEverywhere(
  ports: WayBackPorts,
  person: StoredPerson,
  places: MembershipEntry[],
  now: Date,
): Promise<boolean> {
  const pending: (WayBack | null)[] = [];
  for (const { businessId } of places)
    pending.push(
      await ports.database.transaction(businessId, (tx) => findPendingOf(tx, person.id, now)),
    );
  return pending.every(
    (each) =>
      each !== null &&
      each.requestId === pending[0]?.requestId &&
      !isOfFormerPassword(person, each),
  );
}

/** Makes the request in one business; null if another one was made at the same moment. */
async function askIn(
  ports: WayBackPorts,
  { businessId, membershipId }: MembershipEntry,
  { person, requestId, from, askedAt }: WayBackRequest,
): Promise<{ ctx: Context; wayBack: WayBack | null }> {
  const actor = { type: 'person', id: person.id, membershipId, name: person.name } as const;
  const ctx: Context = { ...ports.contextOf(businessId), actor, origin: from.address };
  const id = ports.newId('way_back');
  const wayBack = await whilePersonIsActive(ctx, async (tx) => {
    await endPendingOf(tx, person.id, 'asked_anew', askedAt);
    const row = await insertWayBack(tx, businessId, {
      id,
      requestId,
      personId: person.id,
      membershipId,
      address: from.address,
      userAgent: from.userAgent,
      objectHash: hashOf(objectionSecret(ports, businessId, id)),
      askedAt,
      until: new Date(askedAt.getTime() + pendingMs),
    });
    if (row)
      await ports.record(tx, ctx, {
        action: 'way_back.asked',
        subject: row.id,
        after: { person_id: person.id },
      });
    return row;
  });
  return { ctx, wayBack };
}
