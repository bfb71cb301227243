import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Api, asPlatform, codeOf, enrol, operatorOf, until } from '../api.ts';
import { startWorld, type World } from '../world.ts';

let world: World;
/** The servers' clock: the present, moved ahead where a test waits. */
let ahead = 0;
const clock = { now: () => new Date(Date.now() + ahead) };
beforeAll(async () => {
  world = await startWorld({ instead: { clock } });
});
afterAll(() => world?.[Symbol.asyncDispose]());

const business = (index: 0 | 1 = 0) => world.businesses[index];
const anyone = () => new Api(world.app.url);
const withToken = (token: unknown) => new Api(world.app.url, token as string);
const platform = (text: string, parameters: unknown[] = []) => asPlatform(world.databaseUrls.app, text, parameters);
const password = 'four calm otters at dusk';
const mailsTo = (address: string) => world.mail.mails().filter((each) => each.to.includes(address));
const mailTo = async (address: string, subject: string) =>
  (
    await until(
      () => mailsTo(address).findLast((each) => each.subject.includes(subject)),
      (mail) => mail !== undefined,
    )
  )?.text ?? '';
const linkIn = (text: string) => /#\/[a-z-]+\/(\S+)/.exec(text)?.[1] ?? '';
const codesOf = (replies: { status: number; body: { code?: string } }[], code: string) => replies.filter((each) => each.body.code === code).length;
const worksAs = async (token: unknown) => (await withToken(token).get('/auth/me')).status === 200;

/** Somebody new in the first business, with an account of their own. */
async function newPerson(username: string, role: 'business_user' | 'business_admin' = 'business_user', of: 0 | 1 = 0): Promise<Api> {
  const admin = await Api.signIn(world, business(of).admin);
  const email = `${username}@people.example`;
  expect((await admin.post('/invitations', { email, role })).status).toBe(200);
  const token = linkIn(await mailTo(email, 'invites you'));
  const made = await anyone().post('/auth/invitation/accept', { account: 'new', token, username, name: username, password });
  expect(made.status, JSON.stringify(made.body)).toBe(200);
  return Api.signIn(world, { username, password });
}
/** Takes somebody who has an account into another business too. */
async function alsoIn(username: string, of: 0 | 1): Promise<string> {
  const admin = await Api.signIn(world, business(of).admin);
  const email = `${username}@other.example`;
  await admin.post('/invitations', { email, role: 'business_user' });
  const token = linkIn(await mailTo(email, 'invites you'));
  const made = await anyone().post('/auth/invitation/accept', { account: 'existing', token, username, password });
  expect(made.status, JSON.stringify(made.body)).toBe(200);
  return made.body.token as string;
}
/** As if somebody had signed in so often since: more sessions than any list shows. */
const manySessions = (businessId: string) =>
  world.sql(
    `insert into session (business_id, id, membership_id, expires_at, created_at)
     select s.business_id, s.id || '-' || n, s.membership_id, s.expires_at, s.created_at + n * interval '1 second'
       from (select * from session where business_id = $1 order by created_at desc limit 1) s, generate_series(1, 60) n`,
    [businessId],
    businessId,
  );

describe('sessions end by whose they are, not by what a list shows', () => {
  test('a changed password ends every other session of the person: sixty newer ones, those of other and of closed businesses', async () => {
    const thief = await newPerson('paula');
    const elsewhere = await alsoIn('paula', 1);
    await manySessions(business(0).businessId);
    const login = { username: 'paula', password, business_id: business(0).businessId };
    const own = withToken((await anyone().post('/auth/login', login)).body.token);
    await platform("update reference.business_directory set status = 'closed' where business_id = $1", [business(1).businessId]);
    try {
      expect((await own.post('/auth/password', { current_password: password, new_password: 'nine brisk lanterns' })).body.business.id).toBe(
        business(0).businessId,
      );
    } finally {
      await platform("update reference.business_directory set status = 'active' where business_id = $1", [business(1).businessId]);
    }
    expect(await worksAs(own.token)).toBe(true);
    expect(await worksAs(thief.token)).toBe(false);
    expect(await worksAs(elsewhere), 'of the business that was closed').toBe(false);
    expect(await mailTo('paula@people.example', 'A change to your')).toContain('The password of your account was changed.');
  });

  test('one that no list shows any more can still be ended, by its id and with all the others', async () => {
    const old = await newPerson('quentin');
    const [shown] = (await old.get('/auth/sessions')).body.sessions.filter((each: { is_current: boolean }) => each.is_current) as { id: string }[];
    await manySessions(business(0).businessId);
    const own = await Api.signIn(world, { username: 'quentin', password });
    expect(JSON.stringify((await own.get('/auth/sessions')).body)).not.toContain(String(shown?.id));
    expect((await own.post(`/auth/sessions/${shown?.id}/end`)).status).toBe(200);
    expect(await worksAs(old.token)).toBe(false);
    const another = await Api.signIn(world, { username: 'quentin', password });
    expect((await own.post('/auth/sessions/end-others')).status).toBe(200);
    expect([await worksAs(own.token), await worksAs(another.token)]).toEqual([true, false]);
  });

  test('none goes on for ever: seven days however much it is used, the operator’s twelve hours', async () => {
    const own = await Api.signIn(world, business(0).user);
    const age = (interval: string, table: string) => `update ${table} set created_at = now() - interval '${interval}', expires_at = now() + interval '5 hours'`;
    await world.sql(age('6 days 20 hours', 'session'), [], business(0).businessId);
    expect(await worksAs(own.token), 'and used past half its life it is extended').toBe(true);
    const { expires_at } = (await own.get('/auth/me')).body as unknown as { expires_at: string };
    expect(new Date(expires_at).getTime(), 'but never beyond').toBeLessThanOrEqual(Date.now() + 4 * 3_600_000);
    await world.sql(age('7 days 1 minute', 'session'), [], business(0).businessId);
    expect(await worksAs(own.token)).toBe(false);

    const operator = await operatorOf(world);
    await platform("update reference.operator_session set created_at = now() - interval '11 hours 50 minutes', expires_at = now() + interval '1 hour'");
    expect(await worksAs(operator.token)).toBe(true);
    await platform("update reference.operator_session set created_at = now() - interval '12 hours 1 minute'");
    expect(await worksAs(operator.token)).toBe(false);
  });
});

describe('guesses are counted before they are looked at, whoever makes them all at once', () => {
  test('of a password at the door: eight of forty are checked', async () => {
    await newPerson('rita');
    const tries = await Promise.all([...Array(40).keys()].map((i) => anyone().post('/auth/login', { username: 'rita', password: `guess number ${i}` })));
    expect(codesOf(tries, 'wrong_password')).toBe(8);
    expect(codesOf(tries, 'too_many_attempts')).toBe(32);
  });

  test('of a right password nothing is taken for a guess, however many sign in at once', async () => {
    await newPerson('silvia');
    const all = await Promise.all(Array.from({ length: 12 }, () => anyone().post('/auth/login', { username: 'silvia', password })));
    expect(all.map((each) => each.status)).toEqual(Array(12).fill(200));
  });

  test('of one’s own password within a session: eight, whichever call asks for it', async () => {
    const own = await newPerson('tom');
    const tries = await Promise.all(
      [...Array(30).keys()].map((i) => {
        const wrong = `guess number ${i}`;
        if (i % 3 === 0) return own.post('/auth/password', { current_password: wrong, new_password: 'nine brisk lanterns' });
        if (i % 3 === 1) return own.post('/auth/totp', { password: wrong });
        return own.put('/auth/profile', { name: 'Tom', email: 'tom@elsewhere.example', current_password: wrong });
      }),
    );
    expect(codesOf(tries, 'wrong_own_password')).toBe(8);
    expect(codesOf(tries, 'too_many_attempts')).toBe(22);
  });

  test('of a pairing’s code: five in a quarter of an hour, a right one of one’s own in between or not; and twenty panels wait for an address', async () => {
    const begin = () => anyone().post('/auth/zoho/pairings', { organization_id: business(0).organizationId });
    const type = (code: string) => anyone().post('/auth/zoho/approvals', { code });
    const own = (await begin()).body.code as string;
    const guesses = [];
    for (let i = 0; i < 4; i++) guesses.push(await type(`BBBB-BBB${'BCDF'[i]}`));
    expect((await type(own)).status).toBe(200);
    guesses.push(...(await Promise.all([...Array(20).keys()].map((i) => type(`CCCC-CCC${'BCDFGHJKLMNPQRSTVWXZ'[i]}`)))));
    expect(codesOf(guesses, 'pairing_over')).toBe(5);
    const panels = await Promise.all(Array.from({ length: 40 }, begin));
    expect(panels.filter((each) => each.status === 200).length).toBe(20 - 1);
  });

  test('wrong codes of whoever holds nothing but a session’s token close that session’s way and nobody else’s, switched or not', async () => {
    const own = await newPerson('ines');
    const stolen = withToken(await alsoIn('ines', 1));
    const secretOfInes = await enrol(own, password);
    let tried = 0;
    for (let i = 0; i < 16; i++) {
      const reply = await stolen.post('/auth/second-factor', { code: String(i).padStart(6, '0') });
      if (reply.body.code === 'wrong_code') tried += 1;
      // A switch begins a new session; it is the same thief.
      const to = world.businesses[i % 2] as World['businesses'][0];
      stolen.token = (await stolen.post('/auth/switch', { business_id: to.businessId })).body.token as string;
    }
    expect(tried).toBe(10);
    expect((await own.post('/auth/second-factor', { code: codeOf(secretOfInes, 1, clock.now()) })).body.second_factor).toBe('passed');
  });
});

describe('what the operator sees', () => {
  test('totals at /health only in a session in which the second factor was given', async () => {
    const health = async (token: string) =>
      (await (await fetch(`${world.app.url}/health`, { headers: { authorization: `Bearer ${token}` } })).json()) as Record<string, unknown>;
    const [operator] = await platform("select id from reference.person where is_operator and status = 'active' limit 1");
    const given = { username: 'operator', password: 'seven quiet herons by the lake' };
    const own = await Api.signIn(world, given);
    expect(operator).toBeDefined();
    expect(await health(own.token)).toMatchObject({ total_companies: 2 });
    await platform('update reference.operator_session set verified_at = null');
    expect(Object.keys(await health(own.token))).toEqual(['status']);
  });
});

describe('a refresh token that several frames show at once', () => {
  test('is answered with the same successor to each, which works; shown again later it is not', async () => {
    for (const table of ['sign_in', 'pairing']) await platform(`delete from reference.${table}`);
    const panel = (await anyone().post('/auth/zoho/pairings', { organization_id: business().organizationId })).body;
    const taken = (await anyone().post('/auth/zoho/approvals', { code: panel.code })).body;
    const back = Object.fromEntries(new URL(world.zoho.accept(taken.consent_url, '4')).searchParams);
    await anyone().post('/auth/zoho/approvals/callback', { ...back, browser_secret: taken.browser_secret });
    await anyone().post('/auth/zoho/approvals/answer', { browser_secret: taken.browser_secret, opened_by_me: true });
    const { session } = (await anyone().post('/auth/zoho/pairings/poll', { pairing_id: panel.pairing_id, poll_secret: panel.poll_secret })).body;
    const renew = (token: unknown) => anyone().post('/auth/refresh', { refresh_token: token });
    const answers = await Promise.all(Array.from({ length: 20 }, () => renew(session.refresh_token)));
    expect(new Set(answers.map((each) => each.status))).toEqual(new Set([200]));
    expect(new Set(answers.map((each) => `${each.body.token} ${each.body.refresh_token}`)).size).toBe(1);
    expect(await worksAs(answers[0]?.body.token)).toBe(true);
    ahead += 11_000;
    const later = await renew(session.refresh_token);
    expect(later.status, 'its answer may have been lost').toBe(200);
    expect(later.body.refresh_token).not.toBe(answers[0]?.body.refresh_token);
    expect(await worksAs(answers[0]?.body.token), 'and the pair before it is over').toBe(false);
    expect((await renew(answers[0]?.body.refresh_token)).status).toBe(401);
  });
});
