import type { StoredProblem } from '@muhuri/shared/problems';
import type { BooksDocument } from '../model/books-document.model.ts';

/** What a list shows of a document, as it was last read. */
type DocumentResult = {
  number: string;
  date: string;
  status: string;
  customerId: string;
  customerName: string;
  currency: string;
  total: string;
  locationId: string | null;
  createdAt: Date | null;
  modifiedAt: Date | null;
};

/** What reading a document again has found, for its row. */
export type Processed = {
  /** What was read; null: the row keeps what it says. */
  seen: DocumentResult | null;
  gone: boolean;
  exempt: boolean;
  problem: StoredProblem | null;
  lookAgainAt: Date | null;
};

/** Of a receipt, what stands in for a document that could not be read beside it. */
type KnownReceipt = {
  state: string;
  documentNumber: string;
  documentDate: string;
  sale: { customerId: string; buyer: { name: string }; currency: string; total: string };
};

type Synced = {
  document: BooksDocument | null;
  receipt: KnownReceipt | null;
  problem: StoredProblem | null;
};

type Heard = { source: 'webhook' | 'poll' | 'hint'; begunAt: Date };

/**
 * Problems that pass, or that a person mends, at Zoho, between it and us or while devices are
 * switched: the document is read again, and nothing is lost.
 */
const passing: string[] = [
  'setup_unfinished',
  'books_limit',
  'books_unavailable',
  'books_reconnect',
  'books_client_refused',
  'books_not_connected',
  'books_forbidden',
  'books_mismatch',
  'document_part_unread',
  'device_switched',
  'business_suspended',
];

/** Whether a problem passes, so that the document is read again. */
export const isPassing = (code: string): boolean => passing.includes(code);

/**
 * Whether a document that could not be processed is nobody's fault here: it passes; its books are
 * not connected now, and it stands open with that; or it cannot be read, and stands with its
 * finding, because somebody may mend it in Zoho.
 */
export const isExpected = (code: string): boolean =>
  isPassing(code) || code === 'document_of_other_books' || code === 'document_unreadable';

/**
 * Zoho's timestamps have a resolution of one second, so a document may change again within the
 * second we read it in. Recording it one second older makes the next look read it again.
 */
export const knownAt = (modifiedAt: Date, readAt: Date): Date =>
  readAt.getTime() - modifiedAt.getTime() < 2_000
    ? new Date(modifiedAt.getTime() - 1_000)
    : modifiedAt;

/** Returns what the row of a document says once it was read again. */
export function processedAs(
  { document, receipt, problem }: Synced,
  { isExempt, isLeft }: { isExempt: boolean; isLeft: boolean },
  heard: Heard,
): Processed {
  const isGone = !document && receipt?.state !== 'queued' && receipt?.state !== 'in_doubt';
  return {
    seen: document ? seenInBooks(document, heard) : isGone ? null : receipt && seenIn(receipt),
    gone: isGone,
    exempt: isExempt,
    problem: problem ?? (isLeft ? { code: 'was_exempt' } : null),
    lookAgainAt: document && problem?.code === 'document_future' ? dayOf(document.date) : null,
  };
}

const seenInBooks = (document: BooksDocument, { source, begunAt }: Heard): DocumentResult => ({
  number: document.number,
  date: document.date,
  status: document.status,
  customerId: document.customer.id,
  customerName: document.customer.name,
  currency: document.currency,
  total: document.total,
  locationId: document.locationId,
  createdAt: document.createdAt,
  // What only a hint led to is not known to the poll: the poll, which asks Zoho itself, must still
  // find it.
  modifiedAt:
    source === 'hint' ? null : document.modifiedAt && knownAt(document.modifiedAt, begunAt),
});

const seenIn = ({ documentNumber, documentDate, sale }: KnownReceipt): DocumentResult => ({
  number: documentNumber,
  date: documentDate,
  status: '',
  customerId: sale.customerId,
  customerName: sale.buyer.name,
  currency: sale.currency,
  total: sale.total,
  locationId: null,
  createdAt: null,
  modifiedAt: null,
});

/**
 * Returns when a day has begun everywhere: a document of tomorrow is sealed tomorrow, and nothing
 * in Zoho would say that it has come.
 */
const dayOf = (day: string): Date => new Date(`${day}T00:00:00Z`);
