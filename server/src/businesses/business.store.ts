import type { Tx } from '../platform/db/database.ts';
import { fromJson, json, query, queryOne } from '../platform/db/query.ts';
import { type Branding, type Business, type BusinessSettings, defaultSettings } from './business.model.ts';

/** The business of this transaction; throws where it does not exist, because nothing can be done without it. */
export async function getBusiness(tx: Tx): Promise<Business> {
  const row = await queryOne<Record<string, unknown>>(tx, 'select *, go_live_date::text as go_live from business');
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
    branding: fromJson<Branding>(row.branding),
    dataKey: row.data_key as string,
  };
}

export async function insertBusiness(tx: Tx, business: Business, at: Date): Promise<void> {
  await query(
    tx,
    `insert into business (business_id, business_name, email, location, tin_number, phone_number, status, country, vat_registered,
       go_live_date, settings, branding, data_key, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14)`,
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
      json(business.branding),
      business.dataKey,
      at,
    ],
  );
}
