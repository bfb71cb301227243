import { add, compare } from '@muhuri/shared/money';
import type { ProblemCode } from '@muhuri/shared/problems';
import type { BooksDocument, Unread } from '../model/books-document.model.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { BooksSource, ReadDocument } from '../ports/books.ts';
import { buyerMobile } from './buyer-mobile.ts';
import type { ZohoClient } from './client.ts';
import { amount, amountIn, list, text } from './json-fields.ts';
import { namedInvoices } from './corrected-invoices.ts';
import type { Json } from './parse-json.ts';
import { readDocument } from './read-document.ts';

const currencyMs = 10 * 60_000;
const keptMax = 5_000;
/**
 * What one record may be answered with while all others are given; anything else is of the
 * connection.
 */
const ofOneRecord: ProblemCode[] = ['books_unavailable', 'books_refused'];

/** Reads one document, and of what stands beside it all that a receipt needs. */
export function documentReader(client: ZohoClient, clock: Clock, countries: string[]) {
  const baseCurrency = baseCurrencies(client, clock);
  const mobileOf = buyerMobile(client, clock, countries);
  return async (
    source: BooksSource,
    module: BooksDocument['module'],
    id: string,
  ): Promise<ReadDocument> => {
    const answer = await client.get(source, `/${module}/${id}`);
    if (answer.is === 'missing') return answer;
    const raw = answer.body[module === 'invoices' ? 'invoice' : 'creditnote'] as
      | { [key: string]: Json }
      | undefined;
    if (!raw) throw new AppError('books_unavailable', {}, 'no document in the answer');
    const paid = module === 'invoices' ? amount(raw, 'payment_made') : '0';
    const unread: Unread[] = [];
    /**
     * The document is there: of what stands beside it one broken record may be answered with an
     * error for ever, which is no reason to know nothing.
     */
    const beside = <T>(part: Unread, asked: Promise<T>, otherwise: T): Promise<T> =>
      asked.catch((error: unknown) => {
        if (!(error instanceof AppError) || !ofOneRecord.includes(error.code)) throw error;
        unread.push(part);
        return otherwise;
      });
    const [base, mobile, paymentModes, appliedTo] = await Promise.all([
      baseCurrency(source, raw),
      beside('contact', mobileOf(source, raw), null),
      compare(paid, '0') > 0 ? beside('payments', paymentModesOf(client, source, id), []) : [],
      module === 'creditnotes' && namedInvoices(raw).length === 0
        ? beside('applied', appliedInvoices(client, source, id), [])
        : [],
    ]);
    return {
      is: 'found',
      document: readDocument(module, id, raw, {
        baseCurrency: base.code,
        basePlaces: base.places,
        aheadMs: answer.aheadMs,
        customFields: source.customFields,
        mobile,
        paymentModes,
        appliedTo,
        unread,
      }),
    };
  };
}

type BaseCurrency = { code: string; places: number };

/**
 * What an organization keeps its books in. What is known is believed for a while, but only of a
 * document that nothing is converted for: any other is priced by the organization as it is after
 * the document was fetched, since nothing in a document tells that its decimals were changed.
 */
function baseCurrencies(client: ZohoClient, clock: Clock) {
  const currencies = new Map<string, BaseCurrency & { until: number }>();
  return async (source: BooksSource, raw: { [key: string]: Json }): Promise<BaseCurrency> => {
    const known = currencies.get(source.organizationId);
    if (known && known.until > clock.now().getTime() && isIn(known.code, raw)) return known;
    const answer = await client.get(source, `/organizations/${source.organizationId}`);
    const organization =
      answer.is === 'found'
        ? (answer.body.organization as { [key: string]: Json } | undefined)
        : undefined;
    if (!organization || text(organization.organization_id) !== source.organizationId)
      throw new AppError('books_mismatch');
    const code = text(organization.currency_code);
    const said = text(organization.price_precision);
    const places = /^[0-6]$/.test(said) ? Number(said) : 2;
    if (currencies.size > keptMax) currencies.clear();
    currencies.set(source.organizationId, {
      code,
      places,
      until: clock.now().getTime() + currencyMs,
    });
    return { code, places };
  };
}

/**
 * Whether a document is in that currency, by what it says of itself: its code, and that one of its
 * units counts for one.
 */
const isIn = (code: string, raw: { [key: string]: Json }): boolean =>
  text(raw.currency_code).toUpperCase() === code &&
  [undefined, '0', '1'].includes(withoutNoughts(amountIn(raw.exchange_rate)));

const withoutNoughts = (amount: string | null): string | undefined =>
  amount === null ? undefined : add('0', amount);

async function paymentModesOf(
  client: ZohoClient,
  source: BooksSource,
  id: string,
): Promise<string[]> {
  const answer = await client.get(source, `/invoices/${id}/payments`);
  if (answer.is === 'missing') return [];
  return [
    ...new Set(list(answer.body.payments).map((each) => text(each.payment_mode) || 'unknown')),
  ];
}

async function appliedInvoices(
  client: ZohoClient,
  source: BooksSource,
  id: string,
): Promise<string[]> {
  const answer = await client.get(source, `/creditnotes/${id}/invoices`);
  if (answer.is === 'missing') return [];
  return [...list(answer.body.invoices), ...list(answer.body.invoices_credited)].map((each) =>
    text(each.invoice_id),
  );
}
