import { Migration } from '@mikro-orm/migrations';
import { addBusinessTable } from './business-table.ts';

const outcomes = (also: string) =>
  `check (settled in ('signed', 'not_signed', 'not_ours', 'doubtful'${also}))`;

/** The way out of a lost answer by two persons, and what a business must be told without being asked. */
export default class ReversalsAndAlerts extends Migration {
  override up(): void {
    addBusinessTable(
      this,
      'reversal',
      `business_id text not null, receipt_id text not null, invoice_number bigint not null,
       reason_code text not null, source text not null,
       proposed_by text not null, proposed_name text not null, proposed_at timestamptz not null,
       confirmed_by text, confirmed_name text, confirmed_at timestamptz, reversal_receipt_id text, reversed_at timestamptz,
       primary key (business_id, receipt_id),
       check (confirmed_by is null or confirmed_by <> proposed_by),
       foreign key (business_id, receipt_id) references receipt (business_id, id),
       foreign key (business_id, reversal_receipt_id) references receipt (business_id, id)`,
      'select, insert, update, delete',
    );
    addBusinessTable(
      this,
      'alert',
      `business_id text not null, id text not null, code text not null, subject text not null, problem jsonb not null,
       opened_at timestamptz not null, closed_at timestamptz, closed_by text,
       primary key (business_id, id)`,
    );
    this.addSql(
      'create unique index alert_open on alert (business_id, code, subject) where closed_at is null',
    );
    this.addSql('alter table attempt drop constraint attempt_settled_check');
    this.addSql(
      `alter table attempt add constraint attempt_settled_check ${outcomes(", 'reversed'")}`,
    );
  }

  override down(): void {
    this.addSql('alter table attempt drop constraint attempt_settled_check');
    this.addSql(`update attempt set settled = 'doubtful' where settled = 'reversed'`);
    this.addSql(`alter table attempt add constraint attempt_settled_check ${outcomes('')}`);
    this.addSql('drop table alert');
    this.addSql('drop table reversal');
  }
}
