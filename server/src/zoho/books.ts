import { add, compare } from '@muhuri/shared/money';
import type { ProblemCode } from '@muhuri/shared/problems';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import { hasPhoneNumber, isKnownPhone, isOtherThanPhone } from '../platform/phone.ts';
import type {
  Books,
  BooksSource,
  ListedDocument,
  ReadDocument,
  UnreadableRow,
} from '../ports/books.ts';
import type { BooksDocument, Unread } from '../model/books-document.model.ts';
import type { ZohoClient } from './client.ts';
import type { Json } from './parse-json.ts';
import { amount, amountIn, list, text, word } from './fields.ts';
import { namedInvoices } from './named-invoices.ts';
import { readDocument } from './read-document.ts';
import { dayIn, madeAt, readTime, zohoTime } from './zoho-time.ts';

const currencyMs = 10 * 60_000;
const mobileMs = 5 * 60_000;
const keptMax = 5_000;
/**
 * What one record may be answered with while all others are given; anything else is of the
 * connection.
 */
const ofOneRecord: ProblemCode[] = ['books_unavailable', 'books_refused'];

/**
 * Zoho Books in our words. `countries`: where the people on its documents are called by numbers
 * without a country's code.
 */
export function zohoBooks(client: ZohoClient, clock: Clock, countries: string[]): Books {
  const currencies = new Map<string, { code: string; places: number; until: number }>();
  // A number that is known is believed for a while; one that is missing, or none, is looked up
  // every time, because somebody may just be mending it.
  const mobiles = new Map<string, { mobile: string; until: number }>();
  const flying = new Map<string, Promise<ReadDocument>>();

  const isKnown = (mobile: string) => isKnownPhone(mobile, countries);

  /**
   * The buyer's mobile: the first that is known to be a number, of a person on the document, else
   * of the contact; only where none is, what merely has digits enough. Only the contact's own is
   * remembered for its next document.
   */
  const mobileOf = async (
    source: BooksSource,
    raw: { [key: string]: Json },
  ): Promise<string | null> => {
    const onDocument = mobilesOnDocument(raw);
    const known = onDocument.find(isKnown);
    const likely = onDocument.find(hasPhoneNumber) ?? null;
    if (known !== undefined || !text(raw.customer_id)) return known ?? likely;
    const ofContact = await rememberedOfContact(source, text(raw.customer_id));
    return likely !== null && !(ofContact !== null && isKnown(ofContact)) ? likely : ofContact;
  };

  const rememberedOfContact = async (
    source: BooksSource,
    customer: string,
  ): Promise<string | null> => {
    const key = `${source.organizationId}/${customer}`;
    const known = mobiles.get(key);
    if (known && known.until > clock.now().getTime()) return known.mobile;
    const written = await mobilesOfContact(client, source, customer);
    // Where none is a number, a person is told what stands there; what only fills the field is as
    // good as nothing.
    const mobile =
      written.find(isKnown) ??
      written.find(hasPhoneNumber) ??
      written.find((each) => each !== '' && !isOtherThanPhone(each)) ??
      null;
    if (mobiles.size > keptMax) mobiles.clear();
    if (mobile !== null && hasPhoneNumber(mobile))
      mobiles.set(key, { mobile, until: clock.now().getTime() + mobileMs });
    return mobile;
  };

  /**
   * What the organization keeps its books in. What is known is believed for a while, but only of a
   * document that nothing is converted for: any other is priced by the organization as it is after
   * the document was fetched, since nothing in a document tells that its decimals were changed.
   */
  const baseCurrency = async (
    source: BooksSource,
    raw: { [key: string]: Json },
  ): Promise<{ code: string; places: number }> => {
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

  const read = async (
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

  return {
    /**
     * Calls for the same document at once share one reading: two clicks cost one call of the
     * organization's minute.
     */
    readDocument(source, module, id) {
      const key = `${source.organizationId}/${source.grantId}/${module}/${id}/${JSON.stringify(source.customFields)}`;
      const running = flying.get(key) ?? read(source, module, id).finally(() => flying.delete(key));
      flying.set(key, running);
      return running;
    },
    async listModified(source, module, since, max) {
      // By id: between two pages a row may move to the next one, and stand on both.
      const rows = new Map<string, ListedDocument>();
      const unreadable = new Map<string | number, UnreadableRow>();
      const all = (isWhole: boolean) => ({
        rows: [...rows.values()],
        unreadable: [...unreadable.values()].filter((each) => !each.id || !rows.has(each.id)),
        isWhole,
      });
      for (let page = 1; ; page++) {
        const query = {
          per_page: '200',
          page: String(page),
          sort_column: 'last_modified_time',
          sort_order: 'D',
        };
        const answer = await client.get(
          source,
          `/${module}`,
          since ? { ...query, last_modified_time: zohoTime(since) } : query,
        );
        if (answer.is === 'missing') return all(true);
        const given = answer.body[module];
        if (!Array.isArray(given))
          throw new AppError('books_unavailable', {}, 'no list in the answer');
        const found: ListedDocument[] = [];
        for (const row of given) {
          const read = listed(module, row, answer.aheadMs ?? 0);
          if ('field' in read) unreadable.set(read.id ?? unreadable.size, read);
          else found.push(read);
        }
        // A filter Zoho did not understand is passed over without a word; then the order alone must
        // tell where to stop.
        const fresh = found.filter((each) => !since || each.modifiedAt >= since);
        for (const each of fresh.slice(0, max - rows.size))
          if (!rows.has(each.id)) rows.set(each.id, each);
        const { page_context: context } = answer.body as {
          page_context?: { has_more_page?: Json; search_criteria?: Json };
        };
        const isFiltered = list(context?.search_criteria).some(
          (each) => text(each.column_name) === 'last_modified_time',
        );
        const isSorted = found.every(
          (each, i) => i === 0 || each.modifiedAt <= (found[i - 1] as ListedDocument).modifiedAt,
        );
        const isPast = !isFiltered && isSorted && fresh.length < found.length;
        if (context?.has_more_page !== true || isPast) return all(true);
        if (rows.size >= max) return all(false);
      }
    },
    async readRecent(source, limit) {
      const answer = await client.get(source, '/invoices', {
        per_page: String(limit),
        sort_column: 'date',
        sort_order: 'D',
      });
      if (answer.is === 'missing') return [];
      return list(answer.body.invoices).map((row) => ({
        id: text(row.invoice_id),
        number: text(row.invoice_number),
        status: text(row.status),
      }));
    },
    async readNames(source, kind) {
      const [path, key, idKey, nameKey] = (
        {
          tax: ['/settings/taxes', 'taxes', 'tax_id', 'tax_name'],
          item: ['/items', 'items', 'item_id', 'name'],
          location: ['/locations', 'locations', 'location_id', 'location_name'],
        } as const
      )[kind];
      const answer = await client.get(source, path, { per_page: '200' });
      if (answer.is === 'missing') return [];
      return list(answer.body[key]).map((row) => ({
        id: text(row[idKey]),
        name: text(row[nameKey]),
      }));
    },
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

/** A row of a list, or what keeps it from being one. */
function listed(
  module: ListedDocument['module'],
  given: Json,
  aheadMs: number,
): ListedDocument | UnreadableRow {
  const [row = {}] = list([given]);
  const idKey = module === 'invoices' ? 'invoice_id' : 'creditnote_id';
  const id = text(row[idKey]);
  const number = text(row[module === 'invoices' ? 'invoice_number' : 'creditnote_number']);
  const [date, modifiedAt] = [
    dayIn(text(row.date)) ?? text(row.date),
    readTime(text(row.last_modified_time)),
  ];
  const total =
    typeof row.total !== 'object' && typeof row.total !== 'boolean' && text(row.total) === ''
      ? '0'
      : amountIn(row.total);
  const odd = (field: string) => ({ id, number, date: dayIn(date) ?? '', field });
  if (!/^\d{1,25}$/.test(id)) return { ...odd(idKey), id: null };
  if (date !== '' && dayIn(date) === null) return odd('date');
  if (total === null) return odd('total');
  if (modifiedAt.getTime() === 0) return odd('last_modified_time');
  return {
    module,
    id,
    number,
    date,
    status: word(row.status),
    customer: { id: text(row.customer_id), name: text(row.customer_name) },
    currency: text(row.currency_code).toUpperCase(),
    total,
    locationId: text(row.location_id) || text(row.branch_id) || null,
    createdAt: madeAt(text(row.created_time), aheadMs),
    modifiedAt,
  };
}

/** Of the people chosen on the document itself. */
const mobilesOnDocument = (raw: { [key: string]: Json }): string[] =>
  [...list(raw.contact_persons_associated), ...list(raw.contact_persons_details)].flatMap(
    ({ mobile, phone }) => [text(mobile), text(phone)],
  );

async function mobilesOfContact(
  client: ZohoClient,
  source: BooksSource,
  customer: string,
): Promise<string[]> {
  const answer = await client.get(source, `/contacts/${customer}`);
  const contact =
    answer.is === 'found'
      ? (answer.body.contact as { [key: string]: Json } | undefined)
      : undefined;
  if (!contact) return [];
  const people = list(contact.contact_persons);
  const primary = people.find((each) => each.is_primary_contact === true) ?? people[0];
  return [contact.mobile, primary?.mobile, contact.phone, primary?.phone].map(text);
}

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
