import { storable } from '@muhuri/shared/text';
import type { Tx } from './database.ts';
import { unread } from './pipelining.ts';

/**
 * One statement inside an open transaction, with `$1` parameters. Columns are read as text where
 * drivers disagree (numeric, bigint, timestamps): statements cast (`::text`) or use the readers
 * below.
 */
export async function query<Row = Record<string, unknown>>(
  tx: Tx,
  text: string,
  parameters: unknown[] = [],
): Promise<Row[]> {
  const kysely = tx.getKysely() as unknown as {
    executeQuery(compiled: {
      sql: string;
      parameters: unknown[];
      query: { kind: string };
      queryId: { queryId: string };
    }): Promise<{ rows: unknown[] }>;
  };
  const { rows } = await kysely.executeQuery({
    sql: text,
    parameters: parameters.map(toDatabase),
    query: { kind: 'RawNode' },
    queryId: { queryId: 'muhuri' },
  });
  return rows as Row[];
}

/**
 * A statement whose rows nobody reads, sent without waiting for it: it goes along with what comes
 * next. It counts as done once the transaction has committed; where it fails, the transaction does,
 * and whoever asks next, or commits, is told why.
 */
export const sendWithoutWaiting = async (
  tx: Tx,
  text: string,
  parameters: unknown[] = [],
): Promise<void> => {
  await query(tx, unread + text, parameters);
};

/**
 * A statement sent without waiting for it, whose rows are read once what comes after it has been
 * sent too: one wait for both.
 */
export const sendAhead = async <Row = Record<string, unknown>>(
  tx: Tx,
  text: string,
  parameters: unknown[] = [],
): Promise<{ rows: Promise<Row[]> }> => {
  const [sent] = await query<{ later: Promise<Row[]> }>(tx, unread + text, parameters);
  return { rows: (sent as { later: Promise<Row[]> }).later };
};

/** The first row, or null. */
export async function queryOne<Row = Record<string, unknown>>(
  tx: Tx,
  text: string,
  parameters: unknown[] = [],
): Promise<Row | null> {
  return (await query<Row>(tx, text, parameters))[0] ?? null;
}

/** Marks a value for a jsonb column. */
export const json = (value: unknown) => new AsJson(value);

class AsJson {
  readonly value: unknown;
  constructor(value: unknown) {
    this.value = value;
  }
}

/**
 * The last door: whatever slipped through the others, no text is ever the reason that a fact is not
 * written down. PostgreSQL refuses U+0000 in any text and lone halves of surrogate pairs in JSON;
 * both are replaced here, and bytes are never touched.
 */
const toDatabase = (value: unknown): unknown => {
  if (typeof value === 'string')
    return value.includes('\u0000') || !value.isWellFormed() ? storable(value) : value;
  if (value instanceof AsJson)
    return value.value === null || value.value === undefined ? null : toJson(value.value);
  if (Array.isArray(value)) return value.map(toDatabase);
  return value instanceof Date ? value.toISOString() : value === undefined ? null : value;
};

/** A string, or an object's keys; what stands within is asked about by itself. */
function storableOf(value: unknown): unknown {
  if (typeof value === 'string') return storable(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const keys = Object.keys(value);
  return keys.every((key) => storable(key) === key)
    ? value
    : Object.fromEntries(Object.entries(value).map(([key, each]) => [storable(key), each]));
}

function toJson(value: unknown): string {
  const text = JSON.stringify(value);
  // Only what is escaped can be one of these; almost nothing is.
  return text.includes('\\u')
    ? JSON.stringify(value, (_key, each: unknown) => storableOf(each))
    : text;
}

/** Reads a timestamptz however the driver gives it. */
export const toDate = (value: unknown): Date =>
  value instanceof Date
    ? value
    : new Date(
        String(value)
          .replace(' ', 'T')
          .replace(/([+-]\d\d)$/, '$1:00'),
      );
export const toDateOrNull = (value: unknown): Date | null =>
  value === null || value === undefined ? null : toDate(value);
/** Reads a jsonb column however the driver gives it. */
export const fromJson = <T>(value: unknown): T =>
  typeof value === 'string' ? (JSON.parse(value) as T) : (value as T);
