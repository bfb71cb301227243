import { Migration } from '@mikro-orm/migrations';
import { addBusinessTable } from './business-table.ts';

/** What is unique among businesses is so among those that are open: a closed one leaves its taxpayer, address and organization free. */
const unique = ['tin_number', 'email', 'organization_id'];

/**
 * What a device tells of its taxpayer, how it differs from the business, when its lists were asked for and what changed in them; since when a
 * document is due; and businesses that were closed.
 */
export default class ToldAndDue extends Migration {
  override up(): void {
    // `difference`: what the device tells otherwise than the business. While it stands nothing new is sent to the device.
    this.addSql(
      'alter table device add told_name text, add told_vat_registered boolean, add told_at timestamptz, add told_vat_at timestamptz, add difference jsonb',
    );

    // One row a device: the round over its lists. `claimed_until` keeps a second server away from what the first one does.
    addBusinessTable(
      this,
      'list_sync',
      `business_id text not null, device_id text not null, begun_at timestamptz, done_at timestamptz, next_at timestamptz not null,
       claimed_by text, claimed_until timestamptz, step int not null default 0, tries int not null default 0, problem jsonb, changes jsonb,
       primary key (business_id, device_id), foreign key (business_id, device_id) references device (business_id, id)`,
    );
    addBusinessTable(
      this,
      'rate_change',
      `business_id text not null, device_id text not null, tax_class text not null, since timestamptz not null,
       before_percent text not null, after_percent text not null,
       primary key (business_id, device_id, tax_class, since), foreign key (business_id, device_id) references device (business_id, id)`,
      'select, insert',
    );

    this.addSql('alter table document add due_since timestamptz');
    this.addSql(
      `update document set due_since = seen_at where not gone and coalesce(status, 'sent') not in ('draft', 'pending_approval', 'submitted', 'rejected', 'void')`,
    );
    // What was heard of and could not be read yet: few, and never to be overlooked.
    this.addSql(
      'create index document_unread on document (business_id, due_since) where date is null and not gone',
    );
    this.addSql(
      "create index receipt_open on receipt (business_id, document_date) where state in ('queued', 'in_doubt', 'refused') or drift is not null",
    );

    // `earliest_go_live`: the day after another business of this taxpayer or organization was closed; what it sealed must not be sealed again.
    this.addSql('alter table business add earliest_go_live date');
    this.addSql('alter table reference.business_directory add closed_on date');
    this.addSql(
      "update reference.business_directory set closed_on = (coalesce(updated_at, created_at))::date where status = 'closed'",
    );
    for (const column of unique) {
      this.addSql(
        `alter table reference.business_directory drop constraint business_directory_${column}_key`,
      );
      this.addSql(
        `create unique index directory_open_${column} on reference.business_directory (${column}) where status <> 'closed'`,
      );
      this.addSql(
        `create index directory_closed_${column} on reference.business_directory (${column}) where status = 'closed'`,
      );
    }
  }

  override down(): void {
    for (const column of unique) {
      this.addSql(
        `drop index reference.directory_open_${column}, reference.directory_closed_${column}`,
      );
      // Before this a closed business kept what was its own to itself: whoever has come after it keeps it now.
      this.addSql(
        `update reference.business_directory c set ${column} = ${column === 'organization_id' ? 'null' : `c.${column} || ' ' || c.business_id`}
          where c.status = 'closed' and exists (select 1 from reference.business_directory o
            where o.${column} = c.${column} and (o.status <> 'closed' or o.business_id > c.business_id))`,
      );
      this.addSql(
        `alter table reference.business_directory add constraint business_directory_${column}_key unique (${column})`,
      );
    }
    this.addSql('alter table reference.business_directory drop closed_on');
    this.addSql('alter table business drop earliest_go_live');
    this.addSql('drop index receipt_open, document_unread');
    this.addSql('alter table document drop due_since');
    this.addSql('drop table rate_change, list_sync');
    this.addSql(
      'alter table device drop told_name, drop told_vat_registered, drop told_at, drop told_vat_at, drop difference',
    );
  }
}
