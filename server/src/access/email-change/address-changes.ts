import type { AddressChangePorts } from './address-change-ports.ts';
import { applyAddressChange } from './apply-address-change.ts';
import { listAddressChanges } from './list-address-changes.ts';
import { mailDueObjections } from './mail-objection.ts';
import { objectToAddressChange } from './object-to-address-change.ts';
import { requestAddressChange } from './request-address-change.ts';

/**
 * The way of a business whose only admin has lost mailbox and password alike: an operator asks for
 * another address of that person. It counts after seven days in which the former address was mailed
 * every day and everybody of the business was mailed, any of whom can object. Where there is more
 * than one operator, another one applies it. It never counts once the person has signed in since,
 * because they then need no help. The address leads to a link for a new password; a second factor
 * stays as it is, and a person who has lost that too asks for a way back afterwards.
 */
export const addressChanges = (ports: AddressChangePorts) => ({
  open: requestAddressChange(ports),
  list: listAddressChanges(ports),
  apply: applyAddressChange(ports),
  object: objectToAddressChange(ports),
  mailDue: mailDueObjections(ports),
});

export type AddressChanges = ReturnType<typeof addressChanges>;
