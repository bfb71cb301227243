import { compare } from '@muhuri/shared/money';
import type { StoredProblem } from '@muhuri/shared/problems';
import type { Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import type { Tx } from '../../platform/db/database.ts';
import { doubtOrphans } from '../lane/doubt-orphans.ts';
import {
  afterDoubt,
  doubtEarlier,
  followUp,
  freeSharers,
  numberAnew,
  pauseForStrangers,
  recordingOf,
  settleNotSigned,
  tellOfOthers,
} from '../lane/record-outcome.ts';
import type { LanePorts } from '../lane/lane-ports.ts';
import { findKeptSignature } from '../lane/find-kept-signature.ts';
import {
  burnNumber,
  giveBackNumber,
  type LaneDevice,
  lockLane,
  readAnew,
} from '../lane/lane.store.ts';
import {
  earlierHolders,
  listAttempts,
  settleClosedNotOurs,
  type StoredAttempt,
} from '../receipt/attempt.store.ts';
import { endDoubt, holdTogether, listSuspects } from '../receipt/doubt.store.ts';
import {
  explainTotals,
  isSignatureKnown,
  isTotalKnown,
  recordSigned,
} from '../receipt/signature.store.ts';
import { findReceipt, lockReceipt, type Receipt } from '../receipt/receipt.store.ts';
import { mustBeAsSeen, type Seen } from './proposal-as-seen.ts';
import { isDoubtful, lastUnder, provablyNotLeft } from '../receipt/receipt.model.ts';
import type { Signature } from '../../model/sale.model.ts';
import { openSeconds, type SecondSignature } from '../receipt/second-signature.model.ts';
import { settleSecond } from '../receipt/second-signature.store.ts';
import { deleteSettlement, putSettlement } from '../receipt/settlement.store.ts';

export type Evidence =
  | {
      found: true;
      source: string;
      receipt_number: string;
      total_receipt_number: string;
      internal_data: string;
      receipt_signature: string;
      sdc_id: string;
      mrc_number?: string | undefined;
      signed_at: string;
      /** What else stands on the authority's page; checked against ours where it is given. */
      invoice_number?: string | undefined;
      buyer_tin?: string | undefined;
      total?: string | undefined;
    }
  /** The device itself said so: a whole signature stands in an answer of it that we keep. */
  | { found: 'kept' }
  /**
   * It holds nothing under the number; of a device that was retired with when that was looked up,
   * and that the device uploads nothing any more.
   */
  | {
      found: false;
      source: string;
      listed_at?: string | undefined;
      cannot_upload?: true | undefined;
    }
  /**
   * It holds something under the number, and that is not our document: another program has used it.
   * Of a device that was retired as above.
   */
  | {
      found: 'other';
      source: string;
      listed_at?: string | undefined;
      cannot_upload?: true | undefined;
    }
  /**
   * Of a signature that came late: it is the document's receipt, or it was refunded or cancelled at
   * the authority.
   */
  | { found: 'late'; receipt_signature: string; as: 'receipt' | 'undone'; source: string };

export type SettleWithEvidence = (
  ctx: Context,
  receiptId: string,
  evidence: Evidence,
) => Promise<Receipt>;
export type ConfirmSettlement = (ctx: Context, receiptId: string, seen: Seen) => Promise<Receipt>;
export type DropSettlement = (ctx: Context, receiptId: string) => Promise<Receipt>;

/** As a person gives it, or as it stands after a kept answer was read. */
type Brought = Exclude<Evidence, { found: 'kept' | 'late' }>;
type LateWord = Evidence & { found: 'late' };
type Offer = Omit<Case, 'device'> & { device: Pick<LaneDevice, 'sdcId' | 'environment'> };
type Case = { tx: Tx; receipt: Receipt; device: LaneDevice; attempts: StoredAttempt[]; at: Date };
/** Who says so, and who confirmed it where that was needed. */
type Word = { by: string; confirmedBy?: string };

// Clocks of server and device differ a little.
const clockSlackMs = 10 * 60_000;
/**
 * A VSDC signs for a day without its authority; twice that, and what it signed has arrived or never
 * will.
 */
const uploadMs = 48 * 3_600_000;

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
      if (proposal.proposed_by === ctx.actor.id) throw new AppError('second_person_needed');
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

/**
 * Refuses what cannot be said of a late signature, and answers it. It is the document's receipt
 * only where there is no other, where nothing else of the document may be signed, and where what
 * would be filed is what was sent: the document may have been read anew since.
 */
function weighLate(
  ports: Pick<LanePorts, 'dialects'>,
  { receipt, attempts }: Case,
  { receipt_signature, as }: LateWord,
): SecondSignature {
  const late = openSeconds(receipt).find((each) => each.receiptSignature === receipt_signature);
  if (!late) throw new AppError('wrong_state', { reason: 'no late signature of it is open' });
  if (as === 'undone') return late;
  if (receipt.signature) throw new AppError('wrong_state', { state: receipt.state });
  if (
    attempts.some((attempt) => attempt.invoiceNumber !== late.invoiceNumber && isDoubtful(attempt))
  )
    throw new AppError('wrong_state', { reason: 'it may be signed under another number as well' });
  if (receipt.invoiceNumber !== null && receipt.invoiceNumber !== late.invoiceNumber) {
    const own = attempts.filter((attempt) => attempt.invoiceNumber === receipt.invoiceNumber);
    if (!provablyNotLeft(own))
      throw new AppError('wrong_state', {
        reason: 'something of it has left under another number',
      });
  }
  const { filing, sale } = receipt.filed;
  const sent = attempts.find((attempt) => attempt.id === late.attemptId);
  const first = attempts.find((attempt) => attempt.request === sent?.request);
  const asFiled = ports.dialects.of(receipt.dialect).sell.toBody(sale, {
    ...filing,
    invoiceNumber: late.invoiceNumber,
    at: first?.startedAt ?? late.heardAt,
  });
  if (asFiled !== sent?.request)
    throw new AppError('late_signature_differs', { field: 'as', module: receipt.module });
  return late;
}

async function applyLate(
  ports: LanePorts,
  ctx: Context,
  of: Case,
  evidence: LateWord,
  late: SecondSignature,
  word: Word,
): Promise<void> {
  const { tx, receipt, device, at } = of;
  const { found: _, ...said } = evidence;
  await deleteSettlement(tx, receipt.id);
  const told = {
    ...said,
    by: word.by,
    ...(word.confirmedBy ? { confirmed_by: word.confirmedBy } : {}),
  };
  await settleSecond(tx, receipt.id, late.receiptSignature, {
    as: evidence.as,
    evidence: told,
    at,
  });
  await ports.record(tx, ctx, {
    action: 'receipt.late_signature_settled',
    subject: receipt.id,
    before: { state: receipt.state, invoice_number: receipt.invoiceNumber },
    after: { ...told, invoice_number: late.invoiceNumber },
  });
  if (evidence.as === 'receipt') {
    if (receipt.invoiceNumber !== null && receipt.invoiceNumber !== late.invoiceNumber)
      await giveBackNumber(tx, receipt.deviceId, receipt.invoiceNumber);
    await recordSigned(tx, ctx.businessId, {
      ...recordingOf(ports, ports.dialects.of(receipt.dialect), receipt, late, late, null, at),
      source: 'late_answer',
      evidence: told,
      actor: { type: ctx.actor.type, id: ctx.actor.id },
    });
    await endDoubt(tx, receipt.id);
    await freeSharers(
      ports,
      tx,
      ctx,
      { receiptId: receipt.id, deviceId: receipt.deviceId, invoiceNumber: late.invoiceNumber },
      at,
    );
    await followUp(ports, tx, ctx, receipt, at);
    await afterDoubt(ports, tx, ctx, receipt.deviceId);
  } else if (receipt.state === 'queued') {
    await readAnew(tx, receipt.id);
  } else if (
    ['signed_answer_lost', 'maybe_signed_under_either'].includes(receipt.problem?.code ?? '') &&
    receipt.invoiceNumber === late.invoiceNumber
  ) {
    // It is this signature that the device has under the number, and nothing that was sent since.
    await numberAnew(
      ports,
      tx,
      ctx,
      { ...receipt, invoiceNumber: late.invoiceNumber },
      { source: said.source, ...word },
      at,
    );
  }
  if (openSeconds(receipt).length === 1)
    await ports.alerts.resolve(tx, ctx, receipt.id, ['signed_twice']);
  await pauseForStrangers(ports, tx, ctx, device);
  await ports.queue.wakeLane(tx, { business_id: ctx.businessId, device_id: receipt.deviceId });
}

function openProposal(receipt: Receipt): NonNullable<Receipt['settlement']> {
  if (!receipt.settlement) throw new AppError('wrong_state', { reason: 'no open proposal' });
  return receipt.settlement;
}

/**
 * What stands in the kept answer, as if a person had copied it: judged, told and confirmed like
 * everything that one brings.
 */
function keptEvidence(
  ports: Pick<LanePorts, 'dialects'>,
  { receipt, attempts }: Pick<Case, 'receipt' | 'attempts'>,
): Brought & { found: true } {
  const kept = findKeptSignature(
    ports.dialects.of(receipt.dialect),
    attempts,
    receipt.invoiceNumber,
  );
  if (!kept)
    throw new AppError('wrong_state', { reason: 'no answer that is kept holds a whole signature' });
  const { signature: s } = kept;
  return {
    found: true,
    source: `the device’s own answer, kept with the send ${kept.attemptId}`,
    receipt_number: s.receiptNumber,
    total_receipt_number: s.totalReceiptNumber,
    internal_data: s.internalData,
    receipt_signature: s.receiptSignature,
    sdc_id: s.sdcId,
    mrc_number: s.mrcNumber,
    signed_at: s.signedAt.toISOString(),
    invoice_number: receipt.invoiceNumber ?? undefined,
  };
}

/**
 * The signature of a kept answer, where a person could settle the doubt with it; null: there is
 * none, or it cannot be this document's.
 */
export async function offerKept(
  ports: Pick<LanePorts, 'dialects'>,
  of: Offer,
): Promise<(Brought & { found: true }) | null> {
  if (of.receipt.state !== 'in_doubt' || of.receipt.problem?.code === 'number_collision')
    return null;
  try {
    const evidence = keptEvidence(ports, of);
    await verify(ports, of, of.receipt.problem?.code ?? '', evidence);
    return evidence;
  } catch (error) {
    if (error instanceof AppError) return null;
    throw error;
  }
}

/** Refuses what cannot be, and answers the signature where one was brought. */
async function verify(
  ports: Pick<LanePorts, 'dialects'>,
  { tx, receipt, device, attempts, at }: Offer,
  code: string,
  evidence: Brought,
): Promise<Signature | null> {
  const isOver = attempts.every((attempt) => attempt.isSocketClosed);
  if (evidence.found === false) {
    if (receipt.isDeviceRetired) return verifyAbsence(receipt, attempts, isOver, evidence, at);
    if (isUnasked(receipt, attempts)) return verifyAbsence(receipt, attempts, isOver, evidence, at);
    // Only once the device itself has definitely refused the last resend; before that the first
    // request may still arrive.
    if (
      code === 'signed_answer_lost' ||
      lastUnder(attempts, receipt.invoiceNumber)?.outcome !== 'refused'
    )
      throw new AppError('wrong_state', {
        reason: 'the device has not refused the document after the doubt',
      });
    if (!isOver) throw new AppError('answer_may_come');
    return null;
  }
  if (evidence.found === 'other') {
    // A device that was retired, or that may be asked nothing, says nothing of it: there a list
    // shows it, late enough.
    if (
      code === 'maybe_signed_under_either' ||
      (receipt.isDeviceRetired && code === 'maybe_signed')
    )
      return verifyAbsence(receipt, attempts, isOver, evidence, at);
    // Only where the device has said that the number is used.
    if (code !== 'signed_answer_lost')
      throw new AppError('wrong_state', {
        reason: 'the device has not said that the number is taken',
      });
    if (!isOver) throw new AppError('answer_may_come');
    return null;
  }
  const { sale } = receipt.filed;
  const refuse = (field: string) => new AppError('evidence_mismatch', { field });
  // Of several numbers of it the data may stand under any.
  const hasOthers = attempts.some(
    (each) => each.invoiceNumber !== receipt.invoiceNumber && isDoubtful(each),
  );
  if (!evidence.invoice_number && (hasOthers || code === 'maybe_signed_under_either'))
    throw new AppError('malformed', {
      field: 'invoice_number',
      reason: 'under which of its numbers has to be said',
    });
  if (evidence.invoice_number && evidence.invoice_number !== receipt.invoiceNumber)
    throw refuse('invoice_number');
  if (evidence.buyer_tin && evidence.buyer_tin !== (sale.buyer.taxpayerId ?? ''))
    throw refuse('buyer_tin');
  if (evidence.total && compare(evidence.total, sale.total) !== 0) throw refuse('total');
  const signature = signatureOf(evidence, receipt);
  const earliest = (attempts[0]?.startedAt.getTime() ?? 0) - clockSlackMs;
  if (!ports.dialects.of(receipt.dialect).checkEvidence(signature))
    throw refuse('receipt_signature');
  if (device.sdcId !== null && signature.sdcId !== device.sdcId) throw refuse('sdc_id');
  if (
    signature.signedAt.getTime() < earliest ||
    signature.signedAt.getTime() > at.getTime() + clockSlackMs
  )
    throw refuse('signed_at');
  if (await isSignatureKnown(tx, signature.receiptSignature, signature.sdcId))
    throw refuse('receipt_signature');
  if (
    await isTotalKnown(tx, signature.totalReceiptNumber, {
      environment: device.environment,
      sdcId: signature.sdcId,
    })
  )
    throw refuse('total_receipt_number');
  return signature;
}

/**
 * Whether nobody asks the device about it any more: it may be signed under another number, or a
 * late signature of it waits, and it has not been refused.
 */
const isUnasked = (
  { problem, isContested, invoiceNumber }: Receipt,
  attempts: StoredAttempt[],
): boolean =>
  (problem?.code === 'maybe_signed_under_either' ||
    (problem?.code === 'maybe_signed' && isContested)) &&
  lastUnder(attempts, invoiceNumber)?.outcome !== 'refused';

/**
 * A device may have signed without its authority for a day and upload that late. Of one that is not
 * asked only a list taken long after the last send shows that it has not signed; where it was
 * retired, with the word that nothing can come from it any more.
 */
function verifyAbsence(
  receipt: Receipt,
  attempts: StoredAttempt[],
  isOver: boolean,
  evidence: Brought & { found: false | 'other' },
  at: Date,
): null {
  if (receipt.problem?.code === 'signed_answer_lost')
    throw new AppError('wrong_state', { reason: 'the device may have signed it' });
  if (!isOver) throw new AppError('answer_may_come');
  if (receipt.isDeviceRetired && !evidence.cannot_upload)
    throw new AppError('malformed', {
      field: 'cannot_upload',
      reason: 'that the device cannot upload anything any more has to be said',
    });
  if (!evidence.listed_at)
    throw new AppError('malformed', {
      field: 'listed_at',
      reason: 'when the list was taken has to be said',
    });
  const after = new Date(
    Math.max(...attempts.map((attempt) => attempt.startedAt.getTime())) + uploadMs,
  );
  const listedAt = new Date(evidence.listed_at);
  if (listedAt < after || listedAt.getTime() > at.getTime() + clockSlackMs)
    throw new AppError('evidence_too_early', { field: 'listed_at', after: after.toISOString() });
  return null;
}

async function apply(
  ports: LanePorts,
  ctx: Context,
  { tx, receipt, device, attempts, at }: Case,
  evidence: Brought,
  signature: Signature | null,
  word: Word,
) {
  const invoiceNumber = receipt.invoiceNumber as string;
  const last = (lastUnder(attempts, invoiceNumber) ?? attempts.at(-1)) as StoredAttempt;
  await deleteSettlement(tx, receipt.id);
  if (signature) {
    const recording = recordingOf(
      ports,
      ports.dialects.of(receipt.dialect),
      receipt,
      { attemptId: last.id, invoiceNumber },
      signature,
      null,
      at,
    );
    await recordSigned(tx, ctx.businessId, {
      ...recording,
      source: 'person',
      evidence: {
        ...evidence,
        by: word.by,
        ...(word.confirmedBy ? { confirmed_by: word.confirmedBy } : {}),
      },
      actor: { type: ctx.actor.type, id: ctx.actor.id },
    });
    await tellOfOthers(ports, tx, ctx, receipt, invoiceNumber, attempts);
    await endDoubt(tx, receipt.id);
    await freeSharers(
      ports,
      tx,
      ctx,
      { receiptId: receipt.id, deviceId: receipt.deviceId, invoiceNumber },
      at,
    );
    await followUp(ports, tx, ctx, receipt, at);
    await afterDoubt(ports, tx, ctx, receipt.deviceId);
  } else if (evidence.found === false) {
    const problem: StoredProblem = receipt.isDeviceRetired
      ? { code: 'device_retired' }
      : {
          code: 'device_refused',
          device_code: last.deviceCode ?? '',
          device_text: last.deviceText ?? '',
        };
    await settleNotSigned(ports, tx, ctx, receipt, problem, evidence.source, at);
    // Where the device has not refused it, what was sent may still come there.
    await (last.outcome === 'refused' ? giveBackNumber : burnNumber)(
      tx,
      receipt.deviceId,
      invoiceNumber,
    );
  } else {
    await mustNotBeUnderWay(ports, tx, ctx, receipt, invoiceNumber, at);
    await settleClosedNotOurs(tx, receipt.id, invoiceNumber);
    await numberAnew(
      ports,
      tx,
      ctx,
      { ...receipt, invoiceNumber },
      { source: evidence.source, ...word },
      at,
    );
    // The number stays with whoever used it, and so does its place in the device's total; the
    // document goes again under its next one. What uses it may be another document of ours that
    // gave it back, also one that was refused: only where there is none it is somebody else's.
    const said = {
      deviceCode: receipt.problem?.device_code ?? '',
      deviceText: receipt.problem?.device_text ?? '',
    };
    const { areDoubted, areOthers } = await doubtEarlier(
      ports,
      tx,
      ctx,
      device,
      { receiptId: receipt.id, invoiceNumber },
      said,
      () => true,
      at,
    );
    if (!areDoubted && !areOthers) await explainTotals(tx, receipt.deviceId, '1');
  }
  // What the doubt seemed to explain, or what was signed before it, may be a stranger's: nothing
  // more is frozen before that is known.
  await pauseForStrangers(ports, tx, ctx, device);
  await ports.queue.wakeLane(tx, { business_id: ctx.businessId, device_id: receipt.deviceId });
}

/**
 * Whoever had the number before may be the one who is signed under it. What is on its way under
 * another number cannot be taken back, nor put in doubt before it has ended: it would be free to be
 * sealed again by then. Where whoever sent it is gone, nobody ends it but who looks, and no lane
 * does at a device that is paused.
 */
async function mustNotBeUnderWay(
  ports: LanePorts,
  tx: Tx,
  ctx: Context,
  { id, deviceId }: Receipt,
  invoiceNumber: string,
  at: Date,
): Promise<void> {
  for (const { receiptId } of await earlierHolders(tx, deviceId, invoiceNumber, id)) {
    let present = (await lockReceipt(tx, receiptId)) as Receipt;
    // Nothing of it leaves at the device it is at by now while that one's lane is locked: first the
    // lane, as lanes lock it themselves.
    while (present.movedTo !== null) {
      const next = (await findReceipt(tx, present.movedTo)) as Receipt;
      await lockLane(tx, next.deviceId);
      present = (await lockReceipt(tx, next.id)) as Receipt;
    }
    const open = (await listAttempts(tx, present.id, at)).find(
      (attempt) => attempt.endedAt === null,
    );
    if (!open) continue;
    const lane = (await lockLane(tx, present.deviceId)) as LaneDevice;
    const isWorked = lane.laneHolder !== null && lane.laneUntil !== null && lane.laneUntil > at;
    if (isWorked || ports.underWay.has(open.id) || lane.openAttempt !== open.id)
      throw new AppError('holder_under_way', {
        document_number: present.documentNumber,
        retry_after_s: 5,
      });
    for (const orphan of await doubtOrphans(ports, tx, ctx, lane, at)) ports.changed(orphan);
  }
}

const bare = (text: string) => text.replaceAll('-', '').replaceAll(' ', '').toUpperCase();

const signatureOf = (evidence: Brought & { found: true }, receipt: Receipt): Signature => ({
  receiptNumber: evidence.receipt_number,
  totalReceiptNumber: evidence.total_receipt_number,
  internalData: bare(evidence.internal_data),
  receiptSignature: bare(evidence.receipt_signature),
  sdcId: evidence.sdc_id,
  mrcNumber: evidence.mrc_number ?? receipt.filed.filing.mrcNumber ?? '',
  signedAt: new Date(evidence.signed_at),
});
