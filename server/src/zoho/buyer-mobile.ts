import type { Clock } from '../platform/clock.ts';
import { hasPhoneNumber, isKnownPhone, isOtherThanPhone } from '../platform/phone.ts';
import type { BooksSource } from '../ports/books.ts';
import type { ZohoClient } from './client.ts';
import { list, text } from './json-fields.ts';
import type { Json } from './parse-json.ts';

const mobileMs = 5 * 60_000;
const keptMax = 5_000;

export type BuyerMobile = (
  source: BooksSource,
  raw: { [key: string]: Json },
) => Promise<string | null>;

/**
 * Finds a buyer's mobile: the first that is known to be a number, of a person on the document, else
 * of the contact; only if none is, what merely has digits enough. A contact's number is remembered
 * for its next document; one that is missing, or no number, is looked up every time, because
 * somebody may just be mending it.
 */
export function buyerMobile(client: ZohoClient, clock: Clock, countries: string[]): BuyerMobile {
  const mobiles = new Map<string, { mobile: string; until: number }>();
  const isKnown = (mobile: string) => isKnownPhone(mobile, countries);

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

  return mobileOf;
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
