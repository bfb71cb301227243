import type { StoredProblem } from '@muhuri/shared/problems';
import { cut } from '@muhuri/shared/text';
import type { BooksDocument } from '../../model/books-document.model.ts';
import type { Answers, Setup } from './sale-setup.model.ts';

/**
 * Of invoices and of credit notes: what is sent out counts, whatever has been paid or used of it
 * since.
 */
const statusesSettled = [
  'sent',
  'viewed',
  'overdue',
  'unpaid',
  'partially_paid',
  'paid',
  'open',
  'closed',
];
const statusesNotYet = ['draft', 'pending_approval', 'approved', 'rejected', 'submitted'];

/**
 * What keeps a document from being sealed as it stands in the books, whatever anybody confirms;
 * null: nothing does.
 */
export function keptBack(
  document: BooksDocument,
  { sealsApproved }: Pick<Setup, 'sealsApproved'>,
): StoredProblem | null {
  if (document.kind === 'debit_note') return { code: 'debit_note' };
  if (document.kind === 'other')
    return {
      code: 'document_kind_unknown',
      field: 'type',
      kind: document.kindInBooks,
      ...kindOf(document),
    };
  if (document.status === 'void') return { code: 'document_void', field: 'status' };
  if (
    statusesNotYet.includes(document.status) &&
    !(document.status === 'approved' && sealsApproved)
  )
    return { code: 'document_draft', field: 'status', ...kindOf(document) };
  // What a word means that Zoho has come up with since, nobody here knows: nothing is declared by
  // it.
  if (document.status !== 'approved' && !statusesSettled.includes(document.status))
    return {
      code: 'document_status_unknown',
      field: 'status',
      status_in_books: cut(document.status, 40),
      ...kindOf(document),
    };
  return null;
}

/** Checks what a document is, and when it is of; a person can confirm most of it. */
export function checkState(
  document: BooksDocument,
  setup: Setup,
  answers: Answers,
): StoredProblem[] {
  const kept = keptBack(document, setup);
  return kept
    ? [kept]
    : [...checkWhoSeals(document, setup, answers), ...checkDate(document, setup, answers)];
}

/** Says if another system may have sealed the document, or was to. */
function checkWhoSeals(
  document: BooksDocument,
  setup: Setup,
  { confirm = [] }: Answers,
): StoredProblem[] {
  const isSure = confirm.includes('sealed_elsewhere');
  // A person who says that a document was not sealed elsewhere, although somebody had said so, has
  // answered the others as well, which ask the same.
  if (isSure) return [];
  if (setup.elsewhere)
    return [{ code: 'sealed_elsewhere', field: 'document_id', ...setup.elsewhere }];
  if (isBeforeProduction(document, setup))
    return confirm.includes('before_production')
      ? []
      : [{ code: 'before_production', field: 'created_time' }];
  return setup.wasExempt && !confirm.includes('was_exempt')
    ? [{ code: 'was_exempt', field: 'document_id', ...kindOf(document) }]
    : [];
}

function checkDate(
  { date }: BooksDocument,
  setup: Setup,
  { confirm = [] }: Answers,
): StoredProblem[] {
  const findings: StoredProblem[] = [];
  if (date > setup.today) findings.push({ code: 'document_future', field: 'date' });
  if (date < setup.goLiveDate && !confirm.includes('before_go_live'))
    findings.push({ code: 'before_go_live', field: 'date' });
  else if (
    daysBetween(date, setup.today) > setup.documentAgeDaysMax &&
    !confirm.includes('document_old')
  )
    findings.push({ code: 'document_old', field: 'date' });
  return findings;
}

/**
 * What was created before its branch had a production device, or its place in the books was mapped
 * to such a branch, or was signed at the rehearsal, was a real sale of whatever system sealed until
 * then; so was, for all that is known, what does not say when it was created.
 */
const isBeforeProduction = ({ createdAt }: BooksDocument, { production }: Setup): boolean =>
  production !== null &&
  (production.isRehearsed ||
    production.since === null ||
    createdAt === null ||
    createdAt <= production.since);

/** What helps an invoice may be impossible for a credit note: a finding says that it is of one. */
export const kindOf = ({ module }: BooksDocument) => (module === 'creditnotes' ? { module } : {});

const daysBetween = (from: string, to: string) =>
  Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / 86_400_000);
