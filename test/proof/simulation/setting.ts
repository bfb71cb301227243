import { openDatabase } from '@muhuri/server/platform/db/database';
import { type World, cloneDatabase } from '../../world.ts';
import pg from 'pg';
import { loadDialects } from '@muhuri/server/dialects/index';
import { type Facts, factsOf } from './invariants.ts';
import type { Setting } from './simulate.ts';

/**
 * A database for simulations. Nothing there is flushed: what they crash is the server, not
 * PostgreSQL.
 */
export async function openSetting(
  postgres: World['postgres'],
): Promise<Setting & { close(): Promise<void> }> {
  const clone = await cloneDatabase(postgres);
  const admin = new pg.Client({ connectionString: clone.urls.admin });
  await admin.connect();
  await admin.query(
    `alter database "${new URL(clone.urls.admin).pathname.slice(1)}" set synchronous_commit = off`,
  );
  const database = await openDatabase(clone.urls.app, 2);
  const mappings = [
    ['tax', 'vat', { tax_class: 'B' }],
    [
      'item',
      'default',
      {
        item_class: '5020170600',
        item_type: '2',
        package_unit: 'NT',
        quantity_unit: 'U',
        origin: 'RW',
      },
    ],
    ['payment_mode', 'Cash', { payment_method: '01' }],
  ];
  return {
    database,
    dialects: await loadDialects(),
    async readFacts(businessId) {
      const { rows } = await admin.query({ name: 'facts', text: factsOf, values: [businessId] });
      return rows.map((row: { facts: string }) => JSON.parse(row.facts) as Facts);
    },
    async newBusiness(businessId, environment) {
      const [branchId, deviceId] = [`brn_${businessId}`, `dev_${businessId}`];
      await admin.query(
        `with b as (insert into business (business_id, business_name, email, location, tin_number, phone_number, status, country, vat_registered, go_live_date, settings, branding, data_key, created_at, updated_at)
             values ($1, 'Simulated', 's@example.rw', 'Kigali', '100200300', '0788', 'active', 'RW', true, '2026-01-01', '{"auto_seal":"sent"}', $2, '', now(), now())),
           c as (insert into connection (business_id, id, grant_id, organization_id, status, created_at) values ($1, 'con_' || $1, 'grt', '1', 'active', now())),
           r as (insert into branch (business_id, id, branch_code, name, address, created_at, production_since)
             values ($1, $3, '00', 'Kigali', 'KG 11', now(), case when $6 = 'production' then '2026-01-01'::timestamptz end)),
           m as (insert into mapping (business_id, kind, key, value, updated_at) select $1, x->>0, x->>1, x->2, now() from jsonb_array_elements($5::jsonb) x)
         insert into device (business_id, id, branch_id, dialect, serial, environment, address, transport, state, sdc_id, mrc_number, next_invoice_number, created_at)
           values ($1, $4, $3, 'rw-vsdc', 'simulated', $6, 'http://127.0.0.1:1', 'direct', 'active', 'SDC010000001', 'WIS00000001', 1, now())`,
        [
          businessId,
          JSON.stringify({
            trade_name: 'S',
            address_lines: [],
            top_message: '',
            bottom_message: '',
          }),
          branchId,
          deviceId,
          JSON.stringify(mappings),
          environment,
        ],
      );
      return { branchId, deviceId };
    },
    async close() {
      await database.close();
      await admin.end();
      await clone.drop();
    },
  };
}
