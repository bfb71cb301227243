import { isExempt } from '../../businesses/business.model.ts';
import type { LaneHead } from './lane.model.ts';
import type { SigningInput } from '../sale/signing-input.model.ts';

export const inBooks = ({ sale }: SigningInput): Parameters<typeof isExempt>[1] => ({
  number: sale.documentNumber,
  customer: { id: sale.customerId },
  locationId: sale.locationId ?? null,
});

/**
 * What keeps a document that was opened by itself, and of which nothing has left yet, from being
 * sealed by itself now: the business has exempted it since, or wants nothing sealed by itself any
 * more. Whoever says so means what waits as well: what is signed cannot be taken back, what is left
 * aside is a press. So one that no person has asked for, and of which servers of before did not say
 * whether a program has, counts as opened by itself where it is exempt; where nothing is to be
 * sealed by itself any more, what programs ask for goes on.
 */
export function keptFromItself(
  { byItself, filed }: LaneHead,
  settings: LaneHead['byItself'],
  document: Parameters<typeof isExempt>[1],
): 'exempted_in_queue' | 'auto_seal_ended' | null {
  if (!byItself || !settings) return null;
  if (isExempt(settings, document)) return 'exempted_in_queue';
  return settings.auto_seal === 'off' && filed.terms.openedByItself === true
    ? 'auto_seal_ended'
    : null;
}
