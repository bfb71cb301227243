import type { StoredProblem } from '@muhuri/shared/problems';
import type { Dialect } from '../../ports/dialect/index.ts';
import { doubtAnother } from './doubt-another.ts';
import type { LaneWork } from './lane-ports.ts';
import { endDoubt, listOpenDoubts, listUnaskedLanes } from '../receipt/doubt.store.ts';
import { burnNumber, giveBackNumber, readAnew } from './lane.store.ts';
import { recordSigned } from '../receipt/signature.store.ts';
import {
  earlierHolders,
  listAttempts,
  listSharers,
  settleAttempts,
  settleElsewhere,
  type StoredAttempt,
} from '../receipt/attempt.store.ts';
import { isDoubtful, isFoundTaken } from '../receipt/receipt.model.ts';
import { lockReceipt, touchReceipt } from '../receipt/receipt.store.ts';
import { recordState } from '../receipt/record-state.ts';
import type { Receipt } from '../receipt/receipt-row.ts';
import type { Signature } from '../../model/sale.model.ts';
import { openSeconds, signedTwice } from '../receipt/second-signature.model.ts';
import { settleSecond } from '../receipt/second-signature.store.ts';
import { isOfDoubt } from './matches-doubt.ts';
import {
  followUp,
  pauseForStrangers,
  signedReceiptOf,
  takenOutBefore,
} from './record-signature.ts';

/**
 * Ends the doubts of all other documents about a number once it is known who was signed under it.
 * Each of them is again what it was before. It is refused, and goes under another number once
 * somebody seals it again; or it waits, if the device has refused nothing of it but the number; or
 * it is withdrawn, if a person had taken it out of the lane. The number stays where it is.
 */
export async function freeSharers(
  work: LaneWork,
  signed: { receiptId: string; deviceId: string; invoiceNumber: string },
): Promise<void> {
  const { ports, tx, ctx, at } = work;
  const { deviceId, invoiceNumber } = signed;
  const told = [
    signed.receiptId,
    ...(await earlierHolders(tx, deviceId, invoiceNumber, signed.receiptId)).map(
      (each) => each.receiptId,
    ),
  ];
  for (const receiptId of told)
    await ports.alerts.resolve(tx, ctx, receiptId, ['maybe_signed_twice'], { invoiceNumber });
  await settleElsewhere(tx, deviceId, invoiceNumber, signed.receiptId);
  for (const unasked of await listUnaskedLanes(tx))
    await ports.queue.wakeLane(tx, { business_id: ctx.businessId, device_id: unasked });
  for (const id of await listSharers(tx, deviceId, invoiceNumber, signed.receiptId)) {
    const sharer = (await lockReceipt(tx, id)) as Receipt;
    const { isDeviceRetired, filed } = sharer;
    const last = (await listAttempts(tx, id, at)).findLast(
      (attempt) => attempt.invoiceNumber === invoiceNumber && attempt.mayHaveLeft,
    );
    ports.changed(id);
    const because = {
      because: 'signed under it is another document of ours',
      receipt_id: signed.receiptId,
    };
    if (last?.outcome !== 'refused') {
      await numberAnew(work, { id, deviceId, invoiceNumber, isDeviceRetired }, because);
      continue;
    }
    await settleAttempts(tx, id, 'not_ours', { invoiceNumber });
    const refusal: StoredProblem = isDeviceRetired
      ? { code: 'device_retired' }
      : {
          code: 'device_refused',
          device_code: last.deviceCode ?? '',
          device_text: last.deviceText ?? '',
        };
    const after = takenOutBefore(sharer) ?? { state: 'refused' as const, problem: refusal };
    await recordState(tx, id, { ...after, about: invoiceNumber }, at);
    await endDoubt(tx, id);
    const goesOn = await doubtAnother(work, sharer);
    await ports.record(tx, ctx, {
      action: 'receipt.settled_not_ours',
      subject: id,
      before: { invoice_number: invoiceNumber },
      after: because,
    });
    if (!goesOn) await endReversal(work, { id, filed }, after.problem ?? refusal);
  }
}

/**
 * Resolves the alert *two open doubts* once fewer than two documents may be signed: the lane no
 * longer waits for them.
 */
export async function afterDoubt(work: Omit<LaneWork, 'at'>, deviceId: string): Promise<void> {
  const { ports, tx, ctx } = work;
  const open = (await listOpenDoubts(tx, deviceId)).filter(
    (doubt) => doubt.code === 'maybe_signed',
  );
  if (open.length < 2) await ports.alerts.resolve(tx, ctx, deviceId, ['two_open_doubts']);
}

/**
 * Ends a doubt as *not signed*. The document is refused, or withdrawn as before its doubt, and its
 * number returns.
 */
export async function settleNotSigned(
  work: LaneWork,
  receipt: Receipt,
  problem: StoredProblem,
  how: string,
): Promise<void> {
  const { ports, tx, ctx, at } = work;
  await settleAttempts(tx, receipt.id, 'not_signed', {
    invoiceNumber: receipt.invoiceNumber as string,
  });
  await giveBackNumber(tx, receipt.deviceId, receipt.invoiceNumber as string);
  await recordState(
    tx,
    receipt.id,
    { ...(takenOutBefore(receipt) ?? { state: 'refused', problem }), about: receipt.invoiceNumber },
    at,
  );
  await endDoubt(tx, receipt.id);
  const goesOn = await doubtAnother(work, receipt);
  await afterDoubt(work, receipt.deviceId);
  await ports.record(tx, ctx, {
    action: 'receipt.settled_not_signed',
    subject: receipt.id,
    before: { invoice_number: receipt.invoiceNumber },
    after: { how, ...problem },
  });
  if (!goesOn) await endReversal(work, receipt, problem);
}

/**
 * Ends a doubt whose number holds the receipt of another document. The document goes again under
 * its next number, unless it had been taken out of its lane before. At a retired device nothing
 * waits: sealed again, the document goes to the device that followed.
 */
export async function numberAnew(
  work: LaneWork,
  receipt: { id: string; deviceId: string; invoiceNumber: string; isDeviceRetired: boolean },
  because: object,
): Promise<void> {
  const { ports, tx, ctx, at } = work;
  const { id, deviceId, invoiceNumber } = receipt;
  await settleAttempts(tx, id, 'not_ours', { invoiceNumber });
  const goesAgain = receipt.isDeviceRetired
    ? { state: 'refused' as const, problem: { code: 'device_retired' as const } }
    : { state: 'queued' as const, problem: null };
  const after = takenOutBefore((await lockReceipt(tx, id)) as Receipt) ?? goesAgain;
  await recordState(tx, id, { ...after, about: invoiceNumber }, at);
  await readAnew(tx, id);
  await endDoubt(tx, id);
  const goesOn = await doubtAnother(work, receipt);
  await afterDoubt(work, deviceId);
  await ports.record(tx, ctx, {
    action: 'receipt.settled_not_ours',
    subject: id,
    before: { invoice_number: invoiceNumber },
    after: because,
  });
  if (after.problem && !goesOn)
    await endReversal(work, (await lockReceipt(tx, id)) as Receipt, after.problem);
}

/**
 * Ends a reversal whose refund will not be signed, with what was said of that refund. A signature
 * of the sale that was heard meanwhile becomes its receipt, if it is of what would be filed;
 * otherwise a person finds out.
 */
export async function endReversal(
  work: LaneWork,
  refund: Pick<Receipt, 'id' | 'filed'>,
  problem: StoredProblem,
): Promise<void> {
  const { ports, tx, ctx, at } = work;
  const { reverses } = refund.filed.terms;
  if (!reverses) return;
  const { receiptId, invoiceNumber } = reverses;
  const original = (await lockReceipt(tx, receiptId)) as Receipt;
  const about = { reversal_receipt_id: refund.id };
  await ports.record(tx, ctx, {
    action: 'receipt.reversal_ended',
    subject: receiptId,
    before: { invoice_number: invoiceNumber },
    after: { ...about, ...problem },
  });
  // Whoever looks at the sale sees that it is over.
  await touchReceipt(tx, receiptId, at);
  ports.changed(receiptId);
  const late = openSeconds(original).find((each) => each.invoiceNumber === invoiceNumber);
  if (!late) return;
  if (!isOfDoubt(original, await listAttempts(tx, receiptId, at), late))
    return ports.alerts.raise(tx, ctx, receiptId, signedTwice(original));
  const dialect = ports.dialects.of(original.dialect);
  await settleSecond(tx, receiptId, late.receiptSignature, { as: 'receipt', evidence: about, at });
  await ports.record(tx, ctx, {
    action: 'receipt.late_signature_settled',
    subject: receiptId,
    before: { state: original.state, invoice_number: invoiceNumber },
    after: { as: 'receipt', ...about },
  });
  await takeLate({ ...work, dialect }, original, late, late);
}

/**
 * Tells people that a document which has its receipt may be signed under another number as well.
 * The device is not asked about that number any more. If the device has not said that the number
 * is used, it is given to nobody. `before`: the sends of the document before its receipt was
 * recorded.
 */
export async function tellOfOthers(
  work: Omit<LaneWork, 'at'>,
  receipt: Receipt,
  invoiceNumber: string,
  before: StoredAttempt[],
): Promise<void> {
  const { ports, tx, ctx } = work;
  const others = before.filter((each) => each.invoiceNumber !== invoiceNumber && isDoubtful(each));
  for (const number of new Set(others.map((each) => each.invoiceNumber))) {
    await ports.alerts.raise(tx, ctx, receipt.id, {
      code: 'maybe_signed_twice',
      document_number: receipt.documentNumber,
      invoice_number: number,
    });
    if (!others.some((each) => each.invoiceNumber === number && isFoundTaken(each)))
      await burnNumber(tx, receipt.deviceId, number);
  }
}

/** Records a late signature as its document's receipt, which ends the doubt. */
export async function takeLate(
  work: LaneWork & { dialect: Dialect },
  receipt: Receipt,
  sent: { attemptId: string; invoiceNumber: string },
  signature: Signature,
): Promise<void> {
  const { tx, ctx, at } = work;
  const { id: receiptId, deviceId, environment } = receipt;
  const before = await listAttempts(tx, receiptId, at);
  await recordSigned(tx, ctx.businessId, {
    ...signedReceiptOf(work, receipt, sent, signature),
    source: 'late_answer',
  });
  await tellOfOthers(work, receipt, sent.invoiceNumber, before);
  await endDoubt(tx, receiptId);
  await freeSharers(work, { receiptId, deviceId, invoiceNumber: sent.invoiceNumber });
  await followUp(work, receipt);
  await afterDoubt(work, deviceId);
  await pauseForStrangers(work, {
    id: deviceId,
    environment,
    state: receipt.isDeviceRetired ? 'retired' : 'active',
  });
}
