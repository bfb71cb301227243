import type { OperatorLogActor } from '../../audit/index.ts';
import type { Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import type { Tx } from '../../platform/db/database.ts';
import { otherAdmins } from '../other-admins.ts';
import { dropTokens } from '../person-token.store.ts';
import { listPersons, lockPerson, setEmail, type StoredPerson } from '../person.store.ts';
import { deleteDevicesOf } from '../second-factor/second-factor.store.ts';
import { type AddressChangePorts, recordInBusinesses } from './address-change-ports.ts';
import { appliesFrom, isExpired } from './address-change.model.ts';
import {
  type AddressChange,
  endAddressChange,
  listPendingAddressChanges,
  lockAddressChange,
  operatorSince,
} from './address-change.store.ts';

/** Applies a change once nobody has objected, and ends every session of the person. */
export const applyAddressChange =
  (ports: AddressChangePorts) =>
  async (operator: OperatorLogActor, ctx: Context, id: string): Promise<void> => {
    const { database } = ports;
    const at = ports.clock.now();
    const pending = await findDue(ports, ctx, id, at);
    const { personId, email } = pending;
    if ((await otherAdmins(ports, ctx, pending)).others.length > 0)
      throw new AppError('admin_decides');
    const former = await database.platform((tx) =>
      setAddress(ports, tx, { operator, pending, at }),
    );
    if (former === null) {
      await database.platform((tx) => endAddressChange(tx, id, 'ended', operator, at));
      throw new AppError('wrong_state', { state: 'signed_in_since' });
    }
    await ports.sessions.endOthers(personId, null, async (tx) => {
      await deleteDevicesOf(tx, personId);
      // A change of address asked for in a session that ends now ends with it.
      await dropTokens(tx, 'email_change', personId);
    });
    await recordInBusinesses(
      ports,
      pending,
      'address_change.applied',
      { actor: ctx.actor, origin: ctx.origin },
      { person_id: personId, email },
    );
    ports.notify(personId, 'email_changed', former);
  };

async function findDue(
  { database }: AddressChangePorts,
  ctx: Context,
  id: string,
  now: Date,
): Promise<AddressChange> {
  const pending = (
    await database.platform((tx) => listPendingAddressChanges(tx, ctx.businessId))
  ).find((each) => each.id === id);
  if (!pending || isExpired(pending, now)) throw new AppError('not_found');
  const from = appliesFrom(pending);
  if (now < from) throw new AppError('address_waits', { until: from.toISOString() });
  return pending;
}

/**
 * Sets the address and returns the former one; null if the person has been back since, and needs no
 * help. The person is locked first, as everything that blocks a person does.
 */
async function setAddress(
  ports: AddressChangePorts,
  tx: Tx,
  { operator, pending, at }: { operator: OperatorLogActor; pending: AddressChange; at: Date },
): Promise<string | null> {
  const { id, businessId } = pending;
  const person = await lockPerson(tx, pending.personId);
  const change = await lockAddressChange(tx, id, businessId);
  if (change?.state !== 'open')
    throw new AppError('wrong_state', { state: change?.state ?? 'none' });
  await mustBeSecond(tx, operator, change);
  if (!person || (await hasBeenBack(tx, person, change))) return null;
  await setEmail(tx, person.id, change.email, null);
  await dropTokens(tx, 'password_reset', person.id);
  await dropTokens(tx, 'email_change', person.id);
  await endAddressChange(tx, id, 'applied', operator, at);
  await ports.recordPlatform(tx, operator, {
    action: 'address_change.applied',
    subject: id,
    after: { person_id: person.id, business_id: businessId },
  });
  return person.email;
}

/** Requires another operator than the one who asked, who was one before it was asked. */
async function mustBeSecond(
  tx: Tx,
  operator: OperatorLogActor,
  change: AddressChange,
): Promise<void> {
  const since = await operatorSince(tx, operator.id);
  if (change.needsSecond && (operator.id === change.openedBy || !since || since >= change.askedAt))
    throw new AppError('second_operator_needed');
}

/** Says whether the person has signed in or changed the password since the request. */
async function hasBeenBack(
  tx: Tx,
  person: StoredPerson,
  { personId, askedAt }: AddressChange,
): Promise<boolean> {
  const [listed] = await listPersons(tx, [personId]);
  return [listed?.lastSignInAt, person.passwordChangedAt].some(
    (moment) => moment !== null && moment !== undefined && moment > askedAt,
  );
}
