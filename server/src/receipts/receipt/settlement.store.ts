import type { Tx } from '../../platform/db/database.ts';
import { json, query } from '../../platform/db/query.ts';

export const putSettlement = (
  tx: Tx,
  businessId: string,
  receiptId: string,
  proposal: { evidence: unknown; by: { id: string; name: string } },
  at: Date,
) =>
  query(
    tx,
    `insert into settlement (business_id, receipt_id, evidence, proposed_by, proposed_name, proposed_at) values ($1, $2, $3, $4, $5, $6)
     on conflict (business_id, receipt_id) do update set evidence = excluded.evidence, proposed_by = excluded.proposed_by,
       proposed_name = excluded.proposed_name, proposed_at = excluded.proposed_at`,
    [businessId, receiptId, json(proposal.evidence), proposal.by.id, proposal.by.name, at],
  );

export const deleteSettlement = (tx: Tx, receiptId: string) =>
  query(tx, 'delete from settlement where receipt_id = $1', [receiptId]);
