import { getBusiness } from '../../businesses/index.ts';
import { readLists } from '../../catalogue/index.ts';
import type { Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import type { Tx } from '../../platform/db/database.ts';
import type { SigningInput } from '../sale/signing-input.model.ts';
import type { LanePorts, LaneWork } from '../lane/lane-ports.ts';
import { listAttempts } from '../receipt/attempt.store.ts';
import { listSuspects } from '../receipt/doubt.store.ts';
import { lockLane } from '../lane/lane.store.ts';
import { moveTo, mustBeUncontested } from '../lane/move-receipt.ts';
import { mustBeAsSeen, type Seen } from './check-proposal-version.ts';
import { isDoubtful } from '../receipt/receipt.model.ts';
import {
  findReceipt,
  findReversalReceipt,
  insertReceipt,
  lockReceipt,
} from '../receipt/receipt.store.ts';
import type { Receipt } from '../receipt/receipt-row.ts';
import { requeueReceipt } from '../receipt/requeue.store.ts';
import { openSeconds } from '../receipt/second-signature.model.ts';
import {
  confirmProposal,
  dropProposal,
  findReversal,
  isReversed,
  putProposal,
  type Reversal,
} from '../receipt/reversal.store.ts';

/*
 * The way out of a sale that the device has signed and whose data nobody can bring: one person proposes to refund it under its own
 * number, another confirms, and once that refund is signed the same document is sold under a new number. All three stay linked. The
 * authority then holds one sale more and one refund more, and nothing twice in force. Off by default, and for sales only: a refund
 * cannot be refunded.
 */
type Ports = Pick<
  LanePorts,
  'record' | 'alerts' | 'clock' | 'newId' | 'queue' | 'changed' | 'underWay'
>;
type Person = { id: string; name: string };

export type ProposeReversal = (
  ctx: Context,
  receiptId: string,
  given: { reason_code: string; source: string },
) => Promise<Receipt>;
export type ConfirmReversal = (ctx: Context, receiptId: string, seen: Seen) => Promise<Receipt>;
export type DropReversal = (ctx: Context, receiptId: string) => Promise<Receipt>;

export const proposeReversal =
  (ports: Ports): ProposeReversal =>
  (ctx, receiptId, given) =>
    within(ports, ctx, receiptId, async (tx, receipt, person) => {
      await mustBeAlone(tx, receipt);
      const reasons = (await readLists(tx, receipt.deviceId)).reason ?? [];
      if (reasons.length > 0 && !reasons.some((each) => each.code === given.reason_code))
        throw new AppError('malformed', {
          field: 'reason_code',
          reason: "not in the authority's list",
        });
      if (await isReversed(tx, receiptId)) throw new AppError('reversal_done');
      await findEndedRefund(tx, receipt, ports.clock.now());
      await putProposal(tx, ctx.businessId, {
        receiptId,
        invoiceNumber: receipt.invoiceNumber as string,
        reasonCode: given.reason_code,
        source: given.source,
        proposedBy: person.id,
        proposedName: person.name,
        proposedAt: ports.clock.now(),
      });
      await ports.record(tx, ctx, {
        action: 'receipt.reversal_proposed',
        subject: receiptId,
        after: { ...given, invoice_number: receipt.invoiceNumber },
      });
    });

/** The second person's word: the refund is opened and goes to the lane of the same device. */
export const confirmReversal =
  (ports: Ports): ConfirmReversal =>
  (ctx, receiptId, seen) =>
    within(ports, ctx, receiptId, async (tx, receipt, person) => {
      const reversal = await openProposal(tx, receiptId);
      if (reversal.proposedBy === person.id) throw new AppError('second_person_required');
      mustBeAsSeen(reversal.proposedAt, seen);
      // A proposal is about one number; the document may have got another one since, and a refund
      // under the first would undo somebody else's receipt.
      if (reversal.invoiceNumber !== receipt.invoiceNumber) throw new AppError('version_conflict');
      await mustBeAlone(tx, receipt);
      const at = ports.clock.now();
      const id = await openRefund({ ports, tx, ctx, at }, receipt, reversal, person);
      await confirmProposal(tx, receiptId, person, id, at);
      await ports.record(tx, ctx, {
        action: 'receipt.reversal_confirmed',
        subject: receiptId,
        after: {
          reversal_receipt_id: id,
          invoice_number: receipt.invoiceNumber,
          proposed_by: reversal.proposedBy,
        },
      });
      await ports.queue.wakeLane(tx, { business_id: ctx.businessId, device_id: receipt.deviceId });
    });

/** Either person takes an unconfirmed proposal back. */
export const dropReversal =
  (ports: Ports): DropReversal =>
  (ctx, receiptId) =>
    within(ports, ctx, receiptId, async (tx) => {
      const reversal = await openProposal(tx, receiptId);
      await dropProposal(tx, receiptId);
      await ports.record(tx, ctx, {
        action: 'receipt.reversal_dropped',
        subject: receiptId,
        before: { proposed_by: reversal.proposedBy },
      });
    });

async function within(
  ports: Ports,
  ctx: Context,
  receiptId: string,
  work: (tx: Tx, receipt: Receipt, person: Person) => Promise<void>,
): Promise<Receipt> {
  const { actor } = ctx;
  if (actor.type !== 'person') throw new AppError('not_allowed');
  const done = await ctx.transaction(async (tx) => {
    const found = await findReceipt(tx, receiptId);
    if (!found) throw new AppError('not_found');
    if (!(await getBusiness(tx)).settings.reversal_without_data) throw new AppError('reversal_off');
    await lockLane(tx, found.deviceId);
    const receipt = (await lockReceipt(tx, receiptId)) as Receipt;
    if (receipt.state !== 'in_doubt' || receipt.problem?.code !== 'signed_answer_lost')
      throw new AppError('wrong_state', { state: receipt.state });
    // Nothing is sent to a device that has gone: there its receipt's data come from the authority,
    // or not at all.
    if (receipt.isDeviceRetired) throw new AppError('device_retired');
    if (receipt.kind !== 'sale') throw new AppError('reversal_of_refund');
    // What came late under its number is not lost, and may be of other bytes than what the refund
    // would name.
    if (openSeconds(receipt).some((each) => each.invoiceNumber === receipt.invoiceNumber))
      mustBeUncontested(receipt);
    if (receipt.undoing) throw new AppError('reversal_under_way');
    const attempts = await listAttempts(tx, receiptId, ports.clock.now(), ports.underWay);
    // While a socket is open the data may still come.
    if (attempts.some((attempt) => attempt.endedAt === null || !attempt.isSocketClosed))
      throw new AppError('answer_may_come');
    await work(tx, receipt, actor);
    return (await findReceipt(tx, receiptId)) as Receipt;
  });
  ports.changed(receiptId);
  return done;
}

/** A refund under its number would undo whichever of them was signed. */
async function mustBeAlone(tx: Tx, { id, invoiceNumber }: Receipt): Promise<void> {
  const others = await listSuspects(tx, id);
  if (others.length > 0)
    throw new AppError('reversal_of_another', {
      invoice_number: invoiceNumber,
      others: others.join(', '),
    });
}

async function openProposal(tx: Tx, receiptId: string): Promise<Reversal> {
  const reversal = await findReversal(tx, receiptId);
  if (!reversal || reversal.confirmedBy !== null)
    throw new AppError('wrong_state', { reason: 'no open proposal' });
  return reversal;
}

/**
 * The refund that an earlier word has opened for the document, if it came to nothing. It is looked
 * for by the document: the proposal it was confirmed on may have given way to another one, and what
 * it had sent may have come into doubt since. While it waits or may be signed no other is proposed
 * or sent, and what is signed is undone in this way once.
 */
async function findEndedRefund(
  tx: Tx,
  { documentId, environment }: Receipt,
  at: Date,
): Promise<Receipt | null> {
  const found = await findReversalReceipt(tx, documentId, environment);
  if (!found) return null;
  const refund = (await lockReceipt(tx, found.id)) as Receipt;
  if (refund.state === 'signed') throw new AppError('reversal_done');
  // Taken back to another device just now, because it may be signed there.
  const isMoved = refund.movedTo !== null;
  const isOver = refund.state === 'refused' || refund.state === 'withdrawn';
  const attempts = await listAttempts(tx, refund.id, at);
  if (
    isMoved ||
    !isOver ||
    attempts.some((attempt) => attempt.endedAt === null || isDoubtful(attempt))
  )
    throw new AppError('reversal_under_way');
  // It may be signed although it was settled as not signed: a person says first what holds.
  mustBeUncontested(refund);
  return refund;
}

/**
 * The refund of exactly what was signed, as a receipt of the same document; one that was refused or
 * withdrawn before goes again.
 */
async function openRefund(
  { ports, tx, ctx, at }: LaneWork<Ports>,
  receipt: Receipt,
  reversal: Reversal,
  person: Person,
): Promise<string> {
  const { sale, terms } = receipt.filed;
  const filed: SigningInput = {
    sale: { ...sale, kind: 'refund', reasonCode: reversal.reasonCode },
    terms: {
      ...terms,
      originalInvoiceNumber: reversal.invoiceNumber,
      originalReceipt: null,
      reverses: {
        receiptId: receipt.id,
        invoiceNumber: reversal.invoiceNumber,
        word: {
          source: reversal.source,
          reasonCode: reversal.reasonCode,
          proposedBy: reversal.proposedBy,
          proposedName: reversal.proposedName,
          proposedAt: reversal.proposedAt.toISOString(),
          confirmedBy: person.id,
          confirmedName: person.name,
          confirmedAt: at.toISOString(),
        },
      },
      user: {
        id: ctx.actor.type === 'person' ? ctx.actor.membershipId.slice(-20) : 'muhuri',
        name: person.name,
      },
    },
  };
  const as = {
    filed,
    documentHash: receipt.documentHash,
    answers: { reason_code: reversal.reasonCode },
    documentNumber: receipt.documentNumber,
    documentDate: receipt.documentDate,
    branchId: receipt.branchId,
    deviceId: receipt.deviceId,
    saleReceiptId: receipt.id,
    needsRegistering: false,
  };
  const earlier = await findEndedRefund(tx, receipt, at);
  // One that was closed with a device before: a receipt never changes its device.
  if (earlier && earlier.deviceId !== receipt.deviceId)
    return moveTo({ ports, tx, ctx }, earlier, as);
  if (earlier) {
    await requeueReceipt(tx, earlier.id, as, at);
    return earlier.id;
  }
  const id = ports.newId('receipt');
  await insertReceipt(
    tx,
    ctx.businessId,
    { ...as, id, module: receipt.module, documentId: receipt.documentId, kind: 'refund' },
    at,
  );
  return id;
}
