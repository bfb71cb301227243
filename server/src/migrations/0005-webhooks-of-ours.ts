import { Migration } from '@mikro-orm/migrations';
import { addBusinessTable, askAcross } from './business-table.ts';

const before = [
  'receipt',
  'branch',
  'device',
  'membership',
  'print',
  'alert',
  'api_key',
  'invitation',
  'connection',
  'item',
  'audit',
  'hook',
  'consent',
];

/** Webhooks that Muhuri sends: where to, and every message with what came of it; and how each connection does, for the operator. */
export default class WebhooksOfOurs extends Migration {
  override up(): void {
    addBusinessTable(
      this,
      'subscriber',
      `business_id text not null, id text not null, url text not null, events text[] not null, secret text not null,
       previous_secret text, previous_until timestamptz, created_at timestamptz not null, ended_at timestamptz,
       primary key (business_id, id)`,
    );
    addBusinessTable(
      this,
      'notice',
      `business_id text not null, id text not null, subscriber_id text not null, event text not null, body text not null,
       state text not null check (state in ('waiting', 'delivered', 'failed')), tries int not null default 0, next_at timestamptz,
       leased_until timestamptz, last_status int, last_error text, created_at timestamptz not null, delivered_at timestamptz,
       primary key (business_id, id), foreign key (business_id, subscriber_id) references subscriber (business_id, id)`,
      'select, insert, update, delete',
    );
    this.addSql("create index notice_due on notice (business_id, next_at) where state = 'waiting'");
    this.addSql('create index notice_at on notice (business_id, created_at desc, id desc)');
    for (const table of ['subscriber', 'notice']) {
      this.addSql(`create policy lookup on ${table} for select to muhuri_lookup using (true)`);
      this.addSql(`grant select (business_id, id) on ${table} to muhuri_lookup`);
    }
    askAcross(this, [...before, 'subscriber', 'notice']);
    this.addSql(
      'alter table reference.business_totals add zoho_status text, add zoho_calls bigint, add zoho_failed bigint, add zoho_looked_at timestamptz',
    );
  }

  override down(): void {
    askAcross(this, before);
    this.addSql(
      'alter table reference.business_totals drop zoho_status, drop zoho_calls, drop zoho_failed, drop zoho_looked_at',
    );
    this.addSql('drop table notice, subscriber');
  }
}
