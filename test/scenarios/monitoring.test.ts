import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { slotOf } from '@muhuri/server/platform/time-slots';
import { Api, until } from '../api.ts';
import { startWorld, type World } from '../world.ts';

const hourMs = 3_600_000;
// Time goes on as it does, and leaps where a test says so.
const startedAt = Date.now();
let now = Date.parse('2026-11-21T06:00:00Z');
let world: World;
const told: { type: string; data: { subject: string; code: string; hours?: number } }[] = [];
const hook = createServer((request, response) => {
  let text = '';
  request.on('data', (part: Buffer) => {
    text += String(part);
  });
  request.on('end', () => {
    told.push(JSON.parse(text));
    response.end();
  });
});
const quick = {
  clock: { now: () => new Date(now + Date.now() - startedAt) },
  deadlinesMs: 40,
  sweepMs: 100,
  waitMs: 200,
  intakeMs: 40,
  timing: {
    retryFirstMs: 100,
    retryMaxMs: 200,
    settleQuietMs: 100,
    settleMaxMs: 200,
    doubtWaitMs: 100,
    readAgainMs: 1e12,
  },
};

beforeAll(async () => {
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', () => resolve()));
  world = await startWorld({ instead: quick });
  // A second server on the same database: what happens by the clock happens once all the same.
  await world.anotherApp(quick);
  const admin = await signIn();
  const url = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/alerts`;
  expect(
    (await admin.post('/subscribers', { url, events: ['alert.opened', 'alert.closed'] })).status,
  ).toBe(200);
});
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  hook.close();
});

const business = () => world.businesses[0];
const signIn = () => Api.signIn(world, business().admin);
// A session is over after hours that pass here in a moment; signing in at every look would use up
// what one network may ask for.
let session: Api;
const look = async (path: string) => {
  const reply = await session?.get(path);
  if (reply && reply.status !== 401) return reply;
  session = await signIn();
  return session.get(path);
};
const open = async () =>
  (
    (await look('/alerts')).body.alerts as {
      problem: { code: string; hours?: number; title: string };
    }[]
  ).map(({ problem }) => problem);
const sealed = async (document = newDocument()) => {
  const { body } = await (await signIn()).seal('invoices', document?.id ?? '');
  await until(
    async () => (await look(`/receipts/${body.id}`)).body.state,
    (state) => state === 'signed',
  );
};
/**
 * Further by the five minutes of one look at least, and on only once there was another: leaps
 * before it would be hours in which nobody looked.
 */
const leap = async (hours: number) => {
  const slots = async () =>
    Number(
      (
        await world.sql(
          "select count(*)::int as n from slot where job = 'deadlines'",
          [],
          business().businessId,
        )
      )[0]?.n,
    );
  const before = await slots();
  now += hours * hourMs;
  await until(slots, (n) => n > before);
};
const codes = async () =>
  (await open()).map((each) => `${each.code} ${each.hours ?? ''}`.trim()).toSorted();
const mails = () =>
  world.mail
    .mails()
    .filter(
      (each) =>
        each.to.includes('admin@inzozi.example') &&
        /waiting|answered|reached|doubt/.test(each.text),
    );
const moveTo = (address: string) =>
  world.sql('update device set address = $1', [address], business().businessId);
const setDeviceClock = (aheadMs: number) =>
  fetch(`${world.vsdc.url}/_sim/clock`, {
    method: 'POST',
    body: JSON.stringify({ now: new Date(quick.clock.now().getTime() + aheadMs).toISOString() }),
  });
let taken = 0;
const newDocument = () =>
  world.zoho
    .documents()
    .filter(
      (each) =>
        each.organization_id === business().organizationId &&
        each.canSeal &&
        each.module === 'invoices',
    )[taken++];

describe('a deadline that draws near', () => {
  test('is told once by mail and hook at each level, by whichever server, and is over by itself', async () => {
    const first = newDocument();
    await moveTo('http://127.0.0.1:9');
    const admin = await signIn();
    const { body } = await admin.seal('invoices', first?.id ?? '');
    await until(
      async () => (await admin.get(`/receipts/${body.id}`)).body,
      (each) => each.state === 'queued' && each.problem?.code === 'device_unreachable',
    );
    now += 0.9 * hourMs;
    await until(
      () =>
        world.sql(
          "select count(distinct slot)::int as n from slot where job = 'deadlines'",
          [],
          business().businessId,
        ),
      (rows) => Number(rows[0]?.n) >= 2,
    );
    expect(await codes()).toEqual([]);
    now += 0.2 * hourMs;
    await until(codes, (all) => all.includes('oldest_unsigned 1'));
    await until(mails, (all) => all.length === 1);
    expect(mails()[0]?.text).toContain(first?.number);
    expect(mails()[0]?.text).toContain('more than 1 h');
    now += 11 * hourMs;
    await until(
      codes,
      (all) => all.includes('oldest_unsigned 12') && !all.includes('oldest_unsigned 1'),
    );
    expect((await open()).find((each) => each.code === 'oldest_unsigned')?.title).toContain('12 h');
    await until(
      () => mails().map((each) => each.text.split('\n\n').map((part) => part.split('\n')[0])),
      (all) => all.length === 2,
    );
    expect(await codes()).toEqual(
      expect.arrayContaining(['device_silent 12', 'offline_clock 12', 'oldest_unsigned 12']),
    );
    // Looked at again and again, by two servers, it stays told once.
    now += 0.2 * hourMs;
    await leap(0.1);
    expect(mails()).toHaveLength(2);
    now += 1.1 * hourMs;
    await setDeviceClock(0);
    await moveTo(world.vsdc.url);
    await until(
      async () => (await look(`/receipts/${body.id}`)).body.state,
      (state) => state === 'signed',
    );
    // At the next hour the device is asked whether it reaches its authority.
    now += 1.1 * hourMs;
    await until(
      async () => {
        await leap(1 / 12);
        return codes();
      },
      (all) => all.length === 0,
    );
    await until(
      () => told.map((each) => `${each.type} ${each.data.code} ${each.data.hours}`),
      (all) =>
        all.includes('alert.closed oldest_unsigned 12') &&
        all.includes('alert.closed offline_clock 12'),
    );
    const opened = told
      .filter((each) => each.type === 'alert.opened')
      .map((each) => `${each.data.subject} ${each.data.code} ${each.data.hours}`);
    expect(new Set(opened).size, opened.join()).toBe(opened.length);
    expect(mails()).toHaveLength(2);
  });

  test('is a doubt older than an hour, too', async () => {
    const document = newDocument();
    world.vsdc.faults(['drop_after_signing']);
    const { body } = await (await signIn()).seal('invoices', document?.id ?? '');
    await until(
      async () => (await look(`/receipts/${body.id}`)).body.problem?.code,
      (code) => code === 'signed_answer_lost',
    );
    now += 1.1 * hourMs;
    await until(codes, (all) => all.includes('doubt_old'));
  });

  test('is a device whose clock goes wrong, until its next receipt says otherwise', async () => {
    // Deadlines are looked at once in five minutes of this clock: what they are to find has to be
    // there before it leaps.
    await setDeviceClock(40 * 60_000);
    await sealed();
    now += 0.1 * hourMs;
    await until(codes, (all) => all.includes('device_clock'));
    await setDeviceClock(0);
    await sealed();
    now += 0.1 * hourMs;
    await until(codes, (all) => !all.includes('device_clock'));
  });
});

describe('a slot', () => {
  test('is the same for clocks that differ within it, and begins a day of its country', () => {
    const five = { everyMinutes: 5 };
    expect(slotOf(five, new Date('2026-11-21T10:04:59Z'))).toBe('2026-11-21T10:00');
    expect(slotOf(five, new Date('2026-11-21T10:00:00Z'))).toBe('2026-11-21T10:00');
    expect(slotOf(five, new Date('2026-11-21T10:05:00Z'))).toBe('2026-11-21T10:05');
    const daily = { dailyAt: '06:00', timeZone: 'Africa/Kigali' };
    expect(slotOf(daily, new Date('2026-11-21T03:59:59Z'))).toBeNull();
    expect(slotOf(daily, new Date('2026-11-21T04:00:00Z'))).toBe('2026-11-21');
    expect(slotOf(daily, new Date('2026-12-31T21:59:00Z'))).toBe('2026-12-31');
    expect(
      slotOf({ dailyAt: '00:00', timeZone: 'Africa/Kigali' }, new Date('2026-12-31T22:00:00Z')),
    ).toBe('2027-01-01');
  });
});
