import { type Fix, type ProblemCode, problems } from '@muhuri/shared/problems';
import type { AuditListener } from '../audit/index.ts';
import type { Clock } from '../platform/clock.ts';
import { makeDueAgain } from './document.store.ts';

/** What an entry of the trail may have mended, by what the problem's next step is. */
const mended: Record<string, Fix[]> = {
  'mapping.set': ['mapping'],
  'business.changed': ['device', 'zoho', 'person'],
  'business.activated': ['device', 'person'],
  'business.configured': ['zoho', 'mapping', 'person'],
  'setup.business': ['device', 'zoho', 'person'],
  'branch.added': ['mapping', 'device'],
  'device.initialised': ['device', 'mapping'],
  'device.adopted': ['device', 'mapping'],
  'device.switched': ['device', 'mapping', 'person'],
  'receipt.refund_taken_over': ['person'],
  'lists.changed': ['mapping', 'zoho'],
};

/**
 * What an entry changes for the refunds of a document alone: everything else that waits for a
 * person is left as it is, there may be a lot of it.
 */
const ofRefunds: Record<string, ProblemCode[]> = {
  'document.sealed_elsewhere': ['refund_sale_unsigned'],
  'document.sealed_elsewhere_taken_back': ['refund_sale_elsewhere'],
};

const codesOf = (fixes: Fix[]): ProblemCode[] =>
  (Object.keys(problems) as ProblemCode[]).filter((code) => fixes.includes(problems[code].fix));

/**
 * Follows the trail: what kept documents from being sealed may have been mended by what was just
 * changed here, and nothing in Zoho would say so. They are looked at once more, and what no longer
 * stands in the way is sealed by itself, where the business lets it be.
 */
export const retryAfterFix =
  (ports: { clock: Clock; touch(businessId: string): void }): AuditListener =>
  async (tx, ctx, entries) => {
    const fixes = [...new Set(entries.flatMap((entry) => mended[entry.action] ?? []))];
    const codes = [...codesOf(fixes), ...entries.flatMap((entry) => ofRefunds[entry.action] ?? [])];
    if (codes.length === 0) return;
    const isConfigured = entries.some((entry) => entry.action === 'business.configured');
    // Nothing stood in the way of a refund that nobody has begun; whether the device that follows
    // takes it is another question.
    const isSwitched = entries.some((entry) => entry.action === 'device.switched');
    await makeDueAgain(
      tx,
      { codes, withExempt: isConfigured, withRefunds: isSwitched },
      ports.clock.now(),
    );
    // What was mended may have made documents due by itself, too.
    ports.touch(ctx.businessId);
  };
