import { getBusiness } from '../../businesses/index.ts';
import { listMembers, listMemberships } from '../membership.store.ts';
import { findPersonById, listPersons, type StoredPerson } from '../person.store.ts';
import { type AddressChangePorts, objectionSecret } from './address-change-ports.ts';
import { isForEverybody, isMailDue } from './address-change.model.ts';
import {
  type AddressChange,
  listPendingAddressChanges,
  markMailed,
} from './address-change.store.ts';

/** Mails a change to all who may object to it, and notes whether all of them were reached. */
export async function mailObjection(
  ports: AddressChangePorts,
  change: AddressChange,
): Promise<void> {
  const { database } = ports;
  const person = await database.platform((tx) => findPersonById(tx, change.personId));
  if (!person) return;
  const addresses = await recipients(ports, change, person);
  const { name } = await database.transaction(change.businessId, (tx) => getBusiness(tx));
  const subject = `Another e-mail address for the admin of ${name}`;
  const text = mailText(ports, change, person, name);
  let unreached = 0;
  for (const address of addresses)
    await ports.sendMail({ to: address, subject, text }).catch((error: Error) => {
      unreached++;
      ports.log.warn({ error: error.message }, 'a person could not be told of a change of address');
    });
  await database.platform((tx) => markMailed(tx, change.id, ports.clock.now(), unreached === 0));
}

/** Mails what is due: once a day, and again where a mail server was away. */
export const mailDueObjections = (ports: AddressChangePorts) => async (): Promise<void> => {
  const pending = await ports.database.platform((tx) => listPendingAddressChanges(tx, null));
  for (const each of pending)
    if (isMailDue(each, ports.clock.now())) await mailObjection(ports, each);
};

/** The former address is mailed every day, everybody of the person's businesses now and then. */
async function recipients(
  { database }: AddressChangePorts,
  change: AddressChange,
  person: StoredPerson,
): Promise<Set<string>> {
  const addresses = new Set([person.email]);
  if (!isForEverybody(change)) return addresses;
  const places = await database.platform((tx) => listMemberships(tx, change.personId));
  for (const { businessId } of places) {
    const members = (await database.transaction(businessId, listMembers))
      .filter((each) => each.status === 'active')
      .map((each) => each.personId);
    for (const each of await database.platform((tx) => listPersons(tx, members)))
      addresses.add(each.email);
  }
  return addresses;
}

const mailText = (
  ports: AddressChangePorts,
  change: AddressChange,
  person: StoredPerson,
  businessName: string,
): string =>
  `An operator of the platform asks for another e-mail address of ${person.name} (${person.username}), the only admin of ${businessName}: ${change.email}

Reason: ${change.reason}

It counts after seven days, unless anybody of the business objects or ${person.name} signs in. Links for a new password then go to the new address.

If this is not right, object now, without signing in:

${ports.publicUrl}/settings#/object/adr.${objectionSecret(ports, change.id)}
`;
