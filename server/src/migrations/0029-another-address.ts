import { Migration } from '@mikro-orm/migrations';

/** Another address for the only admin of a business who has lost mailbox and password: asked for, told of, objected to or put in force. */
export default class AnotherAddress extends Migration {
  override up(): void {
    this.addSql(
      `create table reference.address_change (
         id text primary key, business_id text not null, person_id text not null references reference.person, email text not null, reason text not null,
         opened_by text not null, needs_second boolean not null, object_hash text not null unique, asked_at timestamptz not null,
         told_at timestamptz, mails_sent int not null, last_mailed_at timestamptz,
         state text not null check (state in ('open', 'applied', 'objected', 'ended')), decided_by text, decided_by_type text, decided_at timestamptz)`,
    );
    this.addSql(
      "create unique index address_change_open on reference.address_change (person_id) where state = 'open'",
    );
    this.addSql('grant select, insert, update on reference.address_change to muhuri_platform');
  }

  override down(): void {
    this.addSql('drop table reference.address_change');
  }
}
