import type { Clock } from './clock.ts';
import type { Tx } from './db/database.ts';
import { query, toDate } from './db/query.ts';
import type { EvidenceSigner } from './evidence-signer.ts';

/**
 * A key that evidence was signed with. The key follows the master key, so that a rotation ends it;
 * what it signed before goes on to hold.
 */
export type EvidenceKey = { fingerprint: string; publicKey: string; since: Date };

/** Keeps the public half of a key in use (`platform` door). */
export const keepEvidenceKey = (
  tx: Tx,
  { fingerprint, publicKey }: Pick<EvidenceSigner, 'fingerprint' | 'publicKey'>,
  clock: Clock,
) =>
  query(
    tx,
    'insert into reference.evidence_key (fingerprint, public_key, since) values ($1, $2, $3) on conflict do nothing',
    [fingerprint, publicKey, clock.now()],
  );

/** Every key there ever was here, newest first. */
export const listEvidenceKeys = async (tx: Tx): Promise<EvidenceKey[]> =>
  (
    await query(
      tx,
      'select fingerprint, public_key, since from reference.evidence_key order by since desc, fingerprint',
    )
  ).map((row) => ({
    fingerprint: row.fingerprint as string,
    publicKey: row.public_key as string,
    since: toDate(row.since),
  }));
