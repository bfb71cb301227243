import { Migration } from '@mikro-orm/migrations';
import { addBusinessTable } from './business-table.ts';

const kindsBefore = "('password_reset', 'first_operator')";
const kindsNow = "('password_reset', 'first_operator', 'email_change', 'operator_invitation')";

/**
 * What an account needs so that nobody enters by guessing and nobody is locked out for ever: tries that are counted, addresses that
 * are confirmed, recovery codes, remembered devices and the way back that others decide.
 */
export default class SecondFactorAtTheDoor extends Migration {
  override up(): void {
    const reference = (name: string, columns: string) => {
      this.addSql(`create table reference.${name} (${columns})`);
      this.addSql(`grant select, insert, update, delete on reference.${name} to muhuri_platform`);
    };
    this.addSql(
      `alter table reference.person drop constraint person_status_check,
         add constraint person_status_check check (status in ('active', 'ended', 'blocked')),
         add email_verified_at timestamptz, add last_sign_in_at timestamptz`,
    );
    // Whoever opened an invitation has the address it went to; nothing is known of the other addresses.
    this.addSql(`
      do $$ declare each text; begin
        for each in select business_id from reference.business_directory loop
          perform set_config('app.business_id', each, true);
          update reference.person p set email_verified_at = i.accepted_at from public.invitation i
           where i.business_id = each and i.accepted_by = p.id and i.accepted_at is not null and lower(i.email) = lower(p.email);
        end loop;
        perform set_config('app.business_id', '', true);
      end $$`);

    // One link of each kind for a person. Links that are open now end: whoever waits for one asks again.
    this.addSql("delete from reference.person_token where kind = 'password_reset'");
    this.addSql(
      `alter table reference.person_token drop constraint person_token_kind_check,
         add constraint person_token_kind_check check (kind in ${kindsNow}), add email text, add nonce text`,
    );
    this.addSql(
      'create unique index person_token_one on reference.person_token (kind, person_id) where person_id is not null',
    );

    reference('counted_try', 'id text primary key, subject text not null, at timestamptz not null');
    this.addSql('create index counted_try_subject on reference.counted_try (subject, at)');
    this.addSql('create index counted_try_at on reference.counted_try (at)');
    reference(
      'recovery_code',
      `person_id text not null references reference.person, code_hash text not null, created_at timestamptz not null, used_at timestamptz,
       primary key (person_id, code_hash)`,
    );
    reference(
      'remembered_device',
      `id text primary key, person_id text not null references reference.person, secret_hash text not null unique, address text, user_agent text,
       created_at timestamptz not null, last_used_at timestamptz not null, expires_at timestamptz not null`,
    );
    this.addSql('create index remembered_device_person on reference.remembered_device (person_id)');

    this.addSql(
      'alter table session add lineage text, add renewed_at timestamptz, add awaits_second_factor boolean not null default false',
    );
    this.addSql('alter table reference.operator_session add lineage text');

    addBusinessTable(
      this,
      'way_back',
      `business_id text not null, id text not null, request_id text not null, person_id text not null, membership_id text not null,
       address text, user_agent text, object_hash text not null, asked_at timestamptz not null, until timestamptz not null,
       state text not null check (state in ('open', 'granted', 'refused', 'objected')),
       decided_by text, decided_by_type text, decided_at timestamptz,
       primary key (business_id, id), unique (business_id, object_hash)`,
    );
    this.addSql(
      "create unique index way_back_open on way_back (business_id, person_id) where state = 'open'",
    );
  }

  override down(): void {
    this.addSql('drop table way_back');
    this.addSql('alter table reference.operator_session drop lineage');
    this.addSql('alter table session drop lineage, drop renewed_at, drop awaits_second_factor');
    this.addSql(
      'drop table reference.remembered_device, reference.recovery_code, reference.counted_try',
    );
    this.addSql('drop index reference.person_token_one');
    this.addSql(
      "delete from reference.person_token where kind in ('email_change', 'operator_invitation')",
    );
    this.addSql(
      `alter table reference.person_token drop email, drop nonce, drop constraint person_token_kind_check,
         add constraint person_token_kind_check check (kind in ${kindsBefore})`,
    );
    // There was no such state: who was kept out stays out.
    this.addSql("update reference.person set status = 'ended' where status = 'blocked'");
    this.addSql(
      `alter table reference.person drop last_sign_in_at, drop email_verified_at, drop constraint person_status_check,
         add constraint person_status_check check (status in ('active', 'ended'))`,
    );
  }
}
