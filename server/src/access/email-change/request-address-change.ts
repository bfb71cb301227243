import type { OperatorLogActor } from '../../audit/index.ts';
import type { Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import type { Tx } from '../../platform/db/database.ts';
import { hashOf } from '../credential.ts';
import { listMembers } from '../membership.store.ts';
import { otherAdmins } from '../other-admins.ts';
import { findPersonById, holdPerson, type StoredPerson } from '../person.store.ts';
import {
  type AddressChangePorts,
  objectionSecret,
  recordInBusinesses,
} from './address-change-ports.ts';
import { appliesFrom, isExpired } from './address-change.model.ts';
import {
  type AddressChange,
  countOperators,
  endAddressChange,
  insertAddressChange,
  isOperatorsAddress,
  listPendingAddressChanges,
} from './address-change.store.ts';
import type { PendingAddressChange } from './list-address-changes.ts';
import { mailObjection } from './mail-objection.ts';

const endedLatelyMs = 30 * 86_400_000;
const requestsMost = { max: 3, withinMs: 86_400_000 };

/** What an operator asks for, and about whom. */
type ChangeRequest = {
  operator: OperatorLogActor;
  businessId: string;
  person: StoredPerson;
  email: string;
  reason: string;
  askedAt: Date;
};

/** Requests another address for the only admin of a business. */
export const requestAddressChange =
  (ports: AddressChangePorts) =>
  async (
    operator: OperatorLogActor,
    ctx: Context,
    ask: { person_id: string; email: string; reason: string },
  ): Promise<PendingAddressChange> => {
    const { email, reason } = ask;
    const askedAt = ports.clock.now();
    const person = await findOnlyAdmin(ports, ctx, ask.person_id, askedAt);
    if (!(await ports.tries.allow(`address_change:${person.id}`, requestsMost)))
      throw new AppError('too_many_attempts');
    const { businessId, actor, origin } = ctx;
    const id = ports.newId('address_change');
    const change = await ports.database.platform((tx) =>
      insertRequest(ports, tx, id, { operator, businessId, person, email, reason, askedAt }),
    );
    await recordInBusinesses(
      ports,
      change,
      'address_change.asked',
      { actor, origin },
      { person_id: person.id, email: change.email, reason: change.reason },
    );
    ports.background(
      mailObjection(ports, change).catch((error: Error) =>
        ports.log.warn({ error: error.message }, 'nobody was told of a change of address'),
      ),
    );
    return { ...change, name: person.name, from: appliesFrom(change) };
  };

/** Returns the admin a change is about; refuses if another admin is there to help. */
async function findOnlyAdmin(
  ports: AddressChangePorts,
  ctx: Context,
  personId: string,
  askedAt: Date,
): Promise<StoredPerson> {
  const member = (await ctx.transaction(listMembers)).find(
    (each) => each.personId === personId && each.status === 'active',
  );
  const person = member && (await ports.database.platform((tx) => findPersonById(tx, personId)));
  if (!member || !person) throw new AppError('not_found');
  if (
    member.role !== 'business_admin' ||
    (await otherAdmins(ports, ctx, { personId: person.id, askedAt })).others.length > 0
  )
    throw new AppError('admin_decides');
  return person;
}

/** Inserts a request, with its line in the operator's log. */
async function insertRequest(
  ports: AddressChangePorts,
  tx: Tx,
  id: string,
  request: ChangeRequest,
): Promise<AddressChange> {
  const { operator, businessId, person, email, reason, askedAt } = request;
  await mustBeAllowed(tx, request);
  const needsSecond = (await countOperators(tx, new Date(askedAt.getTime() - endedLatelyMs))) > 1;
  for (const each of await listPendingAddressChanges(tx, null))
    if (each.personId === person.id && isExpired(each, ports.clock.now()))
      await endAddressChange(tx, each.id, 'ended', { id: 'time', type: 'job' }, askedAt);
  const row = await insertAddressChange(tx, {
    id,
    businessId,
    personId: person.id,
    email,
    reason,
    openedBy: operator.id,
    needsSecond,
    askedAt,
    objectHash: hashOf(objectionSecret(ports, id)),
  });
  if (!row) throw new AppError('wrong_state', { state: 'open' });
  const after = { person_id: person.id, business_id: businessId, email, reason };
  await ports.recordPlatform(tx, operator, { action: 'address_change.asked', subject: id, after });
  return row;
}

/**
 * Refuses what may not be asked for, under locks on both persons: whoever is ended or blocked at
 * this moment leaves no request behind that was not looked for.
 */
async function mustBeAllowed(tx: Tx, { operator, person, email }: ChangeRequest): Promise<void> {
  if (operator.type === 'operator' && !(await holdPerson(tx, operator.id)))
    throw new AppError('not_signed_in');
  if (!(await holdPerson(tx, person.id))) throw new AppError('not_found');
  if (await isOperatorsAddress(tx, email))
    throw new AppError('malformed', { field: 'email', reason: 'is an operator’s own address' });
  if (email === person.email)
    throw new AppError('malformed', { field: 'email', reason: 'is the address they have' });
}
