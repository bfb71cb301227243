import { Migration } from '@mikro-orm/migrations';
import { addBusinessTable } from './business-table.ts';

/**
 * A print is recorded when its link is opened, so that links stand beside prints instead of in them; which paper is the original is a choice of
 * the branch; and there are two more papers. Prints that were counted stay counted: their rows do not change, and a link that was given out
 * before leads to its print until it ends.
 */
export default class TheOriginalIsChosen extends Migration {
  override up(): void {
    this.addSql('drop index print_link');
    addBusinessTable(
      this,
      'print_link',
      `business_id text not null, link_hash text not null, receipt_id text not null,
       paper text not null check (paper in ('a4', 'a5', '80mm', '58mm')), wish text not null check (wish in ('asked', 'original', 'copy')),
       print_id text, asked_by jsonb, until timestamptz not null,
       primary key (business_id, link_hash),
       foreign key (business_id, receipt_id) references receipt (business_id, id),
       foreign key (business_id, print_id) references print (business_id, id)`,
      'select, insert, update, delete',
    );
    this.addSql('create index print_link_until on print_link (business_id, until)');
    // The owner is bound by the walls too, and sees no business's rows through them.
    for (const table of ['print', 'print_link'])
      this.addSql(`alter table ${table} no force row level security`);
    this.addSql(`insert into print_link (business_id, link_hash, receipt_id, paper, wish, print_id, until)
      select business_id, link_hash, receipt_id, paper, 'asked', id, link_until from print where link_hash is not null`);
    for (const table of ['print', 'print_link'])
      this.addSql(`alter table ${table} force row level security`);
    this.addSql('alter table print drop column link_hash, drop column link_until');
    this.addSql('alter table print drop constraint print_paper_check');
    this.addSql(
      "alter table print add constraint print_paper_check check (paper in ('a4', 'a5', '80mm', '58mm'))",
    );
    this.addSql(
      "alter table print add column went_with text check (went_with in ('mail', 'zoho'))",
    );
    this.addSql(
      "alter table branch add column original_paper text check (original_paper in ('a4', 'a5', '80mm', '58mm', 'mail', 'zoho'))",
    );
  }

  override down(): void {
    this.addSql('alter table branch drop column original_paper');
    for (const table of ['print', 'print_link'])
      this.addSql(`alter table ${table} no force row level security`);
    this.addSql('alter table print drop column went_with');
    this.addSql('alter table print drop constraint print_paper_check');
    // Of the papers that were not known then, the nearest that was: which print it is and its bytes stay what they are.
    this.addSql(
      "update print set paper = case paper when 'a5' then 'a4' when '58mm' then '80mm' else paper end",
    );
    this.addSql(
      "alter table print add constraint print_paper_check check (paper in ('a4', '80mm'))",
    );
    this.addSql('alter table print add column link_hash text, add column link_until timestamptz');
    this.addSql(
      `update print p set link_hash = l.link_hash, link_until = l.until from print_link l where l.business_id = p.business_id and l.print_id = p.id`,
    );
    this.addSql('alter table print force row level security');
    this.addSql('drop table print_link');
    this.addSql(
      'create index print_link on print (business_id, link_hash) where link_hash is not null',
    );
  }
}
