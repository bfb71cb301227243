import { Migration } from '@mikro-orm/migrations';

/**
 * Since when a place in the books is mapped, without a break, to a branch that seals for real: what was created there before may have been sealed by
 * another system. Of what is mapped already the trail knows when it was first mapped to its present branch.
 */
export default class SinceAPlaceIsOurs extends Migration {
  override up(): void {
    this.addSql('alter table mapping add production_since timestamptz');
    for (const table of ['mapping', 'branch', 'audit'])
      this.addSql(`alter table ${table} no force row level security`);
    this.addSql(
      `update mapping m set production_since = greatest(b.production_since, coalesce(
           (select min(a.at) from audit a where a.business_id = m.business_id and a.subject = 'location:' || m.key and a.action = 'mapping.set'
              and a.after->>'branch_id' = b.id), b.production_since))
         from branch b where m.kind = 'location' and b.business_id = m.business_id and b.id = m.value->>'branch_id' and b.production_since is not null`,
    );
    for (const table of ['mapping', 'branch', 'audit'])
      this.addSql(`alter table ${table} force row level security`);
  }

  override down(): void {
    this.addSql('alter table mapping drop production_since');
  }
}
