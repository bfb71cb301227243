import type { Tx } from '../platform/db/database.ts';
import { query } from '../platform/db/query.ts';
import { type AddressChange, endAddressChangesOf } from './email-change/address-change.store.ts';
import { deleteDevicesOf } from './second-factor/second-factor.store.ts';
import { dropTokens } from './person-token.store.ts';

/**
 * Revokes what a blocked person has at the platform's door: devices that spare the second factor,
 * mailed links, a panel that was approved and has not fetched its session, and another address that
 * was asked for them. Let in again they begin as if there had been none. Called under the lock on the
 * person, so that nothing is made meanwhile (`platform` door). Returns the requests for another
 * address that ended, for the businesses' logs.
 */
export async function revokePending(
  tx: Tx,
  personId: string,
  actor: { id: string; type: string },
  at: Date,
): Promise<AddressChange[]> {
  await deleteDevicesOf(tx, personId);
  await dropTokens(tx, 'password_reset', personId);
  await dropTokens(tx, 'email_change', personId);
  await query(
    tx,
    `update reference.pairing set state = 'refused', refusal = 'zoho_user_refused'
      where state = 'approved' and membership_id in (select membership_id from reference.membership_index where person_id = $1)`,
    [personId],
  );
  return endAddressChangesOf(tx, personId, actor, at);
}
