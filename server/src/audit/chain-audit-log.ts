import type { Context } from '../context.ts';
import { pageAfter } from '../platform/db/keyset-page.ts';
import type { Tx } from '../platform/db/database.ts';
import { sha256 } from '../platform/digest.ts';
import { endOfPrefix } from '../platform/search-words.ts';
import { query, queryOne, toDate } from '../platform/db/query.ts';

/**
 * One entry of the trail as it is chained: text exactly as the database prints it, so that any
 * later reader can hash it again.
 */
export type ChainedEntry = {
  id: string;
  at: string;
  actor_type: string;
  actor_id: string;
  origin: string | null;
  action: string;
  subject: string;
  before: string | null;
  after: string | null;
  request_id: string | null;
};

type PlacedEntry = ChainedEntry & { position: string };

/**
 * Later chapters that count by the trail: told of each entry exactly once, in the transaction that
 * seals it.
 */
export type AuditListener = (tx: Tx, ctx: Context, entries: PlacedEntry[]) => Promise<void>;

const batch = 500;

export const entryColumns =
  'id, to_char(at at time zone \'UTC\', \'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\') as at, actor_type, actor_id, origin, action, subject, before::text, after::text, request_id';

/**
 * The hash of an entry holds its place, its owner and the hash before it: nothing can be changed,
 * moved, left out or put in between.
 */
export function hashOfEntry(
  businessId: string,
  position: string,
  previousHash: string,
  entry: ChainedEntry,
): string {
  const { id, at, actor_type, actor_id, origin, action, subject, before, after, request_id } =
    entry;
  const text = JSON.stringify([
    businessId,
    position,
    previousHash,
    id,
    at,
    actor_type,
    actor_id,
    origin,
    action,
    subject,
    before,
    after,
    request_id,
  ]);
  return sha256(text);
}

/**
 * Chains what has been committed since, in the order it is found committed; one sealer per business
 * at a time, by the lock on its head. Lanes never wait for it: they write entries without a place,
 * and places are given here within seconds.
 */
export async function chainAuditLog(ctx: Context, followers: AuditListener[]): Promise<number> {
  let sealed = 0;
  for (;;) {
    const count = await ctx.transaction(async (tx) => {
      await query(
        tx,
        "insert into trail_head (business_id, position, hash) values ($1, 0, '') on conflict do nothing",
        [ctx.businessId],
      );
      const head = (await queryOne<{ position: string; hash: string }>(
        tx,
        'select position::text, hash from trail_head for update',
      )) as {
        position: string;
        hash: string;
      };
      const entries = await query<ChainedEntry>(
        tx,
        `select ${entryColumns} from audit where position is null order by audit.at, id limit ${batch}`,
      );
      if (entries.length === 0) return 0;
      let { hash } = head;
      const links = entries.map((entry, index) => {
        const position = (BigInt(head.position) + BigInt(index + 1)).toString();
        const previousHash = hash;
        hash = hashOfEntry(ctx.businessId, position, previousHash, entry);
        return { ...entry, position, previousHash, hash };
      });
      await query(
        tx,
        `update audit a set position = l.position, previous_hash = l.previous_hash, hash = l.hash
           from unnest($1::text[], $2::bigint[], $3::text[], $4::text[]) as l(id, position, previous_hash, hash) where a.business_id = $5 and a.id = l.id`,
        [
          links.map((each) => each.id),
          links.map((each) => each.position),
          links.map((each) => each.previousHash),
          links.map((each) => each.hash),
          ctx.businessId,
        ],
      );
      await query(tx, 'update trail_head set position = $1, hash = $2', [
        links.at(-1)?.position,
        hash,
      ]);
      for (const follow of followers) await follow(tx, ctx, links);
      return links.length;
    });
    sealed += count;
    if (count < batch) return sealed;
  }
}

/**
 * The chained entries about one thing, in their order; what is not sealed yet is not among them.
 */
export const listChain = (
  tx: Tx,
  subject: string,
): Promise<(ChainedEntry & { position: string; previous_hash: string; hash: string })[]> =>
  query(
    tx,
    `select ${entryColumns}, position::text as position, previous_hash, hash from audit where subject = $1 and position is not null order by audit.position`,
    [subject],
  );

export type AuditFilter = {
  limit: number;
  after: { at: string; id: string } | null;
  action?: string | undefined;
  actor?: string | undefined;
  subject?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
};

export type AuditEntry = Omit<ChainedEntry, 'at' | 'before' | 'after'> & {
  at: Date;
  before: unknown;
  after: unknown;
  position: string | null;
  actorName?: string | undefined;
};

const columns =
  'id, at, actor_type, actor_id, origin, action, subject, before, after, request_id, position';

/** The index by subject holds what is chained; the little that is not has an index of its own. */
const bySubject = `(select ${columns} from audit where subject = $3 and position is not null
  union all select ${columns} from audit where subject = $3 and position is null) a`;

/** Most of a trail: met at every step through it, and so in no index by what they are. */
const often = ['receipt.opened', 'receipt.signed'];
const seldom = `action not in (${often.map((each) => `'${each}'`).join(', ')})`;

/**
 * Where entries of some actions stand: of what is done seldom the few actions there are of that
 * beginning, each from its own end of the index; of what is done often, what is met on the way.
 */
const byAction = (rest: string): string => `(
  with recursive known(action) as (
    (select action collate "C" from audit where ${seldom} and action collate "C" >= $1 and action collate "C" < $9 order by action collate "C" limit 1)
    union all
    select (select x.action collate "C" from audit x where x.${seldom} and x.action collate "C" > k.action and x.action collate "C" < $9
      order by x.action collate "C" limit 1) from known k where k.action is not null)
  select x.id, x.at, x.actor_type, x.actor_id, x.origin, x.action, x.subject, x.before, x.after, x.request_id, x.position from known k, lateral (select ${columns} from audit where ${seldom} and action collate "C" = k.action and ${rest} order by at desc, id desc limit $8) x
  union all
  (select ${columns} from audit where action = any($10::text[]) and ${rest} order by at desc, id desc limit $8)) a`;

/** What a page is asked for, in the order in which the statement names it. */
const valuesOf = ({ action, actor, subject, from, to, after, limit }: AuditFilter) => [
  action ?? null,
  actor ?? null,
  subject ?? null,
  from ?? null,
  to ?? null,
  after?.at ?? null,
  after?.id ?? null,
  limit,
];

/** A page of a trail, newest first. `table` is one of ours, never a caller's text. */
export async function listEntries(
  tx: Tx,
  table: 'audit' | 'reference.platform_audit',
  filter: AuditFilter,
): Promise<AuditEntry[]> {
  const rest = `($2::text is null or actor_id = $2) and ($4::timestamptz is null or at >= $4)
        and ($5::timestamptz is null or at < $5::timestamptz + interval '1 day') and ${pageAfter(table, 'at', 'id', '$6', '$7')}`;
  const isByAction = table === 'audit' && filter.action && !filter.subject;
  const source =
    table === 'audit' && filter.subject ? bySubject : isByAction ? byAction(rest) : table;
  const rows = await query<Record<string, unknown>>(
    tx,
    `select id, at, actor_type, actor_id, origin, action, subject, before::text, after::text, request_id,
       ${table === 'audit' ? 'position::text' : 'null::text as position'} from ${source}
      where ($1::text is null or starts_with(action, $1)) and ($3::text is null or subject = $3) and ${rest}
      order by at desc, id desc limit $8`,
    [
      ...valuesOf(filter),
      ...(isByAction
        ? [
            endOfPrefix(filter.action as string),
            often.filter((each) => each.startsWith(filter.action as string)),
          ]
        : []),
    ],
  );
  const parsed = (value: unknown) => (value === null ? null : JSON.parse(value as string));
  return rows.map((row) => ({
    id: row.id as string,
    at: toDate(row.at),
    actor_type: row.actor_type as string,
    actor_id: row.actor_id as string,
    origin: row.origin as string | null,
    action: row.action as string,
    subject: row.subject as string,
    before: parsed(row.before),
    after: parsed(row.after),
    request_id: row.request_id as string | null,
    position: row.position as string | null,
  }));
}
