import { type AttemptFact, isDoubtful } from '@muhuri/server/receipts/receipt.model';
import type { World } from './world.ts';

export type StateAndFacts = { id: string; state: string; isSigned: boolean; isDoubtful: boolean };

/** Every receipt of the first business: what its column says, and what its signature and sends say. */
export async function statesAndFacts(world: World): Promise<StateAndFacts[]> {
  const { businessId } = world.businesses[0];
  const receipts = await world.sql(
    'select r.id, r.state, s.receipt_id is not null as signed from receipt r left join signature s on s.business_id = r.business_id and s.receipt_id = r.id',
    [],
    businessId,
  );
  const attempts = await world.sql('select receipt_id, outcome, settled from attempt', [], businessId);
  const facts = (id: unknown) => attempts.filter((each) => each.receipt_id === id).map((each) => ({ ...each, isWorkerGone: true }) as unknown as AttemptFact);
  return receipts.map((row) => ({
    id: row.id as string,
    state: row.state as string,
    isSigned: row.signed as boolean,
    isDoubtful: facts(row.id).some(isDoubtful),
  }));
}

/** Receipts whose column says something else than their facts: signed and doubtful must hold in both directions. */
export const disagreeing = (all: StateAndFacts[]): StateAndFacts[] =>
  all.filter((each) => (each.state === 'signed') !== each.isSigned || (each.state === 'in_doubt') !== (each.isDoubtful && !each.isSigned));
