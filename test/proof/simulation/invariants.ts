import {
  type AttemptFact,
  isDoubtful,
  type ReceiptState,
  stateOf,
} from '@muhuri/server/receipts/receipt/receipt.model';

type Attempt = {
  number: string;
  outcome: AttemptFact['outcome'];
  resolution: AttemptFact['resolution'];
  ended: boolean;
  isAfterRetirement?: boolean;
};
type Row = {
  id: string;
  document: string;
  documentNumber: string;
  state: ReceiptState;
  number: string | null;
  problem: string | null;
  nextTry: boolean;
  isConfirmed?: boolean;
  /** Closed for the one that stands at another device. */
  isMoved?: boolean;
  sale?: string | null;
  proposedAt: string | null;
  signature: string | null;
  /** What is filed of it. */
  total?: string;
  /** Signatures that came late, and how each was settled. */
  late?: { is: string; settledAs: 'receipt' | 'undone' | 'reversed' | null }[];
  isContested?: boolean;
  isAlerted?: boolean;
  attempts: Attempt[];
};
export type Facts = {
  receipts: Row[];
  device: {
    id?: string;
    address?: string;
    environment?: 'sandbox' | 'production';
    state: string;
    problem: string | null;
    /** A number was found taken, and nobody has said yet how far it goes. */
    isTaken?: boolean;
    next: number;
    free: string[];
    burnt?: string[];
    /** Numbers under which a signature came late. */
    late?: string[];
    lastTotal: number | null;
    openAttempt: string | null;
  };
};
/**
 * What was seen before of a device: signatures by receipt, numbers that another program has used,
 * and where its run began.
 */
export type Seen = {
  signatures: Map<string, string>;
  elsewhere: Set<string>;
  first?: number;
  /**
   * Signatures that came late, by receipt; how often what is contested had been sent; who had sent
   * something under a number before it was signed late.
   */
  late: Map<string, string>;
  /** Up to where people have left what was free to another program. */
  leftTo: number;
  contested: Map<string, number>;
  /** Of what may be signed under a number that was found taken, how often it had been sent then. */
  taken: Map<string, number>;
  senders: Map<string, Set<string>>;
};
export const newSeen = (): Seen => ({
  signatures: new Map(),
  elsewhere: new Set(),
  late: new Map(),
  leftTo: 0,
  contested: new Map(),
  taken: new Map(),
  senders: new Map(),
});
/**
 * What is true outside: whose answer is still on its way, to which documents one came late or will,
 * what was undone at the authority.
 */
export type Outside = {
  isOnWay(number: string, document: string): boolean;
  late: Set<string>;
  undone: Set<string>;
  /** Late signatures that are kept at any device of the branch. */
  kept: Set<string>;
};
export const quiet: Outside = {
  isOnWay: () => false,
  late: new Set(),
  undone: new Set(),
  kept: new Set(),
};

type Judged = { request: Record<string, unknown>; reply: Record<string, unknown> };

/**
 * Everything that is known of the receipts of a business, in one look: for each of its devices a
 * row of the text `facts`.
 */
export const factsOf = `
     select jsonb_build_object(
       'receipts', coalesce((select jsonb_agg(jsonb_build_object('id', r.id, 'document', r.module || '/' || r.document_id || '/' || r.kind, 'documentNumber', r.document_number,
           'state', r.state, 'number', r.invoice_number::text, 'sale', r.sale_receipt_id, 'isConfirmed', coalesce(r.answers->'confirm', '[]') ? 'before_production', 'problem', r.problem->>'code', 'nextTry', r.next_try_at is not null, 'isMoved', coalesce(r.moved_to, '') <> '',
           'total', r.signing_input->'sale'->>'total', 'isContested', r.contested,
           'isAlerted', exists (select 1 from alert t where t.business_id = r.business_id and t.subject = r.id and t.code = 'signed_twice' and t.closed_at is null),
           'late', coalesce((select jsonb_agg(jsonb_build_object('settledAs', x.settled_as, 'is',
                                       x.invoice_number || '|' || x.total_receipt_number || '|' || x.internal_data || '|' || x.sdc_id || '|' || x.receipt_signature))
                           from second_signature x where x.business_id = r.business_id and x.receipt_id = r.id), '[]'),
           'proposedAt', (select t.proposed_at from settlement t where t.business_id = r.business_id and t.receipt_id = r.id),
           'signature', (select s.invoice_number || '|' || s.total_receipt_number || '|' || s.internal_data || '|' || s.sdc_id || '|' || s.receipt_signature
                           from signature s where s.business_id = r.business_id and s.receipt_id = r.id),
           'attempts', coalesce((select jsonb_agg(jsonb_build_object('number', a.invoice_number::text, 'outcome', a.outcome, 'resolution', a.resolution, 'ended', a.ended_at is not null,
                                                    'isAfterRetirement', coalesce(a.started_at > d.retired_at, false))
                                                  order by a.ordinal, a.started_at, a.id)
                                   from attempt a where a.business_id = r.business_id and a.receipt_id = r.id), '[]')) order by r.opened_at, r.id)
         from receipt r where r.business_id = d.business_id and r.device_id = d.id), '[]'),
       'device', jsonb_build_object('id', d.id, 'address', d.address, 'environment', d.environment, 'state', d.state, 'problem', d.problem->>'code',
           'isTaken', d.problem->>'code' is not distinct from 'number_collision' or coalesce(d.problem ? 'taken_number', false),
           'next', d.next_invoice_number, 'free', d.free_numbers::text[], 'burnt', d.burnt_numbers::text[],
           'late', coalesce((select jsonb_agg(x.invoice_number::text) from second_signature x where x.business_id = d.business_id and x.device_id = d.id), '[]'),
           'lastTotal', d.last_total_receipt_number, 'openAttempt', d.open_attempt))::text as facts
     from device d where d.business_id = $1 order by d.succeeds is not null, d.id`;

const at = (each: Judged) => String(each.request.invcNo);
export const keyOf = (each: Judged): string =>
  `${at(each)}|${String(each.reply.totRcptNo)}|${String(each.reply.intrlData)}|${String(each.reply.sdcId)}|${String(each.reply.rcptSign)}`;

/**
 * Whose the number is not, or not any more, is said of all that a document has sent under it,
 * whatever its other sends were told.
 */
const mayBeSignedUnder = (receipt: Row, number: string | null): boolean => {
  const own = receipt.attempts.filter(
    (each) => each.number === number && each.ended && each.outcome !== 'unreachable',
  );
  return (
    own.length > 0 &&
    own.every((each) => each.resolution !== 'not_ours' && each.resolution !== 'reversed')
  );
};

const mayBeLostUnder = (receipt: Row, number: string | null): boolean =>
  mayBeSignedUnder(receipt, number) &&
  receipt.attempts.some((each) => each.number === number && each.outcome === 'in_doubt');

/** Null, or the first of the promises that does not hold, in words. */
export function check(
  { receipts, device }: Facts,
  judged: Judged[],
  seen: Seen,
  outside: Outside = quiet,
): string | null {
  const documents = new Map<string, number>();
  for (const each of judged)
    documents.set(
      String(each.request.remark),
      (documents.get(String(each.request.remark)) ?? 0) + 1,
    );
  // A document that was settled while an answer to it was on its way may have two; then each of
  // them has its mark, below.
  for (const [document, count] of documents)
    if (count > 1 && !outside.late.has(document))
      return `${document} has ${count} receipts at the device`;

  const byKey = new Map(judged.map((each) => [keyOf(each), each]));
  const keys = new Set(byKey.keys());
  for (const receipt of receipts) {
    if (receipt.signature !== null && !keys.has(receipt.signature))
      return `${receipt.documentNumber} has a signature that the device never gave: ${receipt.signature}`;
    const before = seen.signatures.get(receipt.id);
    if (before !== undefined && before !== receipt.signature)
      return `${receipt.documentNumber} was signed, and changed afterwards: ${before} → ${receipt.signature}`;
    if (receipt.signature !== null) seen.signatures.set(receipt.id, receipt.signature);
    const signed = receipt.signature === null ? undefined : byKey.get(receipt.signature);
    if (
      signed &&
      receipt.total !== undefined &&
      Number(signed.request.totAmt) !== Number(receipt.total)
    )
      return `${receipt.documentNumber} is filed at ${receipt.total}, and was signed at ${String(signed.request.totAmt)}`;
    if ((receipt.state === 'signed') !== (receipt.signature !== null))
      return `${receipt.documentNumber} says ${receipt.state}, its signature otherwise`;
    const derived = stateOf({
      isSigned: receipt.signature !== null,
      isMoved: receipt.isMoved === true,
      attempts: receipt.attempts.map((each) => ({ ...each, invoiceNumber: each.number })),
      choice: receipt.state === 'signed' || receipt.state === 'in_doubt' ? 'queued' : receipt.state,
    });
    if (derived !== receipt.state)
      return `${receipt.documentNumber} says ${receipt.state}, its sends say ${derived}`;
    if (receipt.state === 'in_doubt' && receipt.problem === null)
      return `${receipt.documentNumber} is in doubt and does not say why`;
    const isLatelySigned = judged.some(
      (each) => at(each) === receipt.number && outside.late.has(String(each.request.remark)),
    );
    if (
      receipt.problem === 'number_collision' &&
      !seen.elsewhere.has(receipt.number ?? '') &&
      !isLatelySigned
    )
      return `${receipt.documentNumber} blames another program, and there is none`;
    // Whatever is said of who has used the number: a document that had sent something under it may
    // be who was signed, and must not go again, nor wait to go under another. Where an answer of
    // its own was lost as well, that is the one whose answer was lost before.
    if (
      receipt.state === 'in_doubt' &&
      (receipt.problem === 'number_collision' || receipt.problem === 'signed_answer_lost')
    ) {
      const isSuspect = receipt.problem === 'number_collision' ? mayBeSignedUnder : mayBeLostUnder;
      const loose = receipts.find(
        (each) =>
          each.id !== receipt.id &&
          isSuspect(each, receipt.number) &&
          each.state !== 'in_doubt' &&
          each.state !== 'signed' &&
          (each.state !== 'withdrawn' || receipt.problem === 'number_collision') &&
          each.attempts.every((one) => one.ended),
      );
      if (loose)
        return `${loose.documentNumber} may be signed under ${receipt.number}, which is taken, and is free to go again`;
    }
    if (receipt.attempts.some((each) => each.isAfterRetirement))
      return `${receipt.documentNumber} was sent to a device that had been retired`;
    const open = receipt.attempts.filter((each) => !each.ended).length;
    if (open > 1) return `${receipt.documentNumber} has ${open} sends under way at once`;
    if (open === 1 && device.openAttempt === null)
      return `${receipt.documentNumber} has a send under way that nobody would ever end`;
  }

  const sent = checkSent(receipts, seen);
  if (sent) return sent;
  const late = checkLate({ receipts, device }, seen, outside);
  if (late) return late;

  // Not lost: what the device has signed is recorded, or a doubt or a send under way stands for it.
  for (const each of judged) {
    const receipt = receipts.find((one) => one.documentNumber === each.request.remark);
    const own = receipt?.attempts.filter((attempt) => attempt.number === at(each)) ?? [];
    const isMarked =
      receipt?.signature === keyOf(each) ||
      outside.kept.has(keyOf(each)) ||
      receipt?.state === 'in_doubt' ||
      own.some((attempt) => !attempt.ended) ||
      outside.isOnWay(at(each), String(each.request.remark));
    if (!isMarked)
      return `${String(each.request.remark)} was signed under ${at(each)}, and nothing with us says so (${receipt?.state})`;
  }

  if (device.problem === 'total_jumped' && seen.elsewhere.size === 0 && outside.late.size === 0)
    return 'the lane blames another writer for a total, and there is none';
  if (
    device.state === 'retired' &&
    (device.free.length > 0 || receipts.some((each) => each.state === 'queued'))
  )
    return 'a device that was retired holds numbers or documents';

  // Gapless and unique: every number up to the next is held by exactly one document, is free, or is
  // another program's. Of several that are in doubt about one that is taken, or asked about no
  // more, at most one was signed under it.
  const unasked = ['signed_answer_lost', 'number_collision', 'maybe_signed_under_either'];
  const isShared = (each: Row) => each.state === 'in_doubt' && unasked.includes(each.problem ?? '');
  const shared = new Set(
    receipts.flatMap((each) => (each.number !== null && isShared(each) ? [each.number] : [])),
  );
  const held = [
    ...shared,
    ...receipts.flatMap((each) => (each.number === null || isShared(each) ? [] : [each.number])),
  ];
  const all = [...held, ...device.free, ...(device.burnt ?? [])];
  // Whoever had sent something under a number before it was signed late holds it until the device
  // says whose it is.
  const single = all.filter((number) => !device.late?.includes(number));
  if (new Set(single).size !== single.length) return `a number is held twice: ${all.join(' ')}`;
  // What a document was sent under besides, and may be signed under, is given to nobody.
  const besides = receipts.flatMap((each) =>
    each.attempts
      .filter((one) => one.number !== each.number && isDoubtful(one))
      .map((one) => one.number),
  );
  for (let number = Math.max(seen.first ?? 1, seen.leftTo + 1); number < device.next; number++)
    if (
      !all.includes(String(number)) &&
      !besides.includes(String(number)) &&
      !device.late?.includes(String(number)) &&
      !seen.elsewhere.has(String(number))
    )
      return `number ${number} has got lost`;
  if (all.some((number) => Number(number) >= device.next))
    return `a number beyond the next one is used: ${all.join(' ')}, next ${device.next}`;
  return null;
}

/**
 * Of a document that may be signed under a number that was found taken nothing begins to be sent
 * under another one, not even again.
 */
function checkSent(receipts: Row[], seen: Seen): string | null {
  for (const { id, documentNumber, attempts } of receipts) {
    const taken = new Set(
      attempts.filter((each) => each.resolution === 'doubtful').map((each) => each.number),
    );
    for (const number of taken) {
      const key = `${id} ${number}`;
      const other = attempts
        .slice(seen.taken.get(key) ?? attempts.length)
        .find((each) => each.number !== number);
      if (other)
        return `${documentNumber} was sent under ${other.number} while it may be signed under ${number}, which is taken`;
      seen.taken.set(key, attempts.length);
    }
    for (const { number } of attempts) if (!taken.has(number)) seen.taken.delete(`${id} ${number}`);
  }
  return null;
}

/**
 * What came late stays: beside its receipt, which nothing is sent of and which somebody is told of
 * until it is settled, and under its number, which is nobody's after it.
 */
function checkLate({ receipts, device }: Facts, seen: Seen, { undone }: Outside): string | null {
  for (const receipt of receipts) {
    const { late = [], isContested = false, isAlerted = false, documentNumber } = receipt;
    for (const { is, settledAs } of late) {
      seen.late.set(is, receipt.id);
      if (settledAs === 'undone' && !undone.has(is))
        return `${documentNumber} says that a late signature was undone, and it was not`;
      if (settledAs === 'receipt' && receipt.signature !== is)
        return `${documentNumber} took a late signature for its receipt, and has another`;
    }
    const isOpen = late.some((each) => each.settledAs === null);
    if (isContested !== isOpen)
      return `${documentNumber} is ${isContested ? '' : 'not '}contested, its late signatures say otherwise`;
    if (isAlerted !== isOpen)
      return isOpen
        ? `${documentNumber} was signed late, and nobody is told`
        : `${documentNumber} is settled, and told of as if it were not`;
    const sends = seen.contested.get(receipt.id);
    if (isOpen && sends !== undefined && receipt.attempts.length > sends)
      return `${documentNumber} was sent while a late signature of it was open`;
    if (isOpen) seen.contested.set(receipt.id, receipt.attempts.length);
    else seen.contested.delete(receipt.id);
  }
  for (const number of device.late ?? []) {
    const senders = receipts
      .filter((each) => each.attempts.some((attempt) => attempt.number === number))
      .map((each) => each.id);
    const before = seen.senders.get(number) ?? new Set(senders);
    seen.senders.set(number, before);
    if ([...device.free, ...(device.burnt ?? [])].includes(number))
      return `number ${number} was signed late, and is free again`;
    if (senders.some((id) => !before.has(id)))
      return `number ${number} was signed late, and given again`;
  }
  return null;
}

/**
 * Every late signature that was ever seen is still there, with whichever receipt it belongs to now.
 */
export function checkKept(
  all: Facts[],
  seen: Seen[],
  judgedBy: (address: string) => Judged[],
): string | null {
  const kept = all.flatMap(({ receipts }) =>
    receipts.flatMap((each) => (each.late ?? []).map(({ is }) => is)),
  );
  const given = new Set(all.flatMap(({ device }) => judgedBy(device.address ?? '').map(keyOf)));
  for (const is of kept)
    if (!given.has(is)) return `a late signature is kept that no device ever gave: ${is}`;
  for (const is of seen.flatMap((each) => [...each.late.keys()]))
    if (!kept.includes(is)) return `a late signature has got lost: ${is}`;
  return null;
}

/**
 * What another system has sealed for real, and the documents from before the business sealed here,
 * by their numbers.
 */
export type Before = { sealed: Set<string>; created: Set<string> };

/** The same over all devices of a branch: what none of them alone can show. */
export function checkTogether(
  all: Facts[],
  judgedBy: (address: string) => Judged[],
  before: Before,
  outside: Outside = quiet,
): string | null {
  const real = all.filter((each) => each.device.environment === 'production');
  const documents = new Map<string, number>();
  for (const { device } of real)
    for (const each of judgedBy(device.address ?? ''))
      documents.set(
        String(each.request.remark),
        (documents.get(String(each.request.remark)) ?? 0) + 1,
      );
  for (const [document, count] of documents) {
    if (count > 1 && !outside.late.has(document))
      return `${document} has ${count} receipts at the devices of its branch`;
    if (before.sealed.has(document)) return `${document} was sealed by another system, and again`;
  }
  const living = new Map<string, number>();
  for (const { receipts } of real)
    for (const receipt of receipts) {
      if (
        receipt.attempts.length > 0 &&
        before.created.has(receipt.documentNumber) &&
        !receipt.isConfirmed
      )
        return `${receipt.documentNumber} is from before, and was sent without a person's word`;
      if (['signed', 'queued', 'in_doubt'].includes(receipt.state))
        living.set(receipt.document, (living.get(receipt.document) ?? 0) + 1);
    }
  for (const [document, count] of living)
    if (count > 1) return `${document} has ${count} receipts with us`;
  return null;
}
