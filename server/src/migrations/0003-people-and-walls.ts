import { Migration } from '@mikro-orm/migrations';
import { addBusinessTable } from './business-table.ts';

/** Tables whose ids a caller may ask for: the lookup role sees their ids, so that a miss can be told from an attempt. */
const askable = [
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

/** The two questions that may be asked across businesses. */
const functions = ['id_stands_elsewhere', 'grant_serves_elsewhere'];

export default class PeopleAndWalls extends Migration {
  override up(): void {
    this.addSql(
      "alter table business add version int not null default 1, add setup jsonb not null default '{}', add quotas jsonb not null default '{}'",
    );
    this.addSql(
      'alter table membership add version int not null default 1, add ended_at timestamptz',
    );
    for (const table of ['session', 'reference.operator_session'])
      this.addSql(
        `alter table ${table} add address text, add user_agent text, add last_seen_at timestamptz, add verified_at timestamptz`,
      );
    this.addSql('alter table device add last_upstream_at timestamptz, add probe jsonb');
    this.addSql('create index receipt_opened on receipt (business_id, opened_at desc, id desc)');

    addBusinessTable(
      this,
      'invitation',
      `business_id text not null, id text not null, email text not null, role text not null check (role in ('business_admin', 'business_user')),
       permissions text[] not null, secret_hash text not null, invited_by text not null, expires_at timestamptz not null,
       accepted_at timestamptz, accepted_by text, withdrawn_at timestamptz, created_at timestamptz not null,
       primary key (business_id, id), unique (business_id, secret_hash)`,
    );
    addBusinessTable(
      this,
      'api_key',
      `business_id text not null, id text not null, name text not null, prefix text not null, secret_hash text not null, scopes text[] not null,
       created_by text not null, created_at timestamptz not null, expires_at timestamptz, last_used_at timestamptz, revoked_at timestamptz,
       primary key (business_id, id), unique (business_id, secret_hash)`,
    );
    addBusinessTable(
      this,
      'support_access',
      `business_id text not null, id text not null, operator_id text not null, operator_name text not null, reason text not null,
       begun_at timestamptz not null, until timestamptz not null, ended_at timestamptz,
       primary key (business_id, id)`,
    );
    addBusinessTable(
      this,
      'miss',
      `business_id text not null, id text not null, at timestamptz not null, actor_type text not null, actor_id text not null,
       route text not null, asked text not null, origin text, looked_at timestamptz,
       primary key (business_id, id)`,
      'select, insert, update, delete',
    );
    this.addSql('create index miss_open on miss (business_id, at) where looked_at is null');
    addBusinessTable(
      this,
      'trail_head',
      'business_id text not null primary key, position bigint not null, hash text not null',
    );
    addBusinessTable(
      this,
      'receipt_day',
      `business_id text not null, day date not null, branch_id text not null, kind text not null, outcome text not null, code text not null,
       count bigint not null, total numeric(20, 2) not null,
       primary key (business_id, day, branch_id, kind, outcome, code)`,
    );
    addBusinessTable(
      this,
      'usage_day',
      'business_id text not null, day date not null, what text not null, used bigint not null, primary key (business_id, day, what)',
    );
    this.addSql('create index audit_at on audit (business_id, at desc, id desc)');

    this.addSql(
      `alter table reference.person add data_key text, add totp_secret text, add totp_confirmed_at timestamptz, add totp_last_step bigint,
         add password_changed_at timestamptz`,
    );
    this.addSql(
      'alter table reference.business_directory add updated_at timestamptz, add version int not null default 1',
    );
    this.addSql(
      'create index directory_newest on reference.business_directory (created_at desc, business_id desc)',
    );
    const reference = (
      name: string,
      columns: string,
      rights = 'select, insert, update, delete',
    ) => {
      this.addSql(`create table reference.${name} (${columns})`);
      this.addSql(`grant ${rights} on reference.${name} to muhuri_platform`);
    };
    this.addSql('grant delete on reference.membership_index to muhuri_platform');
    reference(
      'sign_in',
      `id text primary key, at timestamptz not null, username text not null, person_id text, address text not null, succeeded boolean not null,
       user_agent text`,
    );
    this.addSql('create index sign_in_pair on reference.sign_in (username, address, at desc)');
    this.addSql('create index sign_in_address on reference.sign_in (address, at desc)');
    this.addSql(
      'create index sign_in_person on reference.sign_in (person_id, at desc) where person_id is not null',
    );
    reference(
      'person_token',
      `secret_hash text primary key, kind text not null check (kind in ('password_reset', 'first_operator')), person_id text references reference.person,
       expires_at timestamptz not null, used_at timestamptz, created_at timestamptz not null`,
    );
    reference(
      'business_totals',
      `business_id text primary key, signed bigint not null, refused bigint not null, queued bigint not null, in_doubt bigint not null,
       signed_today bigint not null, oldest_unsigned_at timestamptz, last_contact_at timestamptz, devices bigint not null, devices_paused bigint not null,
       people bigint not null, requests_today bigint not null, alerts bigint not null, updated_at timestamptz not null`,
      'select, insert, update',
    );
    reference(
      'wall_attempt',
      `id text primary key, at timestamptz not null, business_id text not null, actor_type text not null, actor_id text not null, route text not null,
       asked text not null, origin text, told_at timestamptz`,
    );
    this.addSql('create index wall_attempt_at on reference.wall_attempt (at desc, id desc)');
    reference(
      'platform_audit',
      `id text primary key, at timestamptz not null, actor_type text not null, actor_id text not null, origin text, action text not null,
       subject text not null, before jsonb, after jsonb, request_id text`,
      'select, insert',
    );

    for (const table of askable) {
      this.addSql(`create policy lookup on ${table} for select to muhuri_lookup using (true)`);
      this.addSql(`grant select (business_id, id) on ${table} to muhuri_lookup`);
    }
    this.addSql('create policy lookup on business for select to muhuri_lookup using (true)');
    this.addSql('grant select (business_id) on business to muhuri_lookup');
    this.addSql('grant usage, create on schema public to muhuri_lookup');
    this.addSql(`
      create function id_stands_elsewhere(asked text, own_business text) returns boolean
      language sql stable security definer set search_path = pg_catalog, public as $$
        select exists (
          ${askable.map((table) => `select 1 from public.${table} where id = asked and business_id <> own_business`).join(' union all ')}
          union all select 1 from public.business where business_id = asked and business_id <> own_business)
      $$`);
    // A grant may serve several businesses that never see each other: whether another one still lives by it is all that may be asked.
    this.addSql('grant select (grant_id, status) on connection to muhuri_lookup');
    this.addSql(`
      create function grant_serves_elsewhere(asked text, own_business text) returns boolean
      language sql stable security definer set search_path = pg_catalog, public as $$
        select exists (select 1 from public.connection where grant_id = asked and business_id <> own_business and status <> 'ended')
      $$`);
    for (const each of functions)
      this.addSql(`alter function ${each}(text, text) owner to muhuri_lookup`);
    this.addSql('revoke create on schema public from muhuri_lookup');
    // The owner has given the functions away; their new owner says who may ask.
    this.addSql('set role muhuri_lookup');
    for (const each of functions) {
      this.addSql(`revoke all on function ${each}(text, text) from public`);
      this.addSql(`grant execute on function ${each}(text, text) to muhuri_platform`);
    }
    this.addSql('reset role');
    this.addSql('grant usage on schema public to muhuri_platform');
  }

  override down(): void {
    this.addSql('set role muhuri_lookup');
    for (const each of functions) this.addSql(`drop function ${each}(text, text)`);
    this.addSql('reset role');
    this.addSql('revoke usage on schema public from muhuri_platform');
    this.addSql('revoke usage on schema public from muhuri_lookup');
    for (const table of [...askable, 'business'])
      this.addSql(`drop policy if exists lookup on ${table}`);
    for (const table of [
      'receipt',
      'branch',
      'device',
      'membership',
      'print',
      'alert',
      'connection',
      'item',
      'audit',
      'business',
    ])
      this.addSql(`revoke all on ${table} from muhuri_lookup`);
    this.addSql(
      'drop table reference.platform_audit, reference.wall_attempt, reference.business_totals, reference.person_token, reference.sign_in',
    );
    this.addSql('drop index reference.directory_newest');
    this.addSql('alter table reference.business_directory drop updated_at, drop version');
    this.addSql(
      'alter table reference.person drop data_key, drop totp_secret, drop totp_confirmed_at, drop totp_last_step, drop password_changed_at',
    );
    this.addSql('drop index audit_at');
    this.addSql(
      'drop table usage_day, receipt_day, trail_head, miss, support_access, api_key, invitation',
    );
    this.addSql('drop index receipt_opened');
    this.addSql('alter table device drop last_upstream_at, drop probe');
    for (const table of ['session', 'reference.operator_session'])
      this.addSql(
        `alter table ${table} drop address, drop user_agent, drop last_seen_at, drop verified_at`,
      );
    this.addSql('alter table membership drop version, drop ended_at');
    this.addSql('alter table business drop version, drop setup, drop quotas');
  }
}
