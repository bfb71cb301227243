import type { StoredProblem } from '@muhuri/shared/problems';
import type { Tx } from '../platform/db/database.ts';
import { fromJson, json, query, toDate } from '../platform/db/query.ts';

export type Alert = { id: string; subject: string; problem: StoredProblem; openedAt: Date };

const numbersIn = (problem: string) => `string_to_array(${problem}->>'invoice_number', ', ')`;
const withNumbers = (problem: string, numbers: string) =>
  `${problem} || jsonb_build_object('invoice_number', array_to_string(${numbers}, ', '))`;

/**
 * One open alert per code and subject: raised again it stays the one it is. One document may be
 * signed twice under more than one number: that of each is named in it then. Says whether something
 * in it is new.
 */
export async function insertAlert(tx: Tx, businessId: string, alert: Alert): Promise<boolean> {
  const rows = await query(
    tx,
    `insert into alert (business_id, id, code, subject, problem, opened_at) values ($1, $2, $3, $4, $5, $6)
     on conflict (business_id, code, subject) where closed_at is null do update set mailed_at = null,
       problem = ${withNumbers('alert.problem', `${numbersIn('alert.problem')} || ${numbersIn('excluded.problem')}`)}
       where alert.code = 'maybe_signed_twice' and not ${numbersIn('alert.problem')} @> ${numbersIn('excluded.problem')} returning id`,
    [businessId, alert.id, alert.problem.code, alert.subject, json(alert.problem), alert.openedAt],
  );
  return rows.length > 0;
}

/**
 * Closes what is over; where only what is about one number is, an alert that names others as well
 * stays open for those.
 */
export async function closeAlerts(
  tx: Tx,
  which: { codes: string[]; subject: string; invoiceNumber: string | null },
  at: Date,
  actorId: string,
): Promise<void> {
  if (which.invoiceNumber !== null)
    await query(
      tx,
      `update alert set problem = ${withNumbers('problem', `array_remove(${numbersIn('problem')}, $3)`)}
        where code = any($1::text[]) and subject = $2 and closed_at is null and ${numbersIn('problem')} @> array[$3] and ${numbersIn('problem')} <> array[$3]`,
      [which.codes, which.subject, which.invoiceNumber],
    );
  await query(
    tx,
    `update alert set closed_at = $3, closed_by = $4 where code = any($1::text[]) and subject = $2 and closed_at is null
       and ($5::text is null or problem->>'invoice_number' = $5)`,
    [which.codes, which.subject, at, actorId, which.invoiceNumber],
  );
}

/** Closes whatever is open about a subject or a part of it, but these. */
export const closeAlertsOf = (tx: Tx, subject: string, but: string[], at: Date, actorId: string) =>
  query(
    tx,
    `update alert set closed_at = $3, closed_by = $4
      where (subject = $1 or starts_with(subject, $1 || ':')) and closed_at is null and code <> all($2::text[])`,
    [subject, but, at, actorId],
  );

/** Closes one by its id; null where there is no open one. */
export async function closeAlertById(
  tx: Tx,
  id: string,
  at: Date,
  actorId: string,
): Promise<Alert | null> {
  const rows = await query<Row>(
    tx,
    `update alert set closed_at = $2, closed_by = $3 where id = $1 and closed_at is null returning ${columns}`,
    [id, at, actorId],
  );
  return rows[0] ? toAlert(rows[0]) : null;
}

export const listOpenAlerts = async (tx: Tx): Promise<Alert[]> =>
  (
    await query<Row>(
      tx,
      `select ${columns} from alert where closed_at is null order by opened_at, id limit 200`,
    )
  ).map(toAlert);

const columns = 'id, subject, problem, opened_at';
type Row = { id: string; subject: string; problem: unknown; opened_at: unknown };
const toAlert = (row: Row): Alert => ({
  id: row.id,
  subject: row.subject,
  problem: fromJson(row.problem),
  openedAt: toDate(row.opened_at),
});
