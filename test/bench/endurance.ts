import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { Api } from '../api.ts';
import { startWorld, type World } from '../world.ts';
import { startServer } from '../start-server.ts';
import { line, memoryOf } from './measure.ts';

type Look = { memoryMb: number; queueMb: number; jobs: number; signed: number };

/**
 * An hour of load, or less of it: documents are sealed as fast as four people and the devices
 * manage, each called through the queue, by a server in a process of its own. Memory and the
 * queue's tables, looked at after a tenth of the time and at its end, should be the same.
 */
export async function benchEndurance(postgres: World['postgres'], minutes: number): Promise<void> {
  const world = await startWorld({ postgres, businesses: 4, instead: { lanesMax: 0 } });
  const { child, url } = await startServer(world, {
    instead: { governor: { perMinute: 1e9, zohoPerMinute: 1e9, blockSecondsMax: 0 } },
  });
  const admin = new pg.Client({
    connectionString: postgres.urlFor('admin', new URL(world.databaseUrls.owner).pathname.slice(1)),
  });
  await admin.connect();
  const until = performance.now() + minutes * 60_000;
  let made = 0;
  const people = world.businesses.map(async (business) => {
    const api = await Api.signIn(world, business.user, url);
    const source = world.zoho
      .documents()
      .find(
        (each) =>
          each.organization_id === business.organizationId && each.what.startsWith('simple sale'),
      );
    const sale = world.zoho.document('invoices', source?.id ?? '');
    while (performance.now() < until) {
      made += 1;
      const invoice_id = `46000000077${String(made).padStart(8, '0')}`;
      world.zoho.add('invoices', business.organizationId, {
        ...structuredClone(sale),
        invoice_id,
        invoice_number: `E-${made}`,
      });
      const { status, body } = await api.seal('invoices', invoice_id);
      if (status !== 200 && status !== 202)
        throw new Error(`sealing answered ${status}: ${JSON.stringify(body)}`);
    }
  });
  const look = async (): Promise<Look> => {
    const { rows } = await admin.query(
      `select (select sum(pg_total_relation_size(c.oid)) from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'pgboss' and c.relkind = 'r')::float8 as bytes,
         (select count(*)::int from pgboss.job) as jobs, (select count(*)::int from signature) as signed`,
    );
    return {
      memoryMb: memoryOf(child.pid as number),
      queueMb: rows[0].bytes / 2 ** 20,
      jobs: rows[0].jobs,
      signed: rows[0].signed,
    };
  };
  const looks: Look[] = [];
  for (let tenth = 1; tenth <= 10; tenth++) {
    await pause(minutes * 6_000);
    looks.push(await look());
  }
  await Promise.all(people);
  const [first, last] = [looks[0] as Look, looks.at(-1) as Look];
  line(`load for ${minutes} minutes: receipts signed`, String(last.signed));
  line(
    '  memory of the server, MB: after a tenth / at the end',
    `${first.memoryMb.toFixed(0)} / ${last.memoryMb.toFixed(0)}`,
    'flat',
  );
  line(
    '  tables of the queue, MB: after a tenth / at the end',
    `${first.queueMb.toFixed(1)} / ${last.queueMb.toFixed(1)}`,
    'flat',
  );
  line('  rows in the queue: after a tenth / at the end', `${first.jobs} / ${last.jobs}`);
  await new Promise((resolve) => child.once('exit', resolve).kill('SIGTERM'));
  await admin.end();
  await world[Symbol.asyncDispose]();
}
