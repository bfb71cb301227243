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
];

/** Consents, webhooks in, the documents Zoho holds, what is written back to them, and every call made. */
export default class ConnectedToZoho extends Migration {
  override up(): void {
    this.addSql(
      `alter table reference."grant" add granted_by text, add scopes text not null default ''`,
    );
    this.addSql("alter table connection add quota jsonb, add polled jsonb not null default '{}'");

    addBusinessTable(
      this,
      'consent',
      `business_id text not null, id text not null, secret_hash text not null, person_id text not null, session_id text not null,
       accounts_server text not null, client_id text not null, client_secret text not null, verifier text not null, scopes text not null,
       created_at timestamptz not null, expires_at timestamptz not null, used_at timestamptz, grant_id text,
       primary key (business_id, id), unique (business_id, secret_hash)`,
    );
    addBusinessTable(
      this,
      'hook',
      `business_id text not null, id text not null, module text not null check (module in ('invoices', 'creditnotes')),
       key_hash text not null, key_prefix text not null, secret text, created_at timestamptz not null, ends_at timestamptz,
       last_delivery_at timestamptz, primary key (business_id, id), unique (business_id, key_hash)`,
    );
    addBusinessTable(
      this,
      'delivery',
      `business_id text not null, id text not null, hook_id text not null, at timestamptz not null,
       verdict text not null check (verdict in ('accepted', 'hint', 'repeated', 'stale', 'foreign', 'forged', 'malformed', 'ping')),
       module text not null, document_id text, modified_at timestamptz, dedupe_key text, digest text not null, bytes int not null, origin text,
       primary key (business_id, id)`,
      'select, insert, update, delete',
    );
    this.addSql(
      'create unique index delivery_once on delivery (business_id, dedupe_key) where dedupe_key is not null',
    );
    this.addSql('create index delivery_at on delivery (business_id, at desc, id desc)');
    addBusinessTable(
      this,
      'document',
      `business_id text not null, module text not null check (module in ('invoices', 'creditnotes')), document_id text not null,
       number text, date date, status text, customer_id text, customer_name text, currency text, total numeric(20, 4), location_id text,
       modified_at timestamptz, seen_at timestamptz not null, source text not null check (source in ('webhook', 'poll', 'hint')),
       look_at timestamptz, tries int not null default 0, leased_until timestamptz, problem jsonb, exempt boolean not null default false,
       gone boolean not null default false, primary key (business_id, module, document_id)`,
      'select, insert, update, delete',
    );
    this.addSql(
      'create index document_look on document (business_id, look_at) where look_at is not null',
    );
    this.addSql(
      'create index document_date on document (business_id, date desc, document_id desc)',
    );
    addBusinessTable(
      this,
      'write_back',
      `business_id text not null, receipt_id text not null, step text not null check (step in ('custom_fields', 'attachment', 'comment', 'mail')),
       position int not null, state text not null check (state in ('waiting', 'begun', 'done', 'skipped', 'failed')), tries int not null default 0,
       next_at timestamptz, leased_until timestamptz, problem jsonb, done_at timestamptz, created_at timestamptz not null,
       primary key (business_id, receipt_id, step), foreign key (business_id, receipt_id) references receipt (business_id, id)`,
    );
    this.addSql(
      "create index write_back_due on write_back (business_id, next_at) where state in ('waiting', 'begun')",
    );
    addBusinessTable(
      this,
      'installed_part',
      `business_id text not null, kind text not null check (kind in ('field', 'webhook', 'workflow')), name text not null, organization_id text not null,
       zoho_id text not null, api_name text, created_at timestamptz not null, primary key (business_id, kind, name)`,
      'select, insert, update, delete',
    );
    addBusinessTable(
      this,
      'zoho_call',
      `business_id text not null, id text not null, at timestamptz not null, worker text not null, organization_id text not null, purpose text not null,
       method text not null, endpoint text not null, status int, zoho_code text, ms int not null, primary key (business_id, id)`,
      'select, insert, delete',
    );
    this.addSql('create index zoho_call_at on zoho_call (business_id, at desc)');
    for (const table of ['hook', 'consent']) {
      this.addSql(`create policy lookup on ${table} for select to muhuri_lookup using (true)`);
      this.addSql(`grant select (business_id, id) on ${table} to muhuri_lookup`);
    }
    askAcross(this, [...before, 'hook', 'consent']);
  }

  override down(): void {
    askAcross(this, before);
    this.addSql(
      'drop table zoho_call, installed_part, write_back, document, delivery, hook, consent',
    );
    this.addSql('alter table connection drop quota, drop polled');
    this.addSql('alter table reference."grant" drop granted_by, drop scopes');
  }
}
