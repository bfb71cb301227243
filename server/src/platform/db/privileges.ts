import type { EntityManager } from '@mikro-orm/postgresql';

/** Returns what is wrong with the signed-in role: privileges it must not have. */
export async function privilegeProblems(em: EntityManager): Promise<string[]> {
  const rows = (await em.execute(`
    select r.rolsuper, r.rolbypassrls, r.rolcreaterole, r.rolname,
      exists (select 1 from pg_class c join pg_namespace n on n.oid = c.relnamespace
               where n.nspname in ('public', 'reference') and c.relowner = r.oid) as owns,
      exists (select 1 from pg_class c join pg_namespace n on n.oid = c.relnamespace
               where n.nspname in ('public', 'reference') and pg_has_role(r.oid, c.relowner, 'SET') and c.relowner <> r.oid) as becomes
      from pg_roles r where r.rolname = session_user`)) as {
    rolsuper: boolean;
    rolbypassrls: boolean;
    rolcreaterole: boolean;
    rolname: string;
    owns: boolean;
    becomes: boolean;
  }[];
  const role = rows[0];
  if (!role) return ['the database role could not be examined'];
  const found: string[] = [];
  if (role.rolsuper)
    found.push(
      `the database role "${role.rolname}" is a superuser: it would bypass every wall between businesses`,
    );
  if (role.rolbypassrls) found.push(`the database role "${role.rolname}" has BYPASSRLS`);
  if (role.rolcreaterole) found.push(`the database role "${role.rolname}" may create roles`);
  if (role.owns) found.push(`the database role "${role.rolname}" owns tables: it must own nothing`);
  if (role.becomes && !role.rolsuper)
    found.push(`the database role "${role.rolname}" can become the owner of tables`);
  return found;
}
