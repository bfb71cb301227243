import { setImmediate as others } from 'node:timers/promises';
import type { Context } from '../context.ts';
import type { Tx } from '../platform/db/database.ts';
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
type VerifiedEntry = ChainedEntry & { place: string; previous_hash: string; hash: string };

/** How far the chain was followed: the place that comes next, and the hash before it. */
export type Followed = { expected: bigint; previousHash: string; brokenAt: string | null };

/** So few at a time that nobody notices who waits meanwhile. */
const page = 500;

/**
 * Recomputes the chain from where it was last found whole, or all of it, and keeps how far it is
 * whole. What stands before that place and was changed since is found only by the whole; what is
 * said outside of the database every day rests on it (`publish-head.ts`).
 */
export async function verifyAuditLog(ctx: Context, isWhole = true): Promise<AuditCheck> {
  const start = await startOf(ctx, isWhole);
  const followed = await followChain(ctx, start);
  const { head, unsealed } = await readEnd(ctx);
  const last = followed.expected - 1n;
  const brokenAt = followed.brokenAt ?? (head && (await brokenAtEnd(ctx, head, followed)));
  if (!brokenAt && last > 0n)
    await ctx.transaction((tx) =>
      query(tx, 'update trail_head set verified_position = $1, verified_hash = $2', [
        last.toString(),
        followed.previousHash,
      ]),
    );
  return {
    sealed: Number(last),
    unsealed: unsealed.map((each) => each.id),
    brokenAt,
    head: head?.hash ?? null,
    from: start.expected.toString(),
  };
}

const readHead = (tx: Tx) =>
  queryOne<Head>(
    tx,
    'select position::text, hash, verified_position::text, verified_hash from trail_head',
  );

/** Returns where to begin: at the first entry, or behind the last that was verified. */
async function startOf(ctx: Context, isWhole: boolean): Promise<Followed> {
  const before = isWhole ? null : await ctx.transaction(readHead);
  const expected = BigInt(before?.verified_position ?? 0) + 1n;
  const start = { expected, previousHash: before?.verified_hash ?? '', brokenAt: null };
  if (!before || expected === 1n) return start;
  // The entry that was the last to be verified must stand there still, as it was.
  const lastAt = (expected - 1n).toString();
  const last = await ctx.transaction((tx) =>
    queryOne<{ hash: string }>(tx, 'select hash from audit where position = $1', [lastAt]),
  );
  return last?.hash === start.previousHash ? start : { ...start, brokenAt: lastAt };
}

/** Reads the chain page by page and follows it until it breaks or ends. */
async function followChain(ctx: Context, start: Followed): Promise<Followed> {
  let followed = start;
  while (!followed.brokenAt) {
    const { expected } = followed;
    const entries = await ctx.transaction((tx) =>
      query<VerifiedEntry>(
        tx,
        `select ${entryColumns}, position::text as place, previous_hash, hash from audit where position >= $1 order by position limit ${page}`,
        [expected.toString()],
      ),
    );
    followed = follow(followed, entries, ctx.businessId);
    if (entries.length < page) break;
    await others();
  }
  return followed;
}

/** Follows the chain along these entries, up to the first that does not fit. */
export function follow(from: Followed, entries: VerifiedEntry[], businessId: string): Followed {
  let { expected, previousHash } = from;
  for (const entry of entries) {
    const fits =
      entry.place === expected.toString() &&
      entry.previous_hash === previousHash &&
      entry.hash === hashOfEntry(businessId, entry.place, previousHash, entry);
    if (!fits) return { expected, previousHash, brokenAt: expected.toString() };
    previousHash = entry.hash;
    expected += 1n;
  }
  return { expected, previousHash, brokenAt: null };
}

/** Reads what the head says now, and what has no place yet. */
const readEnd = (ctx: Context) =>
  ctx.transaction(async (tx) => ({
    head: await readHead(tx),
    unsealed: await query<{ id: string }>(
      tx,
      'select id from audit where position is null order by at, id limit 1000',
    ),
  }));

/** Returns where the chain breaks off before its head says that it ends, or null. */
async function brokenAtEnd(ctx: Context, head: Head, followed: Followed): Promise<string | null> {
  const end = compareWithHead(head, followed);
  if (end === 'fits') return null;
  if (end === 'longer' && (await isChainedNow(ctx, followed.expected))) return null;
  return followed.expected.toString();
}

/**
 * Compares the end that was reached with the head. A tail cut off would leave a chain that is whole
 * in itself; the head remembers how long it was.
 */
export function compareWithHead(
  head: Pick<Head, 'position' | 'hash'>,
  { expected, previousHash }: Followed,
): 'fits' | 'differs' | 'longer' {
  const last = expected - 1n;
  if (BigInt(head.position) > last) return 'longer';
  return head.position === last.toString() && head.hash === previousHash ? 'fits' : 'differs';
}

/** Whether the place after the last one read is taken by now: the trail grew while it was read. */
const isChainedNow = async (ctx: Context, position: bigint): Promise<boolean> =>
  (await ctx.transaction((tx) =>
    queryOne(tx, 'select 1 as yes from audit where position = $1', [position.toString()]),
  )) !== null;
