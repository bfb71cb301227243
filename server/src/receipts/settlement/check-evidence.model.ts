import { type Amount, compare } from '@muhuri/shared/money';
import type { StoredProblem } from '@muhuri/shared/problems';
import type { Signature } from '../../model/sale.model.ts';
import { type AttemptFact, isDoubtful, lastUnder } from '../receipt/receipt.model.ts';
import type { Brought } from './evidence.model.ts';

/** Clocks of server and device differ a little. */
const clockSlackMs = 10 * 60_000;
/**
 * A VSDC signs for a day without its authority; twice that, and what it signed has arrived or never
 * will.
 */
const uploadMs = 48 * 3_600_000;

/** What evidence is checked against. */
export type DoubtFacts = {
  /** Of its problem: why it is in doubt. */
  code: string;
  invoiceNumber: string | null;
  isDeviceRetired: boolean;
  isContested: boolean;
  total: Amount;
  buyerTin: string;
  attempts: (AttemptFact & {
    invoiceNumber: string;
    isSocketClosed: boolean;
    startedAt: Date;
  })[];
};
type Found = Brought & { found: true };
type NotFound = Brought & { found: false | 'other' };
type Rule<Subject> = { is(subject: Subject): boolean; problem(subject: Subject): StoredProblem };

/**
 * Says whether nobody asks the device about the doubt any more: it may be signed under another
 * number, or a late signature of it waits, and it has not been refused.
 */
export const isUnasked = (doubt: DoubtFacts): boolean =>
  (doubt.code === 'maybe_signed_under_either' ||
    (doubt.code === 'maybe_signed' && doubt.isContested)) &&
  !isRefused(doubt);

/**
 * Says whether what a person brings needs a second person's word. That the document has not signed
 * does where the device is not asked, because it was retired or might sign once more. That the
 * number is another program's always does.
 */
export const needsSecondWord = (evidence: Brought, doubt: DoubtFacts): boolean =>
  evidence.found === 'other' ||
  (evidence.found === false && (doubt.isDeviceRetired || isUnasked(doubt)));

/** Checks that nothing, or nothing of ours, stands under the number; null: it may be said. */
export const checkNotFound = (
  evidence: NotFound,
  doubt: DoubtFacts,
  at: Date,
): StoredProblem | null => {
  const isShownByList =
    evidence.found === false ? needsListToDeny(doubt) : needsListToDisown(doubt);
  if (isShownByList) return firstProblem(listRules, { evidence, doubt, at });
  return firstProblem(evidence.found === false ? denyRules : disownRules, doubt);
};

const needsListToDeny = (doubt: DoubtFacts): boolean => doubt.isDeviceRetired || isUnasked(doubt);
/**
 * A device that was retired, or that may be asked nothing, says nothing of whose the number is:
 * there a list shows it, late enough.
 */
const needsListToDisown = ({ code, isDeviceRetired }: DoubtFacts): boolean =>
  code === 'maybe_signed_under_either' || (isDeviceRetired && code === 'maybe_signed');

const mayAnswer: Rule<DoubtFacts> = {
  is: ({ attempts }) => attempts.some((attempt) => !attempt.isSocketClosed),
  problem: () => ({ code: 'answer_may_come' }),
};

/**
 * Nothing was signed only once the device itself has definitely refused the last resend; before
 * that the first request may still arrive.
 */
const denyRules: Rule<DoubtFacts>[] = [
  {
    is: (doubt) => doubt.code === 'signed_answer_lost' || !isRefused(doubt),
    problem: () => wrongState('the device has not refused the document after the doubt'),
  },
  mayAnswer,
];

/** The number is another program's only where the device has said that it is used. */
const disownRules: Rule<DoubtFacts>[] = [
  {
    is: ({ code }) => code !== 'signed_answer_lost',
    problem: () => wrongState('the device has not said that the number is taken'),
  },
  mayAnswer,
];

type Listing = { evidence: NotFound; doubt: DoubtFacts; at: Date };
/**
 * A device may have signed without its authority for a day and upload that late. Of one that is not
 * asked only a list taken long after the last send shows that it has not signed; where it was
 * retired, with the word that nothing can come from it any more.
 */
const listRules: Rule<Listing>[] = [
  {
    is: ({ doubt }) => doubt.code === 'signed_answer_lost',
    problem: () => wrongState('the device may have signed it'),
  },
  { is: ({ doubt }) => mayAnswer.is(doubt), problem: ({ doubt }) => mayAnswer.problem(doubt) },
  {
    is: ({ doubt, evidence }) => doubt.isDeviceRetired && !evidence.cannot_upload,
    problem: () =>
      malformed('cannot_upload', 'that the device cannot upload anything any more has to be said'),
  },
  {
    is: ({ evidence }) => !evidence.listed_at,
    problem: () => malformed('listed_at', 'when the list was taken has to be said'),
  },
  {
    is: ({ evidence, doubt, at }) => {
      const listedAt = new Date(evidence.listed_at as string);
      return listedAt < uploadedBy(doubt) || listedAt.getTime() > at.getTime() + clockSlackMs;
    },
    problem: ({ doubt }) => ({
      code: 'evidence_too_early',
      field: 'listed_at',
      after: uploadedBy(doubt).toISOString(),
    }),
  },
];

/** By when whatever the device has signed has reached its authority. */
const uploadedBy = ({ attempts }: DoubtFacts): Date =>
  new Date(Math.max(...attempts.map((attempt) => attempt.startedAt.getTime())) + uploadMs);

/** A signature that a person brings, and the device it should be of. */
export type Claim = {
  evidence: Found;
  signature: Signature;
  /** The dialect finds the parts of the signature well formed. */
  isWellFormed: boolean;
  sdcId: string | null;
  doubt: DoubtFacts;
  at: Date;
};

/** Checks a signature by what is known without asking the database; null: it may be ours. */
export const checkClaim = (claim: Claim): StoredProblem | null => firstProblem(claimRules, claim);

export const mismatch = (field: string): StoredProblem => ({ code: 'evidence_mismatch', field });

const claimRules: Rule<Claim>[] = [
  {
    // Of several numbers of it the data may stand under any.
    is: ({ evidence, doubt }) => !evidence.invoice_number && mayStandUnderAny(doubt),
    problem: () => malformed('invoice_number', 'under which of its numbers has to be said'),
  },
  {
    is: ({ evidence: { invoice_number: number }, doubt }) =>
      Boolean(number) && number !== doubt.invoiceNumber,
    problem: () => mismatch('invoice_number'),
  },
  {
    is: ({ evidence: { buyer_tin: tin }, doubt }) => Boolean(tin) && tin !== doubt.buyerTin,
    problem: () => mismatch('buyer_tin'),
  },
  {
    is: ({ evidence: { total }, doubt }) =>
      Boolean(total) && compare(total as string, doubt.total) !== 0,
    problem: () => mismatch('total'),
  },
  { is: ({ isWellFormed }) => !isWellFormed, problem: () => mismatch('receipt_signature') },
  {
    is: ({ sdcId, signature }) => sdcId !== null && signature.sdcId !== sdcId,
    problem: () => mismatch('sdc_id'),
  },
  {
    is: ({ signature, doubt, at }) => {
      const signedAt = signature.signedAt.getTime();
      const begunAt = doubt.attempts[0]?.startedAt.getTime() ?? 0;
      return signedAt < begunAt - clockSlackMs || signedAt > at.getTime() + clockSlackMs;
    },
    problem: () => mismatch('signed_at'),
  },
];

const mayStandUnderAny = ({ code, invoiceNumber, attempts }: DoubtFacts): boolean =>
  code === 'maybe_signed_under_either' ||
  attempts.some((each) => each.invoiceNumber !== invoiceNumber && isDoubtful(each));

const isRefused = ({ attempts, invoiceNumber }: DoubtFacts): boolean =>
  lastUnder(attempts, invoiceNumber)?.outcome === 'refused';

/** Returns the problem of the first rule that applies. */
const firstProblem = <Subject>(rules: Rule<Subject>[], subject: Subject): StoredProblem | null =>
  rules.find((rule) => rule.is(subject))?.problem(subject) ?? null;

const wrongState = (reason: string): StoredProblem => ({ code: 'wrong_state', reason });
const malformed = (field: string, reason: string): StoredProblem => ({
  code: 'malformed',
  field,
  reason,
});
