import type { BooksDocument } from '../../model/books-document.model.ts';
import type { SigningInput } from './signing-input.model.ts';
import type { Answers } from './sale-setup.model.ts';

/**
 * What answers are about: the document as it was when they were given, and what was known of it.
 */
export type About = {
  customer_id: string;
  customer_name: string;
  number: string;
  date: string;
  currency: string;
  /** What a credit note said of the invoice it corrects. */
  corrects: BooksDocument['corrects'];
  /**
   * What the books said themselves of what may be typed for a buyer; older receipts do not say it.
   */
  buyer?: BooksDocument['buyer'];
  /** When somebody had said that another system sealed it. */
  elsewhere: string | null;
  /**
   * Until when another system may have sealed it, whose place in the books has sealed for real
   * since then; null where it does not. Older ones do not say.
   */
  since: string | null;
  /** The other documents sealed under its number. */
  others: string[];
};

/** Kept with a receipt for its next reading; older ones do not say what they are about. */
export type KeptAnswers = Answers & { about?: About };

/** A receipt as far as its answers go. */
type Own = { answers: KeptAnswers; filed: SigningInput };
/** As much as is known of what answers were given for. */
type Then = Partial<About>;
type Confirmed = NonNullable<Answers['confirm']>[number];
type Holds = (then: Then, now: About) => boolean;

const sameBuyer: Holds = (then, now) => then.customer_id === now.customer_id;
/**
 * Whoever is refused for a number mends it where it stands: what was typed before stands in the way
 * of that no longer.
 */
const sameOf =
  (field: keyof BooksDocument['buyer']): Holds =>
  (then, now) =>
    sameBuyer(then, now) && (then.buyer === undefined || then.buyer[field] === now.buyer?.[field]);
const sameName: Holds = (then, now) =>
  sameBuyer(then, now) && then.customer_name === now.customer_name;
const sameNumber: Holds = (then, now) => then.number === now.number;
const sameDate: Holds = (then, now) => then.date === now.date;
const sameCurrency: Holds = (then, now) => then.currency === now.currency;
/**
 * Said of the time until its place sealed for real: begun anew since, as with books that were not
 * connected meanwhile, there is a time that nobody spoke of.
 */
const ofSameTime: Holds = (then, now) =>
  now.since === null || (typeof then.since === 'string' && now.since <= then.since);
const always: Holds = () => true;

/**
 * What each answer is about: it holds for the next reading while this is what it was, and is asked
 * anew from then on. An answer that outlives what it was about files one buyer's number with
 * another's name, refunds another sale, or signs twice; so everything that is kept has its line
 * here.
 */
const answersHold: Record<Exclude<keyof Answers, 'confirm'>, Holds> = {
  buyer_tin: sameOf('taxpayerId'),
  purchase_code: sameOf('purchaseCode'),
  buyer_mobile: sameOf('mobile'),
  // Why it is undone and how it was paid is of the document, whatever is changed in it: payments
  // come and go in the books, and the sale stays the same.
  reason_code: always,
  payment_method: always,
  // Which sale a credit note is of, where it did not say so, or said so of several.
  sale_receipt_id: (then, now) => sameBuyer(then, now) && isSame(then.corrects, now.corrects),
  // It names the rate itself; the currency is that of the document.
  confirmed_rate: sameCurrency,
};
const confirmationsHold: Record<Confirmed, Holds> = {
  before_go_live: sameDate,
  document_old: sameDate,
  // Another system is looked through for the number.
  before_production: (then, now) => sameNumber(then, now) && ofSameTime(then, now),
  was_exempt: sameNumber,
  sealed_elsewhere: (then, now) =>
    sameNumber(then, now) &&
    ofSameTime(then, now) &&
    (now.elsewhere === null || then.elsewhere === now.elsewhere),
  exchange_rate_unlikely: sameCurrency,
  buyer_name_damaged: sameName,
  // Also of one that could not be read: none may have been added to those that the person was asked
  // about.
  number_sealed_before: (then, now) =>
    sameNumber(then, now) && now.others.every((each) => then.others?.includes(each)),
};

const isSame = (then: About['corrects'] | undefined, now: About['corrects']): boolean =>
  then !== undefined &&
  then.reference === now.reference &&
  then.invoiceIds.toSorted().join() === now.invoiceIds.toSorted().join();

export const aboutOf = (
  document: BooksDocument,
  known: Pick<About, 'elsewhere' | 'since' | 'others'>,
): About => ({
  customer_id: document.customer.id,
  customer_name: document.customer.name,
  number: document.number,
  date: document.date,
  currency: document.currency,
  corrects: document.corrects,
  buyer: document.buyer,
  ...known,
});

/**
 * What was kept, as far as it still holds, with what is said now, which is about the document as it
 * is now; what was confirmed is added to.
 */
export function answersAbout(now: About, own: Own | null, given: Answers): KeptAnswers {
  const { about, confirm = [], ...rest } = own?.answers ?? {};
  const then = about ?? (own ? asFiled(own) : {});
  const kept = Object.fromEntries(
    Object.entries(rest).filter(([key]) =>
      answersHold[key as keyof typeof answersHold]?.(then, now),
    ),
  );
  const confirmed = [
    ...new Set([
      ...confirm.filter((each) => confirmationsHold[each]?.(then, now)),
      ...(given.confirm ?? []),
    ]),
  ];
  return { ...kept, ...given, ...(confirmed.length > 0 ? { confirm: confirmed } : {}), about: now };
}

/**
 * What was filed with older answers. Nobody knows which others of its number there were, nor what a
 * credit note said: that is asked anew.
 */
const asFiled = ({ filed: { sale } }: Own): Then => ({
  customer_id: sale.customerId,
  customer_name: sale.buyer.name,
  number: sale.documentNumber,
  date: sale.documentDate,
  currency: sale.foreign?.currency ?? sale.currency,
});
