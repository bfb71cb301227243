import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { retryOnDeadlock } from '@muhuri/server/platform/db/retry-on-deadlock';
import { parseConnectionUrl } from '@muhuri/server/platform/db/parse-connection-url';
import {
  withRequestTimeout,
  openDatabase,
  defaultStatementLimits,
} from '@muhuri/server/platform/db/database';
import { startEmbeddedPostgres } from '@muhuri/server/platform/db/embedded-postgres';
import { isTransient } from '@muhuri/server/platform/db/is-transient';
import { query, sendWithoutWaiting } from '@muhuri/server/platform/db/query';
import { silentLog } from '@muhuri/server/platform/log';
import { openQueue } from '@muhuri/server/platform/queue/queue';
import { openSignals, topic } from '@muhuri/server/platform/signals';
import { openBusinessWorker } from '@muhuri/server/platform/business-worker';
import { withTimeout } from '@muhuri/server/platform/with-timeout';
import { claimReceipt } from '@muhuri/server/write-back/write-back.store';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { until } from '../api.ts';
import { checkout, cloneDatabase, type World } from '../world.ts';

let postgres: World['postgres'];
let clone: Awaited<ReturnType<typeof cloneDatabase>>;
let database: Awaited<ReturnType<typeof openDatabase>>;
beforeAll(async () => {
  postgres = await startEmbeddedPostgres(checkout, join(checkout, '.data'));
  clone = await cloneDatabase(postgres);
  // One connection: whatever one transaction leaves behind, the next one meets.
  database = await openDatabase(clone.urls.app, 1);
});
afterAll(async () => {
  await database?.close();
  await clone?.drop();
  await postgres?.stop();
});

const insert =
  "insert into slot (business_id, job, slot, taken_at, taken_by) values ('b1', 'test', $1, now(), 'w')";
const slots = () =>
  database.transaction('b1', async (tx) =>
    (
      await query<{ slot: string }>(tx, 'select slot from slot where job = $1 order by slot', [
        'test',
      ])
    ).map((row) => row.slot),
  );

describe('a statement that goes along without being waited for', () => {
  test('is done once the transaction has committed, and seen by what comes after it in between', async () => {
    const seen = await database.transaction('b1', async (tx) => {
      await sendWithoutWaiting(tx, insert, ['a']);
      return query(tx, 'select slot from slot where slot = $1', ['a']);
    });
    expect(seen).toHaveLength(1);
    expect(await slots()).toEqual(['a']);
  });

  test('that fails takes the transaction with it, whatever came before and after, and says why', async () => {
    const failing = database.transaction('b1', async (tx) => {
      await query(tx, insert, ['b']);
      await sendWithoutWaiting(tx, insert, ['a']);
      await sendWithoutWaiting(tx, insert, ['c']);
    });
    await expect(failing).rejects.toThrow(/duplicate key/);
    expect(await slots()).toEqual(['a']);
  });

  test('that fails is the reason given to whoever asks next', async () => {
    const failing = database.transaction('b1', async (tx) => {
      await sendWithoutWaiting(tx, insert, ['a']);
      await query(tx, insert, ['d']);
    });
    await expect(failing).rejects.toThrow(/duplicate key/);
    expect(await slots()).toEqual(['a']);
    await database.transaction('b1', (tx) => query(tx, insert, ['e']));
    expect(await slots()).toEqual(['a', 'e']);
  });

  test('is undone with a transaction that is given up', async () => {
    const failing = database.transaction('b1', async (tx) => {
      await sendWithoutWaiting(tx, insert, ['f']);
      throw new Error('given up');
    });
    await expect(failing).rejects.toThrow('given up');
    expect(await slots()).toEqual(['a', 'e']);
  });
});

describe('a transaction whose server has fallen asleep', () => {
  test('is ended by PostgreSQL within a minute, fails where it goes on, and costs nobody a connection', async () => {
    let isEnded = false;
    const asleep = database.transaction('b1', async (tx) => {
      expect(
        await query(tx, "select current_setting('idle_in_transaction_session_timeout') as is"),
      ).toEqual([{ is: '1min' }]);
      await sendWithoutWaiting(tx, insert, ['asleep']);
      const [own] = await query<{ pid: number }>(
        tx,
        "select pg_backend_pid() as pid, set_config('idle_in_transaction_session_timeout', '30ms', true)",
      );
      const admin = new pg.Client({ connectionString: postgres.urls.admin });
      await admin.connect();
      await expect
        .poll(
          async () =>
            (await admin.query('select 1 from pg_stat_activity where pid = $1', [own?.pid]))
              .rowCount,
        )
        .toBe(0);
      await admin.end();
      isEnded = true;
      await query(tx, 'select 1');
    });
    await expect(asleep).rejects.toThrow();
    expect(isEnded, 'or it failed of something else').toBe(true);
    expect(await slots()).not.toContain('asleep');
  });
});

test('what a transaction asks to be looked at is looked at once it has committed, never before', async () => {
  const worked: string[] = [];
  const rounds = openBusinessWorker({
    work: async (id) => worked.push(id) > 0,
    businessIds: async () => [],
    log: silentLog,
    name: 'test',
  });
  const [signals, due] = [openSignals(), topic('due')];
  signals.on(due, rounds.touch);
  await database.transaction('b1', async (tx) => {
    await query(tx, insert, ['r']);
    signals.raise(due, 'b1');
    await rounds.run();
    expect(worked).toEqual([]);
  });
  await rounds.run();
  expect(worked).toEqual(['b1']);
});

describe('two transactions that wait for each other', () => {
  /**
   * Two that take the same two rows in opposite orders; each has taken its first before either asks
   * for its second.
   */
  const crossing = async (
    names: [string, string],
    run: (move: () => Promise<void>) => Promise<void>,
  ) => {
    const two = await openDatabase(clone.urls.app, 2);
    const taken = new Map<string, () => void>();
    const first = new Map(
      names.map((name) => [name, new Promise<void>((done) => taken.set(name, done))]),
    );
    const move = (own: string, other: string) => () =>
      two.transaction('b1', async (tx) => {
        await query(tx, `${insert} on conflict do nothing`, [own]);
        taken.get(own)?.();
        await first.get(other);
        await query(tx, `${insert} on conflict do nothing`, [other]);
      });
    const [x, y] = names;
    return Promise.allSettled([run(move(x, y)), run(move(y, x))]).finally(() => two.close());
  };

  test('end with one of them given up: whoever asked for it is told that nothing was done, and may ask again', async () => {
    const ended = await crossing(['x', 'y'], (move) => withRequestTimeout(60_000, move));
    expect(ended.map((each) => each.status).sort()).toEqual(['fulfilled', 'rejected']);
    const given = ended.find((each) => each.status === 'rejected') as PromiseRejectedResult;
    expect(given.reason).toMatchObject({ code: 'crossed' });
  });

  test('and run by themselves both go through: the one that was given up is begun once more', async () => {
    let begun = 0;
    let through = () => {};
    const oneIsThrough = new Promise<void>((done) => (through = done));
    const ended = await crossing(['v', 'w'], async (move) => {
      let isFirst = true;
      await retryOnDeadlock(async () => {
        begun += 1;
        // Begun again before the other one has gone on, it may cross it again.
        if (!isFirst) await oneIsThrough;
        isFirst = false;
        await move();
      });
      through();
    });
    expect(ended.map((each) => each.status)).toEqual(['fulfilled', 'fulfilled']);
    expect(begun, 'or they did not cross').toBe(3);
  });
});

describe('a commit that PostgreSQL is long at, as with a synchronous standby that is away', () => {
  const at = {
    objid: 7_700_078,
    on: 'select pg_advisory_lock(7700078)',
    off: 'select pg_advisory_unlock(7700078)',
  };
  const waitsHere = async (owner: pg.Client) =>
    (
      await owner.query(
        "select 1 from pg_locks where locktype = 'advisory' and objid = $1 and not granted",
        [at.objid],
      )
    ).rowCount;

  const holdCommits = async (owner: pg.Client) => {
    // No standby is needed for it: whoever catches the end of a statement that took too long goes
    // on without a limit.
    await owner.query(`create function hold_commit() returns trigger language plpgsql as $$ begin
      perform pg_advisory_xact_lock_shared(7700078); return null;
      exception when query_canceled then perform pg_advisory_xact_lock_shared(7700078); return null; end $$`);
    await owner.query(
      'create constraint trigger hold_commit after insert on slot deferrable initially deferred for each row execute function hold_commit()',
    );
  };

  test.each(['alone', 'with what goes along'])(
    'is told as a failed connection (%s), and keeps its place in the pool until it has ended: no further one waits beside it',
    async (how) => {
      const limits = { askedMs: 200, jobMs: 200, connectMs: 2_000, graceMs: 200 };
      const narrow = await openDatabase(clone.urls.app, 1, [], true, limits);
      const owner = new pg.Client({ connectionString: clone.urls.owner });
      await owner.connect();
      onTestFinished(async () => {
        await owner.query('drop trigger hold_commit on slot');
        await owner.query('drop function hold_commit');
        await owner.end();
        await narrow.close();
      });
      await holdCommits(owner);
      await owner.query(at.on);
      const slot = `held ${how}`;
      const held = narrow.transaction<unknown>('b1', (tx) =>
        how === 'alone' ? query(tx, insert, [slot]) : sendWithoutWaiting(tx, insert, [slot]),
      );
      await expect(held).rejects.toMatchObject({
        message: expect.stringContaining('said nothing for longer'),
      });
      expect(await waitsHere(owner)).toBe(1);
      const next = narrow.transaction('b1', (tx) =>
        query(tx, 'select slot from slot where slot = $1', [slot]),
      );
      expect(await withTimeout(next, 1_000, 'waits for a place')).toBe('waits for a place');
      expect(await waitsHere(owner)).toBe(1);
      await owner.query(at.off);
      // It had committed after all; and the connection is a new one.
      expect(await next).toHaveLength(1);
      expect(await waitsHere(owner)).toBe(0);
    },
  );

  test('and is answered while that is still being asked, undoes what comes after it like any other connection', async () => {
    const { host, port } = parseConnectionUrl(clone.urls.app);
    const held: Socket[] = [];
    let areHeld = false;
    const pass = (from: Socket) => {
      const to = connect(
        host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port: Number(port) },
      );
      from
        .on('error', () => {})
        .pipe(to.on('error', () => {}))
        .pipe(from);
    };
    // Whoever is let in later waits at the door until the test lets them through.
    const door = createServer((socket) => (areHeld ? held.push(socket.pause()) : pass(socket)));
    await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
    const through = new URL(clone.urls.app);
    through.searchParams.delete('host');
    through.host = `127.0.0.1:${(door.address() as AddressInfo).port}`;
    const narrow = await openDatabase(through.href, 1, [], true, {
      askedMs: 200,
      jobMs: 200,
      connectMs: 20_000,
      graceMs: 200,
    });
    const owner = new pg.Client({ connectionString: clone.urls.owner });
    await owner.connect();
    onTestFinished(async () => {
      await owner.query('drop trigger hold_commit on slot');
      await owner.query('drop function hold_commit');
      await owner.end();
      await narrow.close();
      door.close();
    });
    await holdCommits(owner);
    await owner.query(at.on);
    await narrow.transaction('b1', (tx) => query(tx, 'select 1'));
    areHeld = true;
    const first = narrow.transaction('b1', (tx) => query(tx, insert, ['answered after all']));
    await until(
      () => held.length,
      (n) => n === 1,
    );
    await owner.query(at.off);
    await first;
    const undone = narrow.transaction('b1', async (tx) => {
      await query(tx, insert, ['undone']);
      throw new Error('no');
    });
    await expect(undone).rejects.toThrow('no');
    await narrow.transaction('b1', (tx) => query(tx, insert, ['the next']));
    for (const socket of held) pass(socket);
    expect(
      (await slots()).filter((slot) => ['answered after all', 'undone', 'the next'].includes(slot)),
    ).toEqual(['answered after all', 'the next']);
  });
});

describe('a commit that warns', () => {
  // What PostgreSQL says where somebody cancels a commit that waits for its standby, an
  // administrator's usual cure.
  const notAwaited = `message = 'canceling wait for synchronous replication due to user request',
    detail = 'The transaction has already committed locally, but might not have been replicated to the standby.'`;

  test.each([
    ['that its synchronous standby was not waited for, alone', notAwaited, query],
    [
      'that its synchronous standby was not waited for, with what goes along',
      notAwaited,
      sendWithoutWaiting,
    ],
  ])(
    '%s, is told as one whose outcome is not known, to be looked at again, and not as done',
    async (how, warning, say) => {
      await warnAtCommit(warning);
      const told = await database
        .transaction<unknown>('b1', (tx) => say(tx, insert, [how]))
        .catch((error: unknown) => error);
      expect(told).toMatchObject({
        message: expect.stringContaining('without waiting for its synchronous standby'),
      });
      expect(isTransient(told)).toBe(true);
      // What comes next on that connection is not taken for it.
      expect(await slots()).toContain(how);
    },
  );

  test('of anything else has committed all the same', async () => {
    await warnAtCommit("message = 'the standby is slow today'");
    await database.transaction('b1', (tx) => query(tx, insert, ['warned']));
    expect(await slots()).toContain('warned');
  });

  async function warnAtCommit(warning: string) {
    const owner = new pg.Client({ connectionString: clone.urls.owner });
    await owner.connect();
    onTestFinished(async () => {
      await owner.query('drop trigger warn_commit on slot');
      await owner.query('drop function warn_commit');
      await owner.end();
    });
    await owner.query(
      `create function warn_commit() returns trigger language plpgsql as $$ begin raise warning using errcode = '01000', ${warning}; return null; end $$`,
    );
    await owner.query(
      'create constraint trigger warn_commit after insert on slot deferrable initially deferred for each row execute function warn_commit()',
    );
  }
});

test('of two workers that look at once for what is to be written, one takes all of a receipt and the other nothing of it', async () => {
  const owner = new pg.Client({ connectionString: clone.urls.admin });
  await owner.connect();
  const other = await openDatabase(clone.urls.app, 1);
  onTestFinished(async () => {
    await owner.end();
    await other.close();
  });
  // Steps without their receipt, which has nothing to say in it; the first one is done already.
  await owner.query(`set session_replication_role = 'replica';
    insert into write_back (business_id, receipt_id, step, position, state, next_at, created_at)
      values ('b1', 'r1', 'custom_fields', 0, 'done', null, now()), ('b1', 'r1', 'attachment', 1, 'waiting', now(), now()),
             ('b1', 'r1', 'comment', 2, 'waiting', now(), now()), ('b1', 'r1', 'mail', 3, 'waiting', now(), now())`);
  const [at, lease] = [new Date(Date.now() + 1_000), new Date(Date.now() + 60_000)];
  let areOver = 0;
  const look = (of: typeof database) =>
    of.transaction('b1', (tx) => claimReceipt(tx, at, lease)).finally(() => (areOver += 1));
  const waiting = `select distinct w.pid from pg_locks w join pg_locks here on here.pid = w.pid
    where not w.granted and here.database = (select oid from pg_database where datname = current_database())`;
  const waits = async () => Number((await owner.query(waiting)).rowCount) + areOver;
  // One of its steps is just being written, so that whoever looks first has not taken it yet when
  // the other looks.
  await owner.query("begin; select 1 from write_back where step = 'attachment' for update");
  const first = look(database);
  await until(waits, (count) => count === 1);
  const second = look(other);
  await until(waits, (count) => count === 2);
  await owner.query('commit');
  const taken = await Promise.all([first, second]);
  expect(taken.map((steps) => steps.map((each) => each.step))).toEqual([
    ['custom_fields', 'attachment', 'comment', 'mail'],
    [],
  ]);
  expect(await look(other)).toEqual([]);
});

test('a statement of the queue that takes too long is ended by PostgreSQL as well: none goes on there that nobody waits for', async () => {
  const owner = new pg.Client({ connectionString: clone.urls.admin });
  await owner.connect();
  const waiting = async () =>
    (
      await owner.query(
        "select pid from pg_stat_activity where datname = current_database() and application_name = 'pgboss' and wait_event_type = 'Lock'",
      )
    ).rows as { pid: number }[];
  const said: string[] = [];
  const note = ({ error }: { error?: string }) => void said.push(String(error));
  const queue = await openQueue(
    clone.urls.queue,
    database,
    { ...silentLog, error: note as never },
    { ...defaultStatementLimits, jobMs: 300, graceMs: 300 },
  );
  onTestFinished(async () => {
    await owner.query('rollback');
    await queue.close();
    await owner.end();
  });
  await queue.work(() => {});
  await owner.query('begin');
  await owner.query('lock table pgboss.job_common in access exclusive mode');
  const [first] = await until(waiting, (those) => those.length > 0);
  await until(waiting, (those) => those.every(({ pid }) => pid !== first?.pid));
  await until(
    () => said.join(),
    (all) => all.includes('statement timeout'),
  );
});

test('a column that is added under connections in use fails at most what is asked at that moment: each of them plans anew', async () => {
  const warm = await openDatabase(clone.urls.app, 3);
  onTestFinished(() => warm.close());
  const owner = new pg.Client({ connectionString: clone.urls.owner });
  await owner.connect();
  onTestFinished(async () => {
    await owner.query('alter table slot drop column if exists added');
    await owner.end();
  });
  const read = () =>
    warm.transaction('b1', (tx) => query(tx, 'select * from slot where job = $1', ['none']));
  // Each holds its connection until all of them have one.
  const onAll = async () => {
    const gate = Promise.withResolvers<void>();
    let reading = 0;
    return Promise.allSettled(
      [1, 2, 3].map(() =>
        warm.transaction('b1', async (tx) => {
          if (++reading === 3) gate.resolve();
          await gate.promise;
          return query(tx, 'select * from slot where job = $1', ['none']);
        }),
      ),
    );
  };
  expect((await onAll()).map(({ status }) => status)).toEqual([
    'fulfilled',
    'fulfilled',
    'fulfilled',
  ]);
  await owner.query('alter table slot add column added bigint not null default 0');
  // One of them meets the old plan, and from then on none does.
  await expect(read()).rejects.toSatisfy(isTransient);
  expect((await onAll()).map(({ status }) => status)).toEqual([
    'fulfilled',
    'fulfilled',
    'fulfilled',
  ]);
});
