import { setImmediate as others } from 'node:timers/promises';
import type { Context } from '../context.ts';
import { query, queryOne } from '../platform/db/query.ts';
import { type ChainedEntry, entryColumns, hashOfEntry } from './chain-audit-log.ts';

export type AuditCheck = {
  sealed: number;
  unsealed: string[];
  /** The first position that does not fit. */
  brokenAt: string | null;
  head: string | null;
  /** The first position that was recomputed. */
  from: string;
};

type Head = { position: string; hash: string; verified_position: string; verified_hash: string };

/** So few at a time that nobody notices who waits meanwhile. */
const page = 500;

/**
 * Recomputes the chain from where it was last found whole, or all of it, and keeps how far it is
 * whole. What stands before that place and was changed since is found only by the whole; what is
 * said outside of the database every day rests on it (`publish-head.ts`).
 */
export async function verifyAuditLog(ctx: Context, isWhole = true): Promise<AuditCheck> {
  const readHead = () =>
    ctx.transaction((tx) =>
      queryOne<Head>(
        tx,
        'select position::text, hash, verified_position::text, verified_hash from trail_head',
      ),
    );
  const before = isWhole ? null : await readHead();
  let previousHash = before?.verified_hash ?? '';
  let expected = BigInt(before?.verified_position ?? 0) + 1n;
  const from = expected.toString();
  let brokenAt: string | null = null;
  // The entry that was the last to be verified must stand there still, as it was.
  if (before && expected > 1n) {
    const last = await ctx.transaction((tx) =>
      queryOne<{ hash: string }>(tx, 'select hash from audit where position = $1', [
        (expected - 1n).toString(),
      ]),
    );
    if (last?.hash !== previousHash) brokenAt = (expected - 1n).toString();
  }
  while (!brokenAt) {
    const entries = await ctx.transaction((tx) =>
      query<ChainedEntry & { place: string; previous_hash: string; hash: string }>(
        tx,
        `select ${entryColumns}, position::text as place, previous_hash, hash from audit where position >= $1 order by position limit ${page}`,
        [expected.toString()],
      ),
    );
    for (const entry of entries) {
      const fits =
        entry.place === expected.toString() &&
        entry.previous_hash === previousHash &&
        entry.hash === hashOfEntry(ctx.businessId, entry.place, previousHash, entry);
      if (!fits) {
        brokenAt = expected.toString();
        break;
      }
      previousHash = entry.hash;
      expected += 1n;
    }
    if (entries.length < page) break;
    await others();
  }
  const { head, unsealed } = await ctx.transaction(async (tx) => ({
    head: await queryOne<Head>(
      tx,
      'select position::text, hash, verified_position::text, verified_hash from trail_head',
    ),
    unsealed: await query<{ id: string }>(
      tx,
      'select id from audit where position is null order by at, id limit 1000',
    ),
  }));
  const last = expected - 1n;
  // A tail cut off would leave a chain that is whole in itself; the head remembers how long it was.
  if (
    !brokenAt &&
    head &&
    BigInt(head.position) <= last &&
    (head.position !== last.toString() || head.hash !== previousHash)
  )
    brokenAt = expected.toString();
  if (!brokenAt && head && BigInt(head.position) > last)
    brokenAt = (await isChainedNow(ctx, expected)) ? null : expected.toString();
  if (!brokenAt && last > 0n)
    await ctx.transaction((tx) =>
      query(tx, 'update trail_head set verified_position = $1, verified_hash = $2', [
        last.toString(),
        previousHash,
      ]),
    );
  return {
    sealed: Number(last),
    unsealed: unsealed.map((each) => each.id),
    brokenAt,
    head: head?.hash ?? null,
    from,
  };
}

/** Whether the place after the last one read is taken by now: the trail grew while it was read. */
const isChainedNow = async (ctx: Context, position: bigint): Promise<boolean> =>
  (await ctx.transaction((tx) =>
    queryOne(tx, 'select 1 as yes from audit where position = $1', [position.toString()]),
  )) !== null;
