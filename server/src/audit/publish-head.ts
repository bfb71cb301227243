import type { Context } from '../context.ts';
import type { Clock } from '../platform/clock.ts';
import { query, queryOne } from '../platform/db/query.ts';
import type { Log } from '../platform/log.ts';
import { fingerprintOf, isSignedBy, type EvidenceSigner } from '../platform/evidence-signer.ts';
import { slotOf, takeSlot } from '../platform/time-slots.ts';
import { verifyAuditLog } from './verify-audit-log.ts';

/**
 * How far a business's trail went at a moment, signed: what was cut off or written anew afterwards
 * does not fit it any more.
 */
export type PublishedHead = {
  business_id: string;
  position: string;
  hash: string;
  at: string;
  public_key: string;
  signature: string;
};

const signedText = ({
  business_id,
  position,
  hash,
  at,
}: Omit<PublishedHead, 'public_key' | 'signature'>) =>
  JSON.stringify(['muhuri trail head', business_id, position, hash, at]);

/**
 * Says once a day how far the trail goes, signed with a key the database does not have, in a line
 * of the log: logs are carried off to where whoever owns the database cannot change them, without
 * one more thing to be set up. A chain that does not hold is said as an error, and not signed.
 */
export const publishHead =
  (ports: { notary: EvidenceSigner; clock: Clock; log: Log; worker: string }) =>
  async (ctx: Context): Promise<void> => {
    const at = ports.clock.now();
    const slot = slotOf({ everyMinutes: 24 * 60 }, at) as string;
    const isTaken = await ctx.transaction((tx) =>
      query(tx, "select 1 from slot where job = 'trail_head' and slot = $1", [slot]),
    );
    if (isTaken.length > 0) return;
    const { brokenAt } = await verifyAuditLog(ctx, false);
    if (brokenAt) {
      ports.log.error({ business_id: ctx.businessId, position: brokenAt }, 'the trail is broken');
      return;
    }
    const head = await ctx.transaction(async (tx) => {
      const found = await queryOne<{ position: string; hash: string }>(
        tx,
        'select position::text, hash from trail_head where position > 0',
      );
      return found &&
        (await takeSlot(tx, ctx.businessId, 'trail_head', slot, { at, worker: ports.worker }))
        ? found
        : null;
    });
    if (!head) return;
    const said = {
      business_id: ctx.businessId,
      position: head.position,
      hash: head.hash,
      at: at.toISOString(),
    };
    const published: PublishedHead = {
      ...said,
      public_key: ports.notary.publicKey,
      signature: ports.notary.sign(signedText(said)),
    };
    ports.log.info({ trail_head: published }, 'how far the trail goes');
  };

/**
 * What does not fit a head that was published, as a sentence; null where the trail still holds what
 * it says.
 */
export async function checkHead(
  ctx: Context,
  head: PublishedHead,
  fingerprints: string[],
): Promise<string | null> {
  const where = `place ${head.position}, said at ${head.at}`;
  if (!fingerprints.includes(fingerprintOf(head.public_key)))
    return `${where}: signed by a key that nobody named (${fingerprintOf(head.public_key)})`;
  if (!isSignedBy(head.public_key, signedText(head), head.signature))
    return `${where}: its signature does not hold`;
  const row = await ctx.transaction((tx) =>
    queryOne<{ hash: string }>(tx, 'select hash from audit where position = $1::bigint', [
      head.position,
    ]),
  );
  if (!row) return `${where}: there is no such entry any more`;
  return row.hash === head.hash ? null : `${where}: another entry stands there`;
}

/** The heads in a file of log lines, whatever else stands there. */
export function headsIn(text: string): PublishedHead[] {
  return text.split('\n').flatMap((line) => {
    const start = line.indexOf('{');
    if (start < 0 || !line.includes('"trail_head"')) return [];
    try {
      const { trail_head } = JSON.parse(line.slice(start)) as { trail_head?: PublishedHead };
      return trail_head ? [trail_head] : [];
    } catch {
      return [];
    }
  });
}
