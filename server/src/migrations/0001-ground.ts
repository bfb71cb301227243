import { Migration } from '@mikro-orm/migrations';
import { getConstructionPlans } from 'pg-boss';

/**
 * Tables of a business: `business_id` first in every key and index, row security forced. Attempts, signatures and the trail name no
 * foreign key to the business itself: every receipt of a business would lock its one row, and row security already holds the column.
 */
const tables: Record<string, string> = {
  business: `
    business_id text primary key check (business_id <> ''),
    business_name text not null, email text not null, location text not null, tin_number text not null, phone_number text not null,
    status text not null check (status in ('pending', 'active', 'suspended', 'closed')),
    country text not null, vat_registered boolean not null,
    go_live_date date not null,
    settings jsonb not null, branding jsonb not null,
    data_key text not null,
    created_at timestamptz not null, updated_at timestamptz not null`,
  membership: `
    business_id text not null references business, id text not null,
    person_id text not null, role text not null check (role in ('business_admin', 'business_user')),
    permissions text[] not null, status text not null check (status in ('active', 'ended')),
    created_at timestamptz not null,
    primary key (business_id, id), unique (business_id, person_id)`,
  session: `
    business_id text not null references business, id text not null,
    membership_id text not null, expires_at timestamptz not null, created_at timestamptz not null,
    primary key (business_id, id),
    foreign key (business_id, membership_id) references membership (business_id, id)`,
  connection: `
    business_id text not null references business, id text not null,
    grant_id text not null, organization_id text not null,
    status text not null check (status in ('active', 'needs_reconnecting', 'ended')),
    created_at timestamptz not null, ended_at timestamptz,
    primary key (business_id, id)`,
  branch: `
    business_id text not null references business, id text not null,
    branch_code text not null, name text not null, address text not null, created_at timestamptz not null,
    primary key (business_id, id), unique (business_id, branch_code)`,
  device: `
    business_id text not null references business, id text not null,
    branch_id text not null, dialect text not null, serial text not null,
    environment text not null check (environment in ('sandbox', 'production')),
    address text not null, transport text not null check (transport in ('direct', 'agent')),
    state text not null check (state in ('new', 'active', 'paused')), problem jsonb,
    sdc_id text, mrc_number text, secrets text,
    next_invoice_number bigint, free_numbers bigint[] not null default '{}',
    last_total_receipt_number bigint, last_contact_at timestamptz,
    lane_holder text, lane_until timestamptz, lane_next_at timestamptz, lane_tries int not null default 0,
    open_attempt text,
    created_at timestamptz not null,
    primary key (business_id, id), unique (business_id, branch_id),
    foreign key (business_id, branch_id) references branch (business_id, id)`,
  mapping: `
    business_id text not null references business, kind text not null, key text not null,
    value jsonb not null, updated_at timestamptz not null,
    primary key (business_id, kind, key)`,
  code_list: `
    business_id text not null references business, device_id text not null, list text not null, code text not null,
    name text not null, data jsonb not null, position int not null, synced_at timestamptz not null,
    primary key (business_id, device_id, list, code),
    foreign key (business_id, device_id) references device (business_id, id)`,
  item: `
    business_id text not null references business, id text not null,
    source text not null, item_code text not null, content jsonb not null,
    registered jsonb, claimed_by text, claimed_until timestamptz, created_at timestamptz not null,
    primary key (business_id, id), unique (business_id, source), unique (business_id, item_code)`,
  receipt: `
    business_id text not null references business, id text not null,
    module text not null check (module in ('invoices', 'creditnotes')), document_id text not null,
    kind text not null check (kind in ('sale', 'refund')),
    document_number text not null, document_date date not null,
    branch_id text not null, device_id text not null,
    sale jsonb not null, document_hash text not null, answers jsonb not null,
    sale_receipt_id text,
    state text not null check (state in ('queued', 'signed', 'refused', 'in_doubt', 'withdrawn')),
    invoice_number bigint, problem jsonb, drift jsonb,
    queued_at timestamptz not null, read_at timestamptz, next_try_at timestamptz, tries int not null default 0,
    needs_registering boolean not null, doubt_since timestamptz, total_before_doubt bigint,
    opened_at timestamptz not null, updated_at timestamptz not null,
    primary key (business_id, id), unique (business_id, module, document_id, kind),
    foreign key (business_id, device_id) references device (business_id, id),
    foreign key (business_id, sale_receipt_id) references receipt (business_id, id)`,
  attempt: `
    business_id text not null, id text not null,
    receipt_id text not null, device_id text not null, invoice_number bigint not null, is_resend boolean not null,
    request text not null, worker text not null,
    started_at timestamptz not null, ended_at timestamptz, socket_closed_at timestamptz, socket_until timestamptz not null,
    outcome text check (outcome in ('signed', 'refused', 'number_taken', 'not_served', 'unreachable', 'in_doubt')),
    may_have_left boolean not null default true,
    settled text check (settled in ('signed', 'not_signed', 'not_ours', 'doubtful')),
    device_code text, device_text text, response text,
    primary key (business_id, id),
    foreign key (business_id, receipt_id) references receipt (business_id, id)`,
  signature: `
    business_id text not null, receipt_id text not null,
    device_id text not null, invoice_number bigint not null,
    receipt_number bigint not null, total_receipt_number bigint not null,
    internal_data text not null, receipt_signature text not null, sdc_id text not null, mrc_number text not null,
    signed_at timestamptz not null, verification_url text not null, label text not null,
    source text not null check (source in ('device', 'late_answer', 'read_back', 'person')), evidence jsonb,
    recorded_at timestamptz not null,
    primary key (business_id, receipt_id),
    unique (business_id, device_id, invoice_number), unique (business_id, sdc_id, total_receipt_number),
    foreign key (business_id, receipt_id) references receipt (business_id, id)`,
  print: `
    business_id text not null references business, id text not null,
    receipt_id text not null, number int not null, paper text not null check (paper in ('a4', '80mm')),
    pdf bytea not null, printed_by text not null, printed_at timestamptz not null,
    link_hash text, link_until timestamptz,
    primary key (business_id, id), unique (business_id, receipt_id, number),
    foreign key (business_id, receipt_id) references receipt (business_id, id)`,
  idempotency_key: `
    business_id text not null references business, actor text not null, route text not null, key text not null,
    body_hash text not null, response jsonb, created_at timestamptz not null,
    primary key (business_id, actor, route, key)`,
  audit: `
    business_id text not null check (business_id <> ''), id text not null,
    at timestamptz not null, actor_type text not null, actor_id text not null, origin text,
    action text not null, subject text not null, before jsonb, after jsonb, request_id text,
    position bigint, previous_hash text, hash text,
    primary key (business_id, id)`,
};

const indexes = [
  "create index receipt_lane on receipt (business_id, device_id, state, queued_at, id) where state in ('queued', 'in_doubt')",
  'create index receipt_refunds on receipt (business_id, sale_receipt_id) where sale_receipt_id is not null',
  'create index attempt_receipt on attempt (business_id, receipt_id, started_at)',
  'create index attempt_number on attempt (business_id, device_id, invoice_number)',
  'create index signature_text on signature (business_id, sdc_id, receipt_signature)',
  'create index session_membership on session (business_id, membership_id)',
  'create index print_link on print (business_id, link_hash) where link_hash is not null',
  "create unique index connection_active on connection (business_id) where status <> 'ended'",
  'create unique index audit_position on audit (business_id, position) where position is not null',
  'create index audit_unsealed on audit (business_id, at) where position is null',
];

/** What is unique across businesses, and what belongs to none. Reached by the platform role only; the exam names each table. */
const reference: Record<string, string> = {
  person: `
    id text primary key, username text not null unique, email text not null, name text not null,
    password_hash text not null, status text not null check (status in ('active', 'ended')),
    is_operator boolean not null default false, created_at timestamptz not null`,
  membership_index: `
    person_id text not null references reference.person, business_id text not null, membership_id text not null,
    primary key (person_id, business_id)`,
  business_directory: `
    business_id text primary key, name text not null, status text not null,
    tin_number text not null unique, email text not null unique, organization_id text unique, created_at timestamptz not null`,
  '"grant"': `
    id text primary key, accounts_server text not null, api_domain text not null,
    client_id text not null, data_key text not null, client_secret text not null, refresh_token text not null,
    access_token text, access_expires_at timestamptz, status text not null check (status in ('active', 'dead')),
    lease_holder text, lease_until timestamptz, blocked_until timestamptz, created_at timestamptz not null`,
  operator_session: `
    id text primary key, person_id text not null references reference.person,
    expires_at timestamptz not null, created_at timestamptz not null`,
};

export default class Ground extends Migration {
  override up(): void {
    this.addSql('revoke create on schema public from public');
    this.addSql('grant usage on schema public to muhuri_worker');
    for (const [name, columns] of Object.entries(tables)) {
      this.addSql(`create table ${name} (${columns})`);
      this.addSql(`alter table ${name} enable row level security`);
      this.addSql(`alter table ${name} force row level security`);
      // A transaction that is over leaves '' behind, not null: both must mean no business, hence no rows.
      this.addSql(
        `create policy wall on ${name} using (business_id = nullif(current_setting('app.business_id', true), ''))`,
      );
      this.addSql(
        `grant select, insert${name === 'audit' ? ' , update (position, previous_hash, hash)' : ', update'} on ${name} to muhuri_worker`,
      );
    }
    this.addSql('grant delete on session, code_list, idempotency_key to muhuri_worker');
    for (const statement of indexes) this.addSql(statement);
    // Rows that change a few times after they are made: room on their page spares their indexes.
    for (const name of ['receipt', 'attempt', 'device'])
      this.addSql(`alter table ${name} set (fillfactor = 70)`);

    this.addSql('create schema reference');
    this.addSql('grant usage on schema reference to muhuri_platform');
    for (const [name, columns] of Object.entries(reference)) {
      this.addSql(`create table reference.${name} (${columns})`);
      this.addSql(`grant select, insert, update on reference.${name} to muhuri_platform`);
    }
    this.addSql('grant delete on reference.operator_session to muhuri_platform');

    // The queue's own schema, made here so that the queue's login needs no right to create. The library's plan brings its own
    // transaction; ours is already open.
    this.addSql(
      getConstructionPlans('pgboss')
        .replace(/^\s*BEGIN;/, '')
        .replace(/COMMIT;\s*$/, ''),
    );
    this.addSql(
      'select pgboss.create_queue(\'lane\', \'{"policy": "short", "notify": true, "retryLimit": 5, "deleteAfterSeconds": 3600, "retentionSeconds": 86400}\'::jsonb)',
    );
    this.addSql('grant usage on schema pgboss to muhuri_queue, muhuri_worker');
    this.addSql('grant all on all tables in schema pgboss to muhuri_queue');
    this.addSql('grant execute on all functions in schema pgboss to muhuri_queue, muhuri_worker');
    this.addSql('grant select on pgboss.queue to muhuri_worker');
    this.addSql('grant insert, select (id, start_after) on pgboss.job_common to muhuri_worker');
  }

  override down(): void {
    this.addSql('drop schema pgboss cascade');
    this.addSql('drop schema reference cascade');
    for (const name of Object.keys(tables).reverse()) this.addSql(`drop table ${name}`);
    this.addSql('revoke usage on schema public from muhuri_worker');
  }
}
