import type { Tx } from '../../platform/db/database.ts';
import { query, queryOne, toDate } from '../../platform/db/query.ts';

/** Replaces the recovery codes of a person (`platform` door): a new set ends the one before. */
export async function replaceRecoveryCodes(
  tx: Tx,
  personId: string,
  hashes: string[],
  at: Date,
): Promise<void> {
  await query(tx, 'delete from reference.recovery_code where person_id = $1', [personId]);
  await query(
    tx,
    'insert into reference.recovery_code (person_id, code_hash, created_at) select $1, hash, $3 from unnest($2::text[]) as hash',
    [personId, hashes, at],
  );
}

/** Consumes a code; false if it is not the person's or was used. */
export const consumeRecoveryCode = async (
  tx: Tx,
  personId: string,
  hash: string,
  at: Date,
): Promise<boolean> =>
  (
    await query(
      tx,
      'update reference.recovery_code set used_at = $3 where person_id = $1 and code_hash = $2 and used_at is null returning code_hash',
      [personId, hash, at],
    )
  ).length > 0;

export const holdsRecoveryCode = async (tx: Tx, personId: string, hash: string): Promise<boolean> =>
  (await queryOne(
    tx,
    'select 1 as yes from reference.recovery_code where person_id = $1 and code_hash = $2 and used_at is null',
    [personId, hash],
  )) !== null;

export const countRecoveryCodes = async (tx: Tx, personId: string): Promise<number> =>
  (
    await queryOne<{ n: number }>(
      tx,
      'select count(*)::int as n from reference.recovery_code where person_id = $1 and used_at is null',
      [personId],
    )
  )?.n ?? 0;

export type RememberedDevice = {
  id: string;
  address: string | null;
  userAgent: string | null;
  createdAt: Date;
  lastUsedAt: Date;
  expiresAt: Date;
};

/**
 * How many devices of a person are remembered; the oldest is forgotten for another. All of them are
 * shown, and their owner can forget each.
 */
const devicesMost = 20;

/**
 * Inserts a device that need not give the second factor at sign-in for a while (`platform` door),
 * under the lock on its person.
 */
export async function insertDevice(
  tx: Tx,
  device: {
    id: string;
    personId: string;
    secretHash: string;
    address: string | null;
    userAgent: string | null;
    at: Date;
    expiresAt: Date;
  },
): Promise<void> {
  await query(
    tx,
    `delete from reference.remembered_device where person_id = $1
       and id not in (select id from reference.remembered_device where person_id = $1 order by created_at desc, id desc limit $2)`,
    [device.personId, devicesMost - 1],
  );
  await query(
    tx,
    `insert into reference.remembered_device (id, person_id, secret_hash, address, user_agent, created_at, last_used_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $6, $7)`,
    [
      device.id,
      device.personId,
      device.secretHash,
      device.address,
      device.userAgent,
      device.at,
      device.expiresAt,
    ],
  );
}

/** Says whether this secret is a living device's of that person, and notes its use. */
export const useDevice = async (
  tx: Tx,
  personId: string,
  secretHash: string,
  at: Date,
): Promise<boolean> =>
  (
    await query(
      tx,
      'update reference.remembered_device set last_used_at = $3 where person_id = $1 and secret_hash = $2 and expires_at > $3 returning id',
      [personId, secretHash, at],
    )
  ).length > 0;

export const listDevices = async (
  tx: Tx,
  personId: string,
  at: Date,
): Promise<RememberedDevice[]> =>
  (
    await query(
      tx,
      'select id, address, user_agent, created_at, last_used_at, expires_at from reference.remembered_device where person_id = $1 and expires_at > $2 order by created_at desc limit 100',
      [personId, at],
    )
  ).map((row) => ({
    id: row.id as string,
    address: row.address as string | null,
    userAgent: row.user_agent as string | null,
    createdAt: toDate(row.created_at),
    lastUsedAt: toDate(row.last_used_at),
    expiresAt: toDate(row.expires_at),
  }));

export const deleteDevice = async (tx: Tx, personId: string, id: string): Promise<boolean> =>
  (
    await query(
      tx,
      'delete from reference.remembered_device where person_id = $1 and id = $2 returning id',
      [personId, id],
    )
  ).length > 0;

export const deleteDevicesOf = (tx: Tx, personId: string) =>
  query(tx, 'delete from reference.remembered_device where person_id = $1', [personId]);

export const deleteOldDevices = (tx: Tx, before: Date) =>
  query(tx, 'delete from reference.remembered_device where expires_at < $1', [before]);

/** Removes the whole second factor: authenticator, codes, and devices that could do without. */
export async function removeSecondFactor(tx: Tx, personId: string): Promise<void> {
  await query(
    tx,
    'update reference.person set totp_secret = null, totp_confirmed_at = null, totp_last_step = null where id = $1',
    [personId],
  );
  await query(tx, 'delete from reference.recovery_code where person_id = $1', [personId]);
  await deleteDevicesOf(tx, personId);
}
