import type { StoredProblem } from '@muhuri/shared/problems';
import type { Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import type { LanePorts } from '../lane/lane-ports.ts';
import { lockLane } from '../lane/lane.store.ts';
import { listAttempts } from '../receipt/attempt.store.ts';
import { holdTogether, listSuspects } from '../receipt/doubt.store.ts';
import { findReceipt, lockReceipt } from '../receipt/receipt.store.ts';
import type { Receipt } from '../receipt/receipt-row.ts';
import { mustBeAsSeen, type Seen } from './proposal-as-seen.ts';
import { deleteSettlement, putSettlement } from '../receipt/settlement.store.ts';
import type { Brought, Case, Evidence } from './brought-evidence.ts';
import { applyLate, type LateWord, weighLate } from './late-signature.ts';
import { keptEvidence } from './kept-evidence.ts';
import { isUnasked, verify } from './check-evidence.ts';
import { apply } from './apply-evidence.ts';

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
    within(ports, ctx, receiptId, async (of) => {
      if (brought.found === 'late') {
        const late = weighLate(ports, of, brought);
        // That the document may be sealed again is two persons' word.
        if (mayAlone(ctx) && !(brought.as === 'undone' && of.receipt.signature === null))
          return applyLate(ports, ctx, of, brought, late, { by: ctx.actor.id });
        return propose(ports, ctx, of, brought);
      }
      mustBeDoubt(of);
      const { code } = of.receipt.problem as StoredProblem;
      const evidence = brought.found === 'kept' ? keptEvidence(ports, of) : brought;
      const signature = await verify(ports, of, code, evidence);
      // Where the device is not asked, because it was retired or might sign once more, that it has
      // not signed is two persons' word. Whose the number is of several documents that held it lets
      // the others be sealed again: that is two persons' word as well.
      const needsSecond =
        evidence.found === 'other' ||
        (evidence.found === false &&
          (of.receipt.isDeviceRetired || isUnasked(of.receipt, of.attempts))) ||
        (evidence.found === true && (await listSuspects(of.tx, receiptId)).length > 0);
      if (!needsSecond && mayAlone(ctx))
        return apply(ports, ctx, of, evidence, signature, { by: ctx.actor.id });
      await propose(ports, ctx, of, evidence);
    });

const mayAlone = (ctx: Context): boolean => !ctx.permissions || ctx.permissions.includes('check');

/** It waits for a second person. */
async function propose(
  ports: LanePorts,
  ctx: Context,
  { tx, receipt, at }: Case,
  evidence: Evidence,
): Promise<void> {
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
    within(ports, ctx, receiptId, async (of) => {
      const proposal = openProposal(of.receipt);
      if (proposal.proposed_by === ctx.actor.id) throw new AppError('second_person_required');
      mustBeAsSeen(new Date(proposal.proposed_at), seen);
      const evidence = proposal.evidence as Brought | LateWord;
      const word = { by: proposal.proposed_by, confirmedBy: ctx.actor.id };
      const confirmed = () =>
        ports.record(of.tx, ctx, {
          action: 'receipt.settlement_confirmed',
          subject: receiptId,
          after: { proposed_by: proposal.proposed_by },
        });
      if (evidence.found === 'late') {
        const late = weighLate(ports, of, evidence);
        await confirmed();
        return applyLate(ports, ctx, of, evidence, late, word);
      }
      mustBeDoubt(of);
      const signature = await verify(
        ports,
        of,
        (of.receipt.problem as StoredProblem).code,
        evidence,
      );
      await confirmed();
      await apply(ports, ctx, of, evidence, signature, word);
    });

/** Either person takes it back. */
export const dropSettlement =
  (ports: LanePorts): DropSettlement =>
  (ctx, receiptId) =>
    within(ports, ctx, receiptId, async ({ tx, receipt }) => {
      const { proposed_by } = openProposal(receipt);
      await deleteSettlement(tx, receiptId);
      await ports.record(tx, ctx, {
        action: 'receipt.settlement_dropped',
        subject: receiptId,
        before: { proposed_by },
      });
    });

async function within(
  ports: LanePorts,
  ctx: Context,
  receiptId: string,
  work: (of: Case) => Promise<void>,
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
    await work({ tx, receipt, device, attempts, at });
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
