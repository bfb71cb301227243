import { type AttemptFact, isDoubtful } from '@muhuri/server/receipts/receipt/receipt.model';
import type { World } from './world.ts';

export type StateAndFacts = { id: string; state: string; isSigned: boolean; isDoubtful: boolean };

/**
 * Every receipt of the first business: what its column says, and what its signature and sends say.
 */
export async function statesAndFacts(world: World): Promise<StateAndFacts[]> {
  const { businessId } = world.businesses[0];
  // One statement sees one moment: of two, the second would see what was sent after the first.
  const receipts = await world.sql(
    `select r.id, r.state, r.moved_to, s.receipt_id is not null as signed,
            coalesce((select json_agg(json_build_object('outcome', a.outcome, 'resolution', a.resolution)) from attempt a where a.receipt_id = r.id), '[]') as attempts
       from receipt r left join signature s on s.business_id = r.business_id and s.receipt_id = r.id`,
    [],
    businessId,
  );
  // Where all is quiet a send without an end is a doubt nobody has said yet.
  const mayBeSigned = (sent: AttemptFact) =>
    isDoubtful(sent) || (sent.outcome === null && sent.resolution === null);
  return receipts.map((row) => ({
    id: row.id as string,
    state: row.state as string,
    isSigned: row.signed as boolean,
    // Of what was moved the receipt that stands is in doubt, or will be.
    isDoubtful: row.moved_to === null && (row.attempts as AttemptFact[]).some(mayBeSigned),
  }));
}

/**
 * Receipts whose column says something else than their facts: signed and doubtful must hold in both
 * directions.
 */
export const disagreeing = (all: StateAndFacts[]): StateAndFacts[] =>
  all.filter(
    (each) =>
      (each.state === 'signed') !== each.isSigned ||
      (each.state === 'in_doubt') !== (each.isDoubtful && !each.isSigned),
  );
