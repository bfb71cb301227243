import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Api, enrol, type Reply } from '../api.ts';
import { startWorld, type World } from '../world.ts';

let world: World;
let admin: Api;
let aheadMs = 0;
beforeAll(async () => {
  world = await startWorld({ instead: { clock: { now: () => new Date(Date.now() + aheadMs) } } });
  const [business] = world.businesses;
  admin = await Api.signIn(world, business.admin);
  await enrol(admin, business.admin.password);
});
afterAll(() => world?.[Symbol.asyncDispose]());

let keys = 0;
const newKey = () => ({ 'idempotency-key': `key-${++keys}` });
const kept = () =>
  world.sql(
    'select route, key, response::text, ended_at from idempotency_key',
    [],
    world.businesses[0].businessId,
  );
const codeOf = (reply: Reply) => [reply.status, reply.body.code];

describe('a request sent twice under one Idempotency-Key', () => {
  test('leaves no secret behind: of an answer that holds one only that it was given is kept, and it is not given again', async () => {
    const document = world.zoho
      .documents()
      .find((each) => each.organization_id === world.businesses[0].organizationId && each.canSeal);
    const receipt = (await admin.seal('invoices', document?.id ?? '')).body;
    const asks: [path: string, body: object, secretOf: (body: Reply['body']) => string[]][] = [
      ['/api-keys', { name: 'Till', scopes: ['read'] }, (body) => [body.key]],
      ['/webhooks', { module: 'invoices' }, (body) => [body.secret, body.url]],
      [
        '/subscribers',
        { url: 'http://127.0.0.1:9/x', events: ['receipt.signed'] },
        (body) => [body.secret],
      ],
      [
        '/oauth/connect',
        { data_centre: 'com' },
        (body) => [new URL(body.consent_url).searchParams.get('state') as string],
      ],
      [`/receipts/${receipt.id}/prints`, { paper: 'a4' }, (body) => [body.url]],
    ];
    for (const [path, body, secretOf] of asks) {
      const key = newKey();
      const first = await admin.post(path, body, key);
      expect(first.status, JSON.stringify(first.body)).toBe(200);
      expect(codeOf(await admin.post(path, body, key)), path).toEqual([409, 'idempotency_done']);
      const dump = JSON.stringify(await kept());
      for (const secret of secretOf(first.body)) {
        expect(secret.length, path).toBeGreaterThan(20);
        expect(dump, path).not.toContain(secret);
        expect(dump, path).not.toContain(secret.split('/').at(-1));
      }
    }
  });

  test('is done once, however many come at the same moment: the others are told that it is under way, or how it ended', async () => {
    const key = newKey();
    const replies = await Promise.all(
      Array.from({ length: 20 }, () =>
        admin.post('/api-keys', { name: 'Parallel', scopes: ['read'] }, key),
      ),
    );
    const made = ((await admin.get('/api-keys')).body.api_keys as { name: string }[]).filter(
      (each) => each.name === 'Parallel',
    );
    expect(made).toHaveLength(1);
    expect(replies.filter((each) => each.status === 200)).toHaveLength(1);
    for (const reply of replies.filter((each) => each.status !== 200))
      expect([409], reply.body.code).toContain(reply.status);
    expect(new Set(replies.map((each) => each.body.code ?? 'made'))).toEqual(
      new Set(['made', ...replies.flatMap((each) => each.body.code ?? [])]),
    );
    const other = newKey();
    const changes = await Promise.all(
      Array.from({ length: 10 }, () =>
        admin.post('/invitations', { email: 'once@inzozi.example', role: 'business_user' }, other),
      ),
    );
    expect(new Set(changes.map((each) => each.status))).toEqual(new Set([200, 409]));
    expect(
      ((await admin.get('/invitations')).body.invitations as { email: string }[]).filter(
        (each) => each.email === 'once@inzozi.example',
      ),
    ).toHaveLength(1);
  });

  test('is not run again where its end was lost, and what was refused is refused again without another try', async () => {
    const [{ businessId }] = world.businesses;
    const key = newKey();
    const refused = await admin.post(
      '/subscribers/sub_00000000000000000000000000000000/rotate',
      {},
      key,
    );
    expect(codeOf(refused)).toEqual([404, 'not_found']);
    expect(
      codeOf(await admin.post('/subscribers/sub_00000000000000000000000000000000/rotate', {}, key)),
    ).toEqual([404, 'not_found']);
    const lost = newKey();
    const invitation = { email: 'lost@inzozi.example', role: 'business_user' };
    expect((await admin.post('/invitations', invitation, lost)).status).toBe(200);
    await world.sql(
      'update idempotency_key set response = null, ended_at = null where key = $1',
      [lost['idempotency-key']],
      businessId,
    );
    expect(codeOf(await admin.post('/invitations', invitation, lost))).toEqual([
      409,
      'idempotency_under_way',
    ]);
    aheadMs += 5 * 60_000;
    expect(codeOf(await admin.post('/invitations', invitation, lost))).toEqual([
      409,
      'idempotency_unknown',
    ]);
    expect(
      ((await admin.get('/invitations')).body.invitations as { email: string }[]).filter(
        (each) => each.email === invitation.email,
      ),
    ).toHaveLength(1);
  });

  test('is one request of one caller: with another body it is a conflict, and another person’s key of the same name is theirs', async () => {
    const key = newKey();
    const first = await admin.post(
      '/invitations',
      { email: 'mine@inzozi.example', role: 'business_user' },
      key,
    );
    expect(first.status).toBe(200);
    expect(
      (
        await admin.post(
          '/invitations',
          { email: 'mine@inzozi.example', role: 'business_user' },
          key,
        )
      ).body.id,
    ).toBe(first.body.id);
    expect(
      codeOf(
        await admin.post(
          '/invitations',
          { email: 'other@inzozi.example', role: 'business_user' },
          key,
        ),
      ),
    ).toEqual([409, 'idempotency_conflict']);
    const theirs = await Api.signIn(world, world.businesses[1].admin);
    const ask = { email: 'mine@inzozi.example', role: 'business_user' };
    const made = await theirs.post('/invitations', ask, key);
    expect([made.status, made.body.id === first.body.id]).toEqual([200, false]);
  });

  test('is forgotten after a day', async () => {
    expect((await kept()).length).toBeGreaterThan(5);
    aheadMs += 23 * 3_600_000;
    await world.app.tidy();
    expect((await kept()).length).toBeGreaterThan(5);
    aheadMs += 2 * 3_600_000;
    await world.app.tidy();
    expect(await kept()).toEqual([]);
  });
});
