import type { AppError } from '../platform/app-error.ts';
import type { Tx } from '../platform/db/database.ts';
import { fromJson, json, query, queryOne, toDate } from '../platform/db/query.ts';
import {
  type Branding,
  type Business,
  type BusinessSettings,
  defaultSettings,
  type EndedExemption,
} from './business.model.ts';
import { sha256 } from '../platform/digest.ts';

/** Separates a logo that is not ours by its hash from what readers see. */
function brandingOf(row: Record<string, unknown>): Pick<Business, 'branding' | 'foreignLogo'> {
  const branding = fromJson<Branding>(row.branding);
  const isOwn = !branding.logo || sha256(branding.logo) === row.logo_hash;
  return isOwn
    ? { branding, foreignLogo: null }
    : { branding: { ...branding, logo: null }, foreignLogo: branding.logo };
}

/** Returns what the columns hold: a logo that was not checked stays as it is, without a hash. */
const storedBranding = ({
  branding,
  foreignLogo,
}: Pick<Business, 'branding' | 'foreignLogo'>): [
  branding: ReturnType<typeof json>,
  hash: string | null,
] => [
  json({ ...branding, logo: foreignLogo ?? branding.logo }),
  !foreignLogo && branding.logo ? sha256(branding.logo) : null,
];

/**
 * Returns the business of this transaction; throws if it does not exist, because nothing can be done
 * without it.
 */
export async function getBusiness(tx: Tx, lock = false): Promise<Business> {
  const row = await queryOne<Record<string, unknown>>(
    tx,
    `select business_id, business_name, email, location, tin_number, phone_number, status, country, vat_registered,
       greatest(go_live_date, earliest_go_live)::text as go_live, settings, exempt_ended, branding, logo_hash, data_key, setup, quotas, version, created_at, updated_at
       from business ${lock ? 'for no key update' : ''}`,
  );
  if (!row) throw new Error('this transaction has no business');
  return {
    id: row.business_id as string,
    name: row.business_name as string,
    email: row.email as string,
    location: row.location as string,
    taxpayerId: row.tin_number as string,
    phone: row.phone_number as string,
    status: row.status as Business['status'],
    country: row.country as string,
    isVatRegistered: row.vat_registered as boolean,
    goLiveDate: row.go_live as string,
    settings: { ...defaultSettings, ...fromJson<Partial<BusinessSettings>>(row.settings) },
    exemptEnded: fromJson(row.exempt_ended),
    ...brandingOf(row),
    dataKey: row.data_key as string,
    setup: fromJson(row.setup),
    quotas: fromJson(row.quotas),
    version: row.version as number,
    createdAt: toDate(row.created_at),
    updatedAt: toDate(row.updated_at),
  };
}

/**
 * Returns the data key that the business's secrets are encrypted with, and holds it until this
 * transaction ends: a rotation waits for it. A secret encrypted with a key that was read and not
 * held may be stored after a rotation, and could never be decrypted again. Empty once the business is
 * closed. Called before any other row is locked, because the rotation locks this row first, too.
 */
export async function holdDataKey(tx: Tx): Promise<string> {
  const row = await queryOne<{ data_key: string | null }>(
    tx,
    'select data_key from business for share',
  );
  if (!row) throw new Error('this transaction has no business');
  return row.data_key ?? '';
}

/**
 * Refuses one more of something a business may have so many of. Its row is held until this
 * transaction ends, so that requests sent at once are counted one after the other. Called before any
 * other row of it is locked and before its data key is held, because two that hold the key already
 * would wait for each other.
 */
export async function checkRoomForOneMore(
  tx: Tx,
  most: number,
  there: () => Promise<number>,
  refusal: AppError,
): Promise<void> {
  await holdBusiness(tx);
  if ((await there()) >= most) throw refusal;
}

/**
 * Holds the business's row, so that transactions go one after the other: what one checks for, so that
 * it is there once, another does not insert meanwhile. `no key`: a row of another table names its
 * business, and a transaction that inserts it while it holds a device must not wait for us, who may
 * want that device next.
 */
export async function holdBusiness(tx: Tx): Promise<void> {
  await query(tx, 'select 1 from business for no key update', []);
}

/** Updates everything but what other use cases own; `version` grows by one. */
export async function updateBusinessRow(
  tx: Tx,
  business: Omit<Business, 'dataKey' | 'version' | 'createdAt' | 'updatedAt' | 'quotas'>,
  at: Date,
): Promise<void> {
  const [branding, logoHash] = storedBranding(business);
  await query(
    tx,
    `update business set business_name = $1, email = $2, location = $3, tin_number = $4, phone_number = $5, status = $6, vat_registered = $7, go_live_date = $8,
       settings = $9, branding = $10, setup = $11, version = version + 1, updated_at = $12, logo_hash = $13`,
    [
      business.name,
      business.email,
      business.location,
      business.taxpayerId,
      business.phone,
      business.status,
      business.isVatRegistered,
      business.goLiveDate,
      json(business.settings),
      branding,
      json(business.setup),
      at,
      logoHash,
    ],
  );
}

/** Erases the data key: no secret of the business can be decrypted again. */
export const eraseKey = (tx: Tx) => query(tx, "update business set data_key = ''");

export async function insertBusiness(
  tx: Tx,
  business: Omit<
    Business,
    'setup' | 'exemptEnded' | 'quotas' | 'version' | 'createdAt' | 'updatedAt' | 'foreignLogo'
  >,
  at: Date,
): Promise<void> {
  const [branding, logoHash] = storedBranding({ ...business, foreignLogo: null });
  await query(
    tx,
    `insert into business (business_id, business_name, email, location, tin_number, phone_number, status, country, vat_registered,
       go_live_date, settings, branding, data_key, created_at, updated_at, logo_hash)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14, $15)`,
    [
      business.id,
      business.name,
      business.email,
      business.location,
      business.taxpayerId,
      business.phone,
      business.status,
      business.country,
      business.isVatRegistered,
      business.goLiveDate,
      json(business.settings),
      branding,
      business.dataKey,
      at,
      logoHash,
    ],
  );
}

/** Keeps what was exempt and is not any more, newest first. */
export const keepExemptEnded = (tx: Tx, ended: EndedExemption[]) =>
  query(tx, 'update business set exempt_ended = $1', [json(ended)]);
