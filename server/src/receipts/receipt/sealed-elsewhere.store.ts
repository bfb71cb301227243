import type { Recorder } from '../../audit/index.ts';
import type { BusinessSettings } from '../../businesses/index.ts';
import type { Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import type { Tx } from '../../platform/db/database.ts';
import { fromJson, json, query, queryOne } from '../../platform/db/query.ts';
import type { BooksDocument } from '../../model/books-document.model.ts';
import type { KeptAnswers } from '../sale/user-answers.model.ts';
import type { Elsewhere } from '../sale/sale-setup.model.ts';

type Key = { module: BooksDocument['module']; documentId: string };

/** Who has said that another system sealed this document, and why; null where nobody has. */
export async function findElsewhere(
  tx: Tx,
  { module, documentId }: Key,
  isLocked = false,
): Promise<Elsewhere | null> {
  const row = await queryOne<{ elsewhere: unknown }>(
    tx,
    `select elsewhere from document where module = $1 and document_id = $2${isLocked ? ' for no key update' : ''}`,
    [module, documentId],
  );
  return fromJson<Elsewhere | null>(row?.elsewhere ?? null);
}

/**
 * Whether the document was exempt, at a look before or while it waited for one: whoever exempted it
 * may have had it sealed by another system. And whether it is sealed here, so that there is nothing
 * to ask about it.
 */
export async function findLeft(
  tx: Tx,
  { module, documentId }: Key,
): Promise<{ wasExempt: boolean; isSealed: boolean }> {
  const row = await queryOne<{ was_exempt: boolean; sealed: boolean }>(
    tx,
    'select was_exempt, sealed from document where module = $1 and document_id = $2',
    [module, documentId],
  );
  return { wasExempt: row?.was_exempt ?? false, isSealed: row?.sealed ?? false };
}

/**
 * Exempt by now, and waiting until now to be sealed by itself: whoever exempts it may have it
 * sealed by another system from here on.
 */
export async function leaveAsExempt(tx: Tx, { module, documentId }: Key): Promise<void> {
  await askAnewOf(tx, { module, documentId });
  await query(
    tx,
    'update document set exempt = true, was_exempt = true where module = $1 and document_id = $2 and not sealed',
    [module, documentId],
  );
}

/**
 * The number of an invoice that another system has sealed, as a person has said; null where nobody
 * has.
 */
export const numberOfSaleElsewhere = async (tx: Tx, documentId: string): Promise<string | null> =>
  (
    await queryOne<{ number: string | null }>(
      tx,
      "select coalesce(number, document_id) as number from document where module = 'invoices' and document_id = $1 and elsewhere is not null and not sealed",
      [documentId],
    )
  )?.number ?? null;

/**
 * The document is being sealed here after all, because a person says that no other system did: what
 * was said before is taken back with that, in the same transaction. Somebody who said so a moment
 * ago, and whom nobody has seen yet, is not overruled.
 */
export async function sealHereInstead(
  ports: { record: Recorder },
  tx: Tx,
  ctx: Context,
  key: Key,
  opened: { receiptId: string; answers: KeptAnswers },
): Promise<void> {
  const { receiptId, answers } = opened;
  const said = await findElsewhere(tx, key, true);
  if (!said) return;
  if (!answers.confirm?.includes('sealed_elsewhere') || answers.about?.elsewhere !== said.at)
    throw new AppError('sealed_elsewhere', said);
  await setElsewhere(tx, key, null);
  await ports.record(tx, ctx, {
    action: 'document.sealed_elsewhere_taken_back',
    subject: key.documentId,
    before: { module: key.module, ...said },
    after: { receipt_id: receiptId },
  });
}

export const setElsewhere = (tx: Tx, { module, documentId }: Key, elsewhere: Elsewhere | null) =>
  query(tx, 'update document set elsewhere = $3 where module = $1 and document_id = $2', [
    module,
    documentId,
    json(elsewhere),
  ]);

/**
 * Takes back what was confirmed of whether another system sealed it: it was said before something
 * else came up. Of what is under way a person has decided, and it goes on; should it be refused,
 * only what they said of an exemption does not hold for another.
 */
const askAnew = (tx: Tx, found: string, parameters: unknown[]) =>
  query(
    tx,
    `update receipt r set answers = jsonb_set(answers, '{confirm}', case when r.state in ('refused', 'withdrawn')
           then (answers->'confirm') - 'sealed_elsewhere' - 'before_production' - 'was_exempt'
         when jsonb_exists(answers->'confirm', 'sealed_elsewhere')
           then (answers->'confirm') - 'sealed_elsewhere' - 'before_production' - 'was_exempt' || '["before_production"]'
         else (answers->'confirm') - 'was_exempt' end)
       from (select q.id from receipt q ${found} order by q.id for update of q) held
      where r.id = held.id and jsonb_exists_any(r.answers->'confirm', array['sealed_elsewhere', 'before_production', 'was_exempt'])`,
    parameters,
  );

/**
 * Of what is exempt no longer: whoever confirmed that no other system sealed it said so of the time
 * before. By what its receipt or its document says of it: nobody may have looked at the document
 * since.
 */
export const askAnewOfExempt = (
  tx: Tx,
  { customer_ids, location_ids, number_prefixes }: BusinessSettings['exempt'],
) =>
  askAnew(
    tx,
    `left join document d on d.business_id = q.business_id and d.module = q.module and d.document_id = q.document_id
      where q.state <> 'signed' and jsonb_exists_any(q.answers->'confirm', array['sealed_elsewhere', 'before_production', 'was_exempt'])
        and (array[d.customer_id, q.signing_input->'sale'->>'customerId'] && $1::text[] or array[d.location_id, q.signing_input->'sale'->>'locationId'] && $2::text[]
          or exists (select 1 from unnest($3::text[]) p where starts_with(d.number, p) or starts_with(q.document_number, p)))`,
    [customer_ids, location_ids, number_prefixes],
  );

/**
 * The same of one that is found exempt, which it may be by a change in the books alone: from now on
 * another system may seal it.
 */
export const askAnewOf = (tx: Tx, { module, documentId }: Key) =>
  askAnew(tx, "where q.module = $1 and q.document_id = $2 and q.state <> 'signed'", [
    module,
    documentId,
  ]);

/**
 * The rows that say where these documents stand, held: their receipts first and then the documents,
 * as a lane that ends a send does. What was confirmed at an earlier attempt is asked again: it was
 * said before anybody knew of the other system.
 */
export async function holdForMarking(tx: Tx, keys: Key[]): Promise<void> {
  const ids = [keys.map((key) => key.module), keys.map((key) => key.documentId)];
  const found = `join unnest($1::text[], $2::text[]) k(module, document_id) on q.module = k.module and q.document_id = k.document_id
    where q.state in ('refused', 'withdrawn')`;
  await askAnew(tx, found, ids);
  await query(
    tx,
    `select 1 from document d join unnest($1::text[], $2::text[]) k(module, document_id) on d.module = k.module and d.document_id = k.document_id
      order by d.module, d.document_id for no key update of d`,
    ids,
  );
}
