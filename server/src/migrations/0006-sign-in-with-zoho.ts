import { Migration } from '@mikro-orm/migrations';

/** Pairings of a panel with an approval at Zoho, sessions that are renewed instead of extended, and which Zoho user a member is. */
export default class SignInWithZoho extends Migration {
  override up(): void {
    this.addSql('alter table membership add zoho_user_id text');
    this.addSql(
      'create unique index membership_zoho_user on membership (business_id, zoho_user_id) where zoho_user_id is not null',
    );
    this.addSql(
      `alter table session add family text, add refresh_hash text, add previous_hash text, add renew_until timestamptz, add zoho_user_id text,
         add zoho_checked_at timestamptz`,
    );
    this.addSql(
      'create unique index session_family on session (business_id, family) where family is not null',
    );
    // Looked up by a code before anybody knows which business it is about, so it stands beside the businesses.
    this.addSql(
      `create table reference.pairing (
         id text primary key, organization_id text not null, business_id text, poll_hash text not null, poll_tries int not null default 0,
         code_hash text not null, state text not null check (state in ('waiting', 'approving', 'asked', 'approved', 'refused', 'used')), refusal text,
         panel_address text not null, panel_agent text, created_at timestamptz not null, expires_at timestamptz not null,
         state_hash text, browser_hash text, accounts_server text, approval_address text, zoho_user jsonb, membership_id text)`,
    );
    this.addSql(
      "create unique index pairing_code on reference.pairing (code_hash) where state = 'waiting'",
    );
    this.addSql(
      'create unique index pairing_state on reference.pairing (state_hash) where state_hash is not null',
    );
    this.addSql('create index pairing_panel on reference.pairing (panel_address, created_at desc)');
    this.addSql('grant select, insert, update, delete on reference.pairing to muhuri_platform');
  }

  override down(): void {
    this.addSql('drop table reference.pairing');
    this.addSql('drop index session_family');
    this.addSql(
      'alter table session drop family, drop refresh_hash, drop previous_hash, drop renew_until, drop zoho_user_id, drop zoho_checked_at',
    );
    this.addSql('drop index membership_zoho_user');
    this.addSql('alter table membership drop zoho_user_id');
  }
}
