import { loadDialects } from '@muhuri/server/dialects/index';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Api, until } from '../api.ts';
import { type PostgresProxy, startPostgresProxy } from '../proof/postgres-proxy.ts';
import { disagreeing, statesAndFacts } from '../states.ts';
import { startWorld, type World } from '../world.ts';

let world: World;
let proxy: PostgresProxy;
let api: Api;
const quick = {
  timing: {
    retryFirstMs: 100,
    retryMaxMs: 300,
    settleQuietMs: 100,
    settleMaxMs: 300,
    doubtWaitMs: 200,
    leaseMs: 2_800,
  },
  sweepMs: 200,
  lanesMax: 8,
};

beforeAll(async () => {
  world = await startWorld({ instead: { lanesMax: 0 } });
  proxy = await startPostgresProxy(world.databaseUrls.app);
  const through = await world.anotherApp(quick, {
    secrets: { databaseUrl: proxy.through(world.databaseUrls.app) },
    // Fewer than connections are lost below: one that were not given back would be missed.
    config: { databasePoolMax: 2 },
  });
  api = await Api.signIn(world, world.businesses[0].user, through.url);
});
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await proxy?.close();
});

test.each([
  ['before_commit', 'drop'],
  ['before_commit', 'reset'],
  ['before_commit', 'stall'],
  ['after_commit', 'drop'],
  ['after_commit', 'reset'],
  ['after_commit', 'stall'],
] as const)(
  'the connection to PostgreSQL lost %s (%s) of a signature: recorded once, and it stays what it is',
  async (point, fault) => {
    const [business] = world.businesses;
    const document = world.zoho
      .documents()
      .filter(
        (each) =>
          each.organization_id === business.organizationId &&
          each.canSeal &&
          each.module === 'invoices',
      )
      .at(
        ['before_commit', 'after_commit'].indexOf(point) * 3 +
          ['drop', 'reset', 'stall'].indexOf(fault),
      );
    const broken = proxy.break((said) => said.includes('"receipt_number"'), { point, fault });
    await api.seal('invoices', document?.id ?? '');
    const receipt = await until(
      async () =>
        (await api.get(`/receipts?module=invoices&document_id=${document?.id}`)).body.receipts?.[0],
      (each) => each?.state === 'signed' && broken.done(),
    );
    // Whatever a second recording would do, it has done once the lane has let go.
    await until(
      () => world.sql('select lane_holder from device', [], business.businessId),
      (rows) => rows.every((row) => row.lane_holder === null),
    );
    const held = world.vsdc.receipts().filter((each) => each.request.remark === document?.number);
    expect(held).toHaveLength(1);
    const after = (await api.get(`/receipts/${receipt.id}`)).body;
    expect(after).toMatchObject({
      state: 'signed',
      receipt_signature: held[0]?.reply.rcptSign,
      problem: null,
    });
    expect(disagreeing(await statesAndFacts(world))).toEqual([]);
  },
);

describe('two servers that both believe a document is theirs', () => {
  test('because one slept past its lease: the device’s one signature is recorded, and the other’s “taken” does not undo it', async () => {
    await using own = await startWorld({ instead: { lanesMax: 0 } });
    const [business] = own.businesses;
    const document = own.zoho
      .documents()
      .find(
        (each) =>
          each.organization_id === business.organizationId &&
          each.canSeal &&
          each.module === 'invoices',
      );
    const held = () =>
      own.vsdc.receipts().filter((each) => each.request.remark === document?.number);
    // Both sends lie on their way until both are there.
    own.vsdc.faults(['hold', 'hold']);
    // Its lease is over long before the device answers: to the other it looks like a server that
    // died.
    const asleep = await own.anotherApp({
      ...quick,
      timing: { ...quick.timing, leaseMs: 150 },
      sweepMs: 3_600_000,
      waitMs: 1,
    });
    await (await Api.signIn(own, business.user, asleep.url)).seal('invoices', document?.id ?? '');
    await until(
      () => own.sql('select 1 from attempt', [], business.businessId),
      (rows) => rows.length === 1,
    );
    const awake = await own.anotherApp({ ...quick, sweepMs: 30 });
    const user = await Api.signIn(own, business.user, awake.url);
    const attempts = (which: string) =>
      own.sql(`select 1 from attempt where ${which}`, [], business.businessId);
    await until(
      () => attempts('true'),
      (rows) => rows.length >= 2,
    );
    await until(
      () => {
        own.vsdc.release();
        return attempts('ended_at is not null');
      },
      (rows) => rows.length >= 2 && held().length === 1,
    );
    await until(
      () =>
        own.sql(
          'select lane_holder, open_attempt from device where open_attempt is not null or lane_holder is not null',
          [],
          business.businessId,
        ),
      (rows) => rows.length === 0,
    );
    const [receipt] = (await user.get(`/receipts?module=invoices&document_id=${document?.id}`)).body
      .receipts as { state: string; receipt_signature: string }[];
    expect(receipt).toMatchObject({
      state: 'signed',
      receipt_signature: held()[0]?.reply.rcptSign,
    });
    expect(
      await own.sql(
        'select state, problem from device where branch_id = $1',
        [business.branchIds[0]],
        business.businessId,
      ),
    ).toEqual([{ state: 'active', problem: null }]);
    expect(disagreeing(await statesAndFacts(own))).toEqual([]);
  });

  test('because one slept while an item was refused to it: it says nothing of what the other has sent since, and the number stays in use', async () => {
    await using own = await startWorld({ instead: { lanesMax: 0 } });
    const slow = await startPostgresProxy(own.databaseUrls.app);
    onTestFinished(() => slow.close());
    const [business] = own.businesses;
    const document = own.zoho
      .documents()
      .find(
        (each) =>
          each.organization_id === business.organizationId &&
          each.canSeal &&
          each.module === 'invoices',
      );
    own.vsdc.faults(['refuse_item', 'hold']);
    // Just after the device has refused the item, and before that is said of the document.
    const asleep = slow.hold((said) => said.includes('set claimed_by = null'));
    const first = await own.anotherApp(
      { ...quick, timing: { ...quick.timing, leaseMs: 150 }, sweepMs: 3_600_000, waitMs: 1 },
      { secrets: { databaseUrl: slow.through(own.databaseUrls.app) } },
    );
    await (await Api.signIn(own, business.user, first.url)).seal('invoices', document?.id ?? '');
    await until(
      () => asleep.done(),
      (isAsleep) => isAsleep,
    );
    const second = await own.anotherApp({ ...quick, sweepMs: 30 });
    const user = await Api.signIn(own, business.user, second.url);
    const sends = () =>
      own.sql(
        'select invoice_number::text as number from attempt where ended_at is null',
        [],
        business.businessId,
      );
    const [sent] = await until(sends, (rows) => rows.length === 1);
    asleep.letGo();
    // What it had begun it has ended by then.
    await first.close();
    const facts = () =>
      own.sql(
        'select r.state, r.invoice_number::text as number, d.free_numbers from receipt r join device d on d.id = r.device_id',
        [],
        business.businessId,
      );
    expect(await facts()).toEqual([{ state: 'queued', number: sent?.number, free_numbers: [] }]);
    await until(
      async () => {
        own.vsdc.release();
        return (await user.get(`/receipts?module=invoices&document_id=${document?.id}`)).body
          .receipts?.[0];
      },
      (each) => each?.state === 'signed',
    );
    expect(await facts()).toEqual([{ state: 'signed', number: sent?.number, free_numbers: [] }]);
  });
});

test('where a device would sign a number twice nothing is sent again after a doubt, however long it stands, and the lane goes past it', async () => {
  await using own = await startWorld({ instead: { lanesMax: 0 } });
  const dialects = await loadDialects();
  const app = await own.anotherApp({
    ...quick,
    dialects: {
      ...dialects,
      of(key) {
        const dialect = dialects.of(key);
        return { ...dialect, sales: { ...dialect.sales, resend: 'may_sign_again' } };
      },
    },
  });
  const [business] = own.businesses;
  const user = await Api.signIn(own, business.user, app.url);
  const [first, second] = own.zoho
    .documents()
    .filter(
      (each) =>
        each.organization_id === business.organizationId &&
        each.canSeal &&
        each.module === 'invoices',
    )
    .map((each) => each.id);
  own.vsdc.faults(['drop_before_signing']);
  const standing = (id: string | undefined, state: string) =>
    until(
      async () =>
        (await user.get(`/receipts?module=invoices&document_id=${id}`)).body.receipts?.[0],
      (each) => each?.state === state,
    );
  await user.seal('invoices', first ?? '');
  await standing(first, 'in_doubt');
  await user.seal('invoices', second ?? '');
  await standing(second, 'signed');
  const doubt = await standing(first, 'in_doubt');
  expect(
    await own.sql(
      'select outcome from attempt where receipt_id = $1',
      [doubt.id],
      business.businessId,
    ),
  ).toEqual([{ outcome: 'in_doubt' }]);
});

test('a server that slept between writing a send down and its first byte does not send it: somebody else may have the device by now', async () => {
  const [business] = world.businesses;
  const document = world.zoho
    .documents()
    .filter(
      (each) =>
        each.organization_id === business.organizationId &&
        each.canSeal &&
        each.module === 'invoices',
    )
    .at(6);
  const { id, number } = document as { id: string; number: string };
  // The commit takes, and whoever waits for it hears of it after half of the lease.
  const slept = proxy.break((said) => said.includes(`"remark":"${number}"`), {
    point: 'after_commit',
    fault: 'stall',
  });
  await api.seal('invoices', id);
  const receipt = await until(
    async () => (await api.get(`/receipts?module=invoices&document_id=${id}`)).body.receipts?.[0],
    (each) => each?.state === 'signed' && slept.done(),
  );
  const sends = await world.sql(
    'select outcome, may_have_left from attempt where receipt_id = $1 order by started_at, id',
    [receipt.id],
    business.businessId,
  );
  expect(sends).toEqual([
    { outcome: 'unreachable', may_have_left: false },
    { outcome: 'signed', may_have_left: true },
  ]);
  expect(world.vsdc.receipts().filter((each) => each.request.remark === number)).toHaveLength(1);
});
