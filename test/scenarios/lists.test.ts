import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Api, until } from '../api.ts';
import { startWorld, type World } from '../world.ts';

const hourMs = 3_600_000;
const startedAt = Date.now();
let ahead = 0;
let world: World;
let admin: Api;
const quick = {
  clock: { now: () => new Date(Date.now() + ahead) },
  deadlinesMs: 40,
  sweepMs: 60,
  waitMs: 300,
  intakeMs: 30,
  timing: {
    retryFirstMs: 60,
    retryMaxMs: 120,
    settleQuietMs: 60,
    settleMaxMs: 120,
    doubtWaitMs: 60,
    readAgainMs: 1e12,
  },
};
beforeAll(async () => {
  world = await startWorld({ instead: quick });
  // What happens by the clock happens once, however many servers there are.
  await world.anotherApp(quick);
  admin = await signIn();
});
afterAll(() => world?.[Symbol.asyncDispose]());

const business = () => world.businesses[0];
const signIn = () => Api.signIn(world, business().admin);
const branchId = () => business().branchIds[0] as string;
const lists = async () => (await (await signIn()).get(`/branches/${branchId()}/lists`)).body;
const alerts = async () =>
  (await (await signIn()).get('/alerts')).body.alerts as {
    id: string;
    problem: Record<string, any>;
    subject: string;
  }[];
/** How often a list was asked for since the simulated day began. */
const asked = () => world.vsdc.asked('/itemClass/selectItemsClass', business().taxpayerId, '00');
const leap = (hours: number) => {
  ahead += hours * hourMs;
  world.vsdc.advanceClock(hours * hourMs);
};
const refresh = async () => {
  const before = (await lists()).refreshed_at;
  expect(await admin.post(`/branches/${branchId()}/lists`)).toMatchObject({
    status: 200,
    body: { is_running: true, steps: 2 },
  });
  return until(
    lists,
    (now) => !now.is_running && (now.refreshed_at !== before || now.problem !== null),
  );
};

describe('the lists and rates of the authority', () => {
  test('are there from the initialisation, and are fetched every day, by one of two servers', async () => {
    const first = await lists();
    expect(first).toMatchObject({ problem: null, is_running: false, rate_changes: [] });
    expect(first.rates).toContainEqual({ tax_class: 'B', name: 'B-18.00%', percent: '18' });
    expect(Date.parse(first.next_at) - startedAt).toBeGreaterThan(23 * hourMs);
    const before = asked();
    leap(24.5);
    admin = await signIn();
    const next = await until(
      lists,
      (now) => now.refreshed_at !== first.refreshed_at && !now.is_running,
    );
    expect(next.problem).toBeNull();
    expect(asked() - before).toBe(1);
  });

  test('show a changed rate with the one before, alert it, and what waited is reckoned anew instead of being sent with the former one', async () => {
    const [taken] = world.zoho
      .documents()
      .filter(
        (each) =>
          each.organization_id === business().organizationId && each.what.startsWith('simple sale'),
      );
    const id = taken?.id ?? '';
    await admin.post(`/branches/${branchId()}/pause`);
    expect(
      (await admin.seal('invoices', id, { confirm: ['before_go_live', 'document_old'] })).body
        .state,
    ).toBe('queued');
    world.vsdc.set({ rates: { B: '20' } });
    const after = await refresh();
    expect(after.rates).toContainEqual({ tax_class: 'B', name: 'B-20.00%', percent: '20' });
    expect(after.rate_changes).toEqual([
      { tax_class: 'B', before: '18', after: '20', since: expect.any(String) },
    ]);
    expect(after.changes).toEqual([{ list: 'tax_class', added: 0, removed: 0, renamed: 1 }]);
    const told = (await alerts()).find((each) => each.problem.code === 'rate_changed');
    expect(told?.problem.title).toBe(
      'The authority has changed the rate of class B: 20 % instead of 18 %.',
    );
    await admin.post(`/branches/${branchId()}/resume`);
    const receipt = await until(
      async () => (await admin.get(`/receipts?module=invoices&document_id=${id}`)).body.receipts[0],
      (found) => found.state !== 'queued',
    );
    expect(receipt).toMatchObject({ state: 'refused', problem: { code: 'tax_rate_differs' } });
    // Seen to by a person, who has changed the tax in Zoho.
    await admin.post(`/alerts/${told?.id}/close`);
    world.vsdc.set({ rates: {} });
    expect((await refresh()).rate_changes).toHaveLength(2);
    expect((await alerts()).some((each) => each.problem.after === '18')).toBe(true);
  });

  test('stay as they were where they cannot be fetched or come empty; the third failure alerts, and success ends it', async () => {
    world.vsdc.set({ list_answer: 'empty' });
    expect((await refresh()).rates).toHaveLength(4);
    world.vsdc.set({ list_answer: 'offline' });
    const failed = await refresh();
    expect(failed).toMatchObject({ problem: { code: 'device_offline' } });
    expect(failed.rates).toHaveLength(4);
    expect((await alerts()).some((each) => each.problem.code === 'lists_stale')).toBe(false);
    for (let i = 0; i < 2; i++) {
      const before = (await lists()).next_at;
      leap(0.6);
      await until(lists, (now) => now.next_at !== before && !now.is_running);
    }
    expect(
      (await alerts()).find((each) => each.problem.code === 'lists_stale')?.problem.tries,
    ).toBe(3);
    world.vsdc.set({ list_answer: 'rows' });
    expect((await refresh()).problem).toBeNull();
    expect((await alerts()).some((each) => each.problem.code === 'lists_stale')).toBe(false);
  });

  test('are the same lists in other clothes: a mark before them, blanks around every text, numbers as texts, another spelling of success', async () => {
    world.vsdc.set({
      padding: true,
      bom: true,
      numbers_as_strings: true,
      success_code: '0000',
      content_type: 'text/plain',
    });
    const dressed = await refresh();
    world.vsdc.set({
      padding: false,
      bom: false,
      numbers_as_strings: false,
      success_code: '000',
      content_type: null,
    });
    expect(dressed).toMatchObject({ problem: null, changes: [] });
  });

  test('are an admin’s to fetch, and anybody’s to see', async () => {
    const user = await Api.signIn(world, business().user);
    expect((await user.get(`/branches/${branchId()}/lists`)).status).toBe(200);
    expect((await user.post(`/branches/${branchId()}/lists`)).status).toBe(403);
  });
});
