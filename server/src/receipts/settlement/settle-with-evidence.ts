import type { Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import type { LanePorts } from '../lane/lane-ports.ts';
import { lockLane } from '../lane/lane.store.ts';
import { listAttempts } from '../receipt/attempt.store.ts';
import { holdTogether, listSuspects } from '../receipt/doubt.store.ts';
import { findReceipt, lockReceipt } from '../receipt/receipt.store.ts';
import type { Receipt } from '../receipt/receipt-row.ts';
import { mustBeAsSeen, type Seen } from './check-proposal-version.ts';
import { deleteSettlement, putSettlement } from '../receipt/settlement.store.ts';
import type { Brought, Evidence } from './evidence.model.ts';
import { type Case, doubtOf } from './settlement-case.ts';
import { applyLate, type LateWord, weighLate } from './late-signature.ts';
import { keptEvidence } from './evidence-from-answer.ts';
import { checkEvidence } from './check-evidence.ts';
import { needsSecondWord } from './check-evidence.model.ts';
import { applyEvidence } from './apply-evidence.ts';

export type SettleWithEvidence = (
  ctx: Context,
  receiptId: string,
  evidence: Evidence,
) => Promise<Receipt>;
export type ConfirmSettlement = (ctx: Context, receiptId: string, seen: Seen) => Promise<Receipt>;
export type DropSettlement = (ctx: Context, receiptId: string) => Promise<Receipt>;

/**
 * A person with the right to settle brings what the authority holds. It is checked against what can
 * be known here, and what is stored names its source in the trail. Whoever may not `check` needs a
 * second person's confirmation, and so does everybody who says that the number is another
 * program's: the document is then numbered anew.
 */
export const settleWithEvidence =
  (ports: LanePorts): SettleWithEvidence =>
  (ctx, receiptId, brought) =>
    withCase(ports, ctx, receiptId, async (settling) => {
      if (brought.found === 'late') return settleLate(settling, brought);
      mustBeDoubt(settling);
      const evidence = brought.found === 'kept' ? keptEvidence(settling) : brought;
      const signature = await checkEvidence(settling, evidence);
      if (mayAlone(ctx) && !(await isSecondNeeded(settling, evidence)))
        return applyEvidence(settling, evidence, signature, { by: ctx.actor.id });
      await propose(settling, evidence);
    });

async function settleLate(settling: Case, word: LateWord): Promise<void> {
  const { ctx, receipt } = settling;
  const late = weighLate(settling, word);
  // That the document may be sealed again is two persons' word.
  if (mayAlone(ctx) && !(word.as === 'undone' && receipt.signature === null))
    return applyLate(settling, word, late, { by: ctx.actor.id });
  return propose(settling, word);
}

/**
 * Says whether a second person's word is needed. Whose the number is of several documents that held
 * it lets the others be sealed again: that is two persons' word as well.
 */
const isSecondNeeded = async (settling: Case, evidence: Brought): Promise<boolean> =>
  needsSecondWord(evidence, doubtOf(settling)) ||
  (evidence.found === true && (await listSuspects(settling.tx, settling.receipt.id)).length > 0);

const mayAlone = (ctx: Context): boolean => !ctx.permissions || ctx.permissions.includes('check');

/** It waits for a second person. */
async function propose({ ports, tx, ctx, receipt, at }: Case, evidence: Evidence): Promise<void> {
  const { id } = ctx.actor;
  const name = 'name' in ctx.actor ? ctx.actor.name : id;
  await putSettlement(tx, ctx.businessId, receipt.id, { evidence, by: { id, name } }, at);
  await ports.record(tx, ctx, {
    action: 'receipt.settlement_proposed',
    subject: receipt.id,
    after: evidence,
  });
}

/** The second person's word: what the first one brought is looked at once more, and holds. */
export const confirmSettlement =
  (ports: LanePorts): ConfirmSettlement =>
  (ctx, receiptId, seen) =>
    withCase(ports, ctx, receiptId, async (settling) => {
      const proposal = openProposal(settling.receipt);
      if (proposal.proposed_by === ctx.actor.id) throw new AppError('second_person_required');
      mustBeAsSeen(new Date(proposal.proposed_at), seen);
      const evidence = proposal.evidence as Brought | LateWord;
      const word = { by: proposal.proposed_by, confirmedBy: ctx.actor.id };
      const recordConfirmed = () =>
        ports.record(settling.tx, ctx, {
          action: 'receipt.settlement_confirmed',
          subject: receiptId,
          after: { proposed_by: proposal.proposed_by },
        });
      if (evidence.found === 'late') {
        const late = weighLate(settling, evidence);
        await recordConfirmed();
        return applyLate(settling, evidence, late, word);
      }
      mustBeDoubt(settling);
      const signature = await checkEvidence(settling, evidence);
      await recordConfirmed();
      await applyEvidence(settling, evidence, signature, word);
    });

/** Either person takes it back. */
export const dropSettlement =
  (ports: LanePorts): DropSettlement =>
  (ctx, receiptId) =>
    withCase(ports, ctx, receiptId, async ({ tx, receipt }) => {
      const { proposed_by } = openProposal(receipt);
      await deleteSettlement(tx, receiptId);
      await ports.record(tx, ctx, {
        action: 'receipt.settlement_dropped',
        subject: receiptId,
        before: { proposed_by },
      });
    });

/** Does something about a doubt, or an open late signature, under the locks it needs. */
async function withCase(
  ports: LanePorts,
  ctx: Context,
  receiptId: string,
  work: (settling: Case) => Promise<void>,
): Promise<Receipt> {
  const settled = await ctx.transaction(async (tx) => {
    const found = await findReceipt(tx, receiptId);
    if (!found) throw new AppError('not_found');
    const device = await lockLane(tx, found.deviceId);
    await holdTogether(tx, found.deviceId, found.invoiceNumber, [receiptId]);
    const receipt = (await lockReceipt(tx, receiptId)) as Receipt;
    if (!device || !(receipt.isContested || isDoubt(receipt)))
      throw new AppError('wrong_state', { state: receipt.state });
    // Once its reversal is on the way the data come too late: recorded now, the document would
    // stand for nothing.
    if (receipt.undoing) throw new AppError('reversal_under_way');
    const at = ports.clock.now();
    const attempts = await listAttempts(tx, receiptId, at, ports.underWay);
    if (attempts.some((attempt) => attempt.endedAt === null))
      throw new AppError('wrong_state', { reason: 'a send is under way' });
    await work({ ports, tx, ctx, at, receipt, device, attempts });
    return (await findReceipt(tx, receiptId)) as Receipt;
  });
  ports.changed(receiptId);
  return settled;
}

const isDoubt = (receipt: Receipt): boolean =>
  receipt.state === 'in_doubt' &&
  receipt.invoiceNumber !== null &&
  receipt.problem?.code !== 'number_collision';

function mustBeDoubt({ receipt, attempts }: Case): void {
  if (!isDoubt(receipt) || attempts.length === 0)
    throw new AppError('wrong_state', { state: receipt.state });
}

function openProposal(receipt: Receipt): NonNullable<Receipt['settlement']> {
  if (!receipt.settlement) throw new AppError('wrong_state', { reason: 'no open proposal' });
  return receipt.settlement;
}
