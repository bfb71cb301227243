import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Api, asPlatform, codeFor, codeOf, enrol, operatorOf, until } from '../api.ts';
import { startWorld, type World } from '../world.ts';

let world: World;
/** The servers' clock: the present, moved ahead where a test waits. */
let ahead = 0;
const clock = { now: () => new Date(Date.now() + ahead) };
beforeAll(async () => {
  world = await startWorld({ instead: { clock, limits: { addressPerMinute: 5_000 } } });
});
afterAll(() => world?.[Symbol.asyncDispose]());

const business = (index: 0 | 1 = 0) => world.businesses[index];
const anyone = () => new Api(world.app.url);
const withToken = (token: unknown) => new Api(world.app.url, token as string);
const platform = (text: string, parameters: unknown[] = []) =>
  asPlatform(world.databaseUrls.app, text, parameters);
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
const codesOf = (replies: { status: number; body: { code?: string } }[], code: string) =>
  replies.filter((each) => each.body.code === code).length;
const worksAs = async (token: unknown) => (await withToken(token).get('/auth/me')).status === 200;

/** Somebody new in the first business, with an account of their own. */
async function newPerson(
  username: string,
  role: 'business_user' | 'business_admin' = 'business_user',
  of: 0 | 1 = 0,
): Promise<Api> {
  const admin = await Api.signIn(world, business(of).admin);
  const email = `${username}@people.example`;
  expect((await admin.post('/invitations', { email, role })).status).toBe(200);
  const token = linkIn(await mailTo(email, 'invites you'));
  const made = await anyone().post('/auth/invitation/accept', {
    account: 'new',
    token,
    username,
    name: username,
    password,
  });
  expect(made.status, JSON.stringify(made.body)).toBe(200);
  return Api.signIn(world, { username, password });
}
/** Takes somebody who has an account into another business too. */
async function alsoIn(username: string, of: 0 | 1): Promise<string> {
  const admin = await Api.signIn(world, business(of).admin);
  const email = `${username}@other.example`;
  await admin.post('/invitations', { email, role: 'business_user' });
  const token = linkIn(await mailTo(email, 'invites you'));
  const made = await anyone().post('/auth/invitation/accept', {
    account: 'existing',
    token,
    username,
    password,
  });
  expect(made.status, JSON.stringify(made.body)).toBe(200);
  return made.body.token as string;
}
/**
 * A lock as somebody else at work would hold it, until so many wait; then it is let go, and what
 * was under way goes on in the order it came.
 */
type Hold = { sql: string; values?: unknown[]; businessId?: string };
async function whileHeld<T extends object>(
  hold: Hold,
  work: (waiting: (atLeast: number) => Promise<unknown>) => Promise<T>,
): Promise<{ [K in keyof T]: Awaited<T[K]> }> {
  const [holder, watcher] = [0, 1].map(
    () => new pg.Client({ connectionString: world.databaseUrls.app }),
  ) as [pg.Client, pg.Client];
  await Promise.all([holder.connect(), watcher.connect()]);
  const [own] = (await holder.query('select pg_backend_pid() as pid')).rows as [{ pid: number }];
  // Those who wait for this lock, and for those who wait for it: others at work wait for each other
  // too, and are not meant.
  const waits = async () =>
    Number(
      (
        await watcher.query(
          `with recursive waiter (pid) as (
             select pid from pg_stat_activity where $1::int = any(pg_blocking_pids(pid))
             union select a.pid from pg_stat_activity a join waiter on waiter.pid = any(pg_blocking_pids(a.pid)))
           select count(*) as n from waiter`,
          [own.pid],
        )
      ).rows[0]?.n,
    );
  try {
    await holder.query('begin');
    const role = hold.businessId ? 'muhuri_worker' : 'muhuri_platform';
    await holder.query(
      "select set_config('role', $1, true), set_config('app.business_id', $2, true)",
      [role, hold.businessId ?? ''],
    );
    await holder.query(hold.sql, hold.values ?? []);
    const begun = await work((atLeast) => until(waits, (n) => n >= atLeast));
    await holder.query('commit');
    const ended = await Promise.all(
      Object.entries(begun).map(async ([name, each]) => [name, await each] as const),
    );
    return Object.fromEntries(ended) as { [K in keyof T]: Awaited<T[K]> };
  } finally {
    await Promise.all([holder.end(), watcher.end()]);
  }
}
const newestSessionOf = (of: 0 | 1): Hold => ({
  sql: 'select id from session order by created_at desc limit 1 for update',
  businessId: business(of).businessId,
});
const nextOf = (username: string) => codeFor(world, { username, password });
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
    await platform(
      "update reference.business_directory set status = 'closed' where business_id = $1",
      [business(1).businessId],
    );
    try {
      expect(
        (
          await own.post('/auth/password', {
            current_password: password,
            new_password: 'nine brisk lanterns',
          })
        ).body.business.id,
      ).toBe(business(0).businessId);
    } finally {
      await platform(
        "update reference.business_directory set status = 'active' where business_id = $1",
        [business(1).businessId],
      );
    }
    expect(await worksAs(own.token)).toBe(true);
    expect(await worksAs(thief.token)).toBe(false);
    expect(await worksAs(elsewhere), 'of the business that was closed').toBe(false);
    expect(await mailTo('paula@people.example', 'A change to your')).toContain(
      'The password of your account was changed.',
    );
  });

  test('one that no list shows any more can still be ended, by its id and with all the others', async () => {
    const old = await newPerson('quentin');
    const [shown] = (await old.get('/auth/sessions')).body.sessions.filter(
      (each: { is_current: boolean }) => each.is_current,
    ) as { id: string }[];
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
    const age = (interval: string, table: string) =>
      `update ${table} set created_at = now() - interval '${interval}', expires_at = now() + interval '5 hours'`;
    await world.sql(age('6 days 20 hours', 'session'), [], business(0).businessId);
    expect(await worksAs(own.token), 'and used past half its life it is extended').toBe(true);
    const { expires_at } = (await own.get('/auth/me')).body as unknown as { expires_at: string };
    expect(new Date(expires_at).getTime(), 'but never beyond').toBeLessThanOrEqual(
      Date.now() + 4 * 3_600_000,
    );
    await world.sql(age('7 days 1 minute', 'session'), [], business(0).businessId);
    expect(await worksAs(own.token)).toBe(false);

    const operator = await operatorOf(world);
    await platform(
      "update reference.operator_session set created_at = now() - interval '11 hours 50 minutes', expires_at = now() + interval '1 hour'",
    );
    expect(await worksAs(operator.token)).toBe(true);
    await platform(
      "update reference.operator_session set created_at = now() - interval '12 hours 1 minute'",
    );
    expect(await worksAs(operator.token)).toBe(false);
  });
});

describe('a session that is passed on to another business', () => {
  const toOther = (token: unknown) =>
    withToken(token).post('/auth/switch', { business_id: business(1).businessId });
  const toFirst = (token: unknown) =>
    withToken(token).post('/auth/switch', { business_id: business(0).businessId });

  test('is one session all the while: however often it is passed on it is over after seven days', async () => {
    await newPerson('wolfram');
    await alsoIn('wolfram', 1);
    const own = (
      await anyone().post('/auth/login', {
        username: 'wolfram',
        password,
        business_id: business(0).businessId,
      })
    ).body.token;
    await world.sql(
      "update session set created_at = now() - interval '6 days 20 hours'",
      [],
      business(0).businessId,
    );
    const there = (await toOther(own)).body.token;
    const back = await toFirst(there);
    expect(back.status, JSON.stringify(back.body)).toBe(200);
    const { expires_at } = (await withToken(back.body.token).get('/auth/me')).body as unknown as {
      expires_at: string;
    };
    expect(new Date(expires_at).getTime()).toBeLessThanOrEqual(
      clock.now().getTime() + 4 * 3_600_000,
    );
    expect([await worksAs(own), await worksAs(there)]).toEqual([false, false]);
  });

  test('stays one: of twenty that pass it on at once one has it', async () => {
    const own = (await newPerson('xaver')).token;
    await alsoIn('xaver', 1);
    const all = await Promise.all(Array.from({ length: 20 }, () => toOther(own)));
    expect(all.filter((each) => each.status === 200)).toHaveLength(1);
    expect(all.filter((each) => each.status === 401)).toHaveLength(19);
  });

  test('is not passed on past a changed password: not to where its sessions have been ended a moment ago', async () => {
    const own = await newPerson('yannick');
    const thief = await alsoIn('yannick', 1);
    // The thief's session is held, so that the first business has been gone through and the second
    // has not.
    const { changed, passed } = await whileHeld(newestSessionOf(1), async (waiting) => {
      const changing = own.post('/auth/password', {
        current_password: password,
        new_password: 'eight slow barges at noon',
      });
      await waiting(1);
      const passing = toFirst(thief);
      await waiting(2);
      return { changed: changing, passed: passing };
    });
    expect(changed.status, JSON.stringify(changed.body)).toBe(200);
    expect([
      await worksAs(own.token),
      await worksAs(thief),
      await worksAs(passed.body.token ?? 'none'.repeat(10)),
    ]).toEqual([true, false, false]);
  });
});

test('whoever ends a session is answered once what is under way in it has been written: nothing comes after', async () => {
  const thief = await newPerson('xanthe');
  await enrol(thief, password);
  const codes = (await thief.post('/auth/recovery-codes')).body.recovery_codes as string[];
  const own = withToken(
    (await anyone().post('/auth/login', { username: 'xanthe', password, recovery_code: codes[0] }))
      .body.token,
  );
  const [found] = (await thief.get('/auth/sessions')).body.sessions.filter(
    (each: { is_current: boolean }) => each.is_current,
  ) as { id: string }[];
  const person = (await own.get('/auth/me')).body.person.id as string;
  const hold = {
    sql: 'select 1 from reference.recovery_code where person_id = $1 for update',
    values: [person],
  };
  const { made, ended, first } = await whileHeld(hold, async (waiting) => {
    const making = thief.asSession().post('/auth/recovery-codes');
    await waiting(1);
    const ending = own.post(`/auth/sessions/${found?.id}/end`);
    const first = await Promise.race([
      ending.then(() => 'the end'),
      waiting(2).then(
        () => 'what was under way',
        () => 'nobody waits',
      ),
    ]);
    return { made: making, ended: ending, first };
  });
  expect([made.status, ended.status, first]).toEqual([200, 200, 'what was under way']);
  expect(await worksAs(thief.token)).toBe(false);
});

describe('what is under way while the password changes does not outlive it', () => {
  const nextPassword = 'eight slow barges at noon';
  const counter = (subject: string) => ({
    sql: 'select pg_advisory_xact_lock(hashtextextended($1, 0))',
    values: [subject],
  });
  /** The link for a new password, as its owner has it by mail. */
  const resetLink = async (username: string) => {
    await anyone().post('/auth/password/forgot', { username });
    return linkIn(await mailTo(`${username}@people.example`, 'new password'));
  };
  const reset = (token: string) =>
    anyone().post('/auth/password/reset', { token, new_password: nextPassword });
  const idOf = async (session: Api) => (await session.get('/auth/me')).body.person.id as string;

  test('a device that a sign-in with the former one remembers', async () => {
    const own = await newPerson('quirin');
    await enrol(own, password);
    const codes = (await own.post('/auth/recovery-codes')).body.recovery_codes as string[];
    const hold = {
      sql: 'select 1 from reference.person where id = $1 for no key update',
      values: [await idOf(own)],
    };
    // Held where password and code have been taken and the device is not yet written; the change
    // comes next.
    const { remembered, changed } = await whileHeld(hold, async (waiting) => {
      const entering = anyone().post('/auth/login', {
        username: 'quirin',
        password,
        recovery_code: codes[0],
        remember_device: true,
      });
      await waiting(1);
      const changing = own
        .asSession()
        .post('/auth/password', { current_password: password, new_password: nextPassword });
      await waiting(2);
      return { remembered: entering, changed: changing };
    });
    expect(changed.status, JSON.stringify(changed.body)).toBe(200);
    expect(remembered).toMatchObject({ status: 401, body: { code: 'not_signed_in' } });
    expect((await own.get('/auth/second-factor')).body.devices).toEqual([]);
  });

  test('another new password, asked for with the former one', async () => {
    const thief = await newPerson('rasmus');
    const link = await resetLink('rasmus');
    const { taken, set } = await whileHeld(
      counter(`account_change:${await idOf(thief)}`),
      async (waiting) => {
        const taking = thief.post('/auth/password', {
          current_password: password,
          new_password: 'seven loud parrots at dawn',
        });
        await waiting(1);
        return { taken: taking, set: await reset(link) };
      },
    );
    expect([set.status, taken.status]).toEqual([200, 401]);
    expect(
      (await anyone().post('/auth/login', { username: 'rasmus', password: nextPassword })).status,
    ).toBe(200);
    expect(await worksAs(thief.token)).toBe(false);
  });

  test('another address, asked for with the former one', async () => {
    const thief = await newPerson('sixtus');
    const link = await resetLink('sixtus');
    const { asked, set } = await whileHeld(
      counter(`confirm_of:${await idOf(thief)}`),
      async (waiting) => {
        const asking = thief.put('/auth/profile', {
          name: 'sixtus',
          email: 'thief@elsewhere.example',
          current_password: password,
        });
        await waiting(1);
        return { asked: asking, set: await reset(link) };
      },
    );
    expect([set.status, asked.status]).toEqual([200, 401]);
    expect(mailsTo('thief@elsewhere.example')).toEqual([]);
    const own = await Api.signIn(world, { username: 'sixtus', password: nextPassword });
    expect((await own.get('/auth/profile')).body).toMatchObject({ email_pending: null });
  });

  test('an authenticator of somebody else’s, begun before and confirmed in a session that the change ends', async () => {
    const thief = await newPerson('ulfert');
    const begun = await thief.post('/auth/totp', { password });
    const link = await resetLink('ulfert');
    const { confirmed, set } = await whileHeld(
      counter(`second_factor:in_sessions:${await idOf(thief)}`),
      async (waiting) => {
        const confirming = thief.post('/auth/totp/confirm', {
          code: codeOf(begun.body.secret as string, 0, clock.now()),
        });
        await waiting(1);
        return { confirmed: confirming, set: await reset(link) };
      },
    );
    expect([set.status, confirmed.status]).toEqual([200, 401]);
    const own = await Api.signIn(world, { username: 'ulfert', password: nextPassword });
    expect((await own.get('/auth/me')).body.second_factor).toBe('none');
  });

  test('an authenticator that is begun with the former one', async () => {
    const thief = await newPerson('volkmar');
    const link = await resetLink('volkmar');
    const { begun, set } = await whileHeld(
      counter(`own_password:${await idOf(thief)}`),
      async (waiting) => {
        const beginning = thief.post('/auth/totp', { password });
        await waiting(1);
        return { begun: beginning, set: await reset(link) };
      },
    );
    expect([set.status, begun.status]).toEqual([200, 401]);
  });

  test('the removal of the authenticator, asked for with the former one', async () => {
    const thief = await newPerson('wendelin');
    await enrol(thief, password);
    const link = await resetLink('wendelin');
    const { removed, set } = await whileHeld(
      counter(`account_change:${await idOf(thief)}`),
      async (waiting) => {
        const removing = thief.asSession().post('/auth/totp/remove', { password });
        await waiting(1);
        return { removed: removing, set: await reset(link) };
      },
    );
    expect([set.status, removed.status]).toEqual([200, 401]);
    expect(
      (await anyone().post('/auth/login', { username: 'wendelin', password: nextPassword })).body
        .code,
    ).toBe('code_needed');
  });

  test('fresh recovery codes of a session that the change ends', async () => {
    const thief = await newPerson('tankred');
    await enrol(thief, password);
    const before = (await thief.post('/auth/recovery-codes')).body.recovery_codes as string[];
    const link = await resetLink('tankred');
    const { made, set } = await whileHeld(
      counter(`account_change:${await idOf(thief)}`),
      async (waiting) => {
        const making = thief.asSession().post('/auth/recovery-codes');
        await waiting(1);
        return { made: making, set: await reset(link) };
      },
    );
    expect([set.status, made.status]).toEqual([200, 401]);
    expect(
      (
        await anyone().post('/auth/login', {
          username: 'tankred',
          password: nextPassword,
          recovery_code: before[0],
        })
      ).status,
    ).toBe(200);
  });
});

describe('guesses are counted before they are looked at, whoever makes them all at once', () => {
  test('of a password at the door: eight of forty are checked', async () => {
    await newPerson('rita');
    const tries = await Promise.all(
      [...Array(40).keys()].map((i) =>
        anyone().post('/auth/login', { username: 'rita', password: `guess number ${i}` }),
      ),
    );
    expect(codesOf(tries, 'wrong_password')).toBe(8);
    expect(codesOf(tries, 'too_many_attempts')).toBe(32);
  });

  test('of a right password nothing is taken for a guess, however many sign in at once', async () => {
    await newPerson('silvia');
    const all = await Promise.all(
      Array.from({ length: 12 }, () =>
        anyone().post('/auth/login', { username: 'silvia', password }),
      ),
    );
    expect(all.map((each) => each.status)).toEqual(Array(12).fill(200));
  });

  test('of one’s own password within a session: eight, whichever call asks for it', async () => {
    const own = await newPerson('tom');
    const tries = await Promise.all(
      [...Array(30).keys()].map((i) => {
        const wrong = `guess number ${i}`;
        if (i % 3 === 0)
          return own.post('/auth/password', {
            current_password: wrong,
            new_password: 'nine brisk lanterns',
          });
        if (i % 3 === 1) return own.post('/auth/totp', { password: wrong });
        return own.put('/auth/profile', {
          name: 'Tom',
          email: 'tom@elsewhere.example',
          current_password: wrong,
        });
      }),
    );
    expect(codesOf(tries, 'wrong_own_password')).toBe(8);
    expect(codesOf(tries, 'too_many_attempts')).toBe(22);
  });

  test('of a pairing’s code: five in a quarter of an hour, a right one of one’s own in between or not; and twenty panels wait for an address', async () => {
    const begin = () =>
      anyone().post('/auth/zoho/pairings', { organization_id: business(0).organizationId });
    const type = (code: string) => anyone().post('/auth/zoho/approvals', { code });
    const own = (await begin()).body.code as string;
    const guesses = [];
    for (let i = 0; i < 4; i++) guesses.push(await type(`BBBB-BBB${'BCDF'[i]}`));
    expect((await type(own)).status).toBe(200);
    guesses.push(
      ...(await Promise.all(
        [...Array(20).keys()].map((i) => type(`CCCC-CCC${'BCDFGHJKLMNPQRSTVWXZ'[i]}`)),
      )),
    );
    expect(codesOf(guesses, 'pairing_expired')).toBe(5);
    const panels = await Promise.all(Array.from({ length: 40 }, begin));
    expect(panels.filter((each) => each.status === 200).length).toBe(20 - 1);
  });

  test('wrong codes of whoever holds nothing but a session’s token close the way of those who have given none, and nobody else’s, switched or not', async () => {
    const own = await newPerson('ines');
    const stolen = withToken(await alsoIn('ines', 1));
    const secretOfInes = await enrol(own, password);
    let tried = 0;
    for (let i = 0; i < 16; i++) {
      const reply = await stolen.post('/auth/second-factor', { code: String(i).padStart(6, '0') });
      if (reply.body.code === 'wrong_code') tried += 1;
      // A switch begins a new session; it is the same thief.
      const to = world.businesses[i % 2] as World['businesses'][0];
      stolen.token = (await stolen.post('/auth/switch', { business_id: to.businessId })).body
        .token as string;
    }
    expect(tried).toBe(10);
    expect(
      (await own.post('/auth/second-factor', { code: codeOf(secretOfInes, 1, clock.now()) })).body
        .second_factor,
    ).toBe('passed');
  });
});

describe('an e-mail address', () => {
  test('changes with the password, counts once its link is opened, and the old one is told; links for a password end with it', async () => {
    const own = await newPerson('uma');
    const [before, after] = ['uma@people.example', 'uma@new.example'];
    const change = (more: object) =>
      own.put('/auth/profile', { name: 'Uma N', email: after, ...more });
    expect(await change({})).toMatchObject({ status: 422, body: { code: 'own_password_needed' } });
    expect(await change({ current_password: 'not that one' })).toMatchObject({
      status: 422,
      body: { code: 'wrong_own_password' },
    });
    expect(mailsTo(after)).toEqual([]);
    await anyone().post('/auth/password/forgot', { username: 'uma' });
    const reset = linkIn(await mailTo(before, 'Set a new password'));
    const changed = await change({ current_password: password });
    expect(changed.body).toMatchObject({
      person: { name: 'Uma N', email: before },
      email_pending: after,
      email_verified: true,
      business: { id: business().businessId },
    });
    expect(await mailTo(before, 'A change to your')).toContain(
      'asked to change the e-mail address',
    );
    const link = linkIn(await mailTo(after, 'Confirm your e-mail'));
    expect((await anyone().post('/auth/email/confirm', { token: link })).body).toEqual({
      email: after,
    });
    expect((await anyone().post('/auth/email/confirm', { token: link })).body.code).toBe(
      'link_expired',
    );
    expect((await own.get('/auth/profile')).body).toMatchObject({
      person: { email: after },
      email_pending: null,
      email_verified: true,
    });
    await until(
      () =>
        mailsTo(before).some((each) => each.text.includes('address of your account was changed')),
      (told) => told,
    );
    expect(
      (
        await anyone().post('/auth/password/reset', {
          token: reset,
          new_password: 'nine brisk lanterns',
        })
      ).body.code,
    ).toBe('link_expired');
  });

  test('that somebody else asked for never counts once the owner has set another password, as the mail about it says', async () => {
    for (const username of ['wendy', 'wilma']) {
      const thief = await newPerson(username);
      const theirs = `${username}@thief.example`;
      expect(
        (await thief.put('/auth/profile', { name: 'W', email: theirs, current_password: password }))
          .body.email_pending,
      ).toBe(theirs);
      const link = linkIn(await mailTo(theirs, 'Confirm your e-mail'));
      if (username === 'wendy') {
        const owner = await Api.signIn(world, { username, password });
        expect(
          (
            await owner.post('/auth/password', {
              current_password: password,
              new_password: 'nine brisk lanterns',
            })
          ).status,
        ).toBe(200);
        expect((await owner.get('/auth/profile')).body.email_pending).toBeNull();
      } else {
        await anyone().post('/auth/password/forgot', { username });
        const token = linkIn(await mailTo(`${username}@people.example`, 'Set a new password'));
        expect(
          (
            await anyone().post('/auth/password/reset', {
              token,
              new_password: 'nine brisk lanterns',
            })
          ).status,
        ).toBe(200);
      }
      expect(
        (await anyone().post('/auth/email/confirm', { token: link })).body.code,
        username,
      ).toBe('link_expired');
    }
  });

  test('asks for the second factor too, where one is set up', async () => {
    const own = await newPerson('vera');
    await enrol(own, password);
    await world.sql(
      "update session set verified_at = now() - interval '16 minutes'",
      [],
      business().businessId,
    );
    const ask = { name: 'Vera', email: 'vera@new.example', current_password: password };
    expect((await own.asSession().put('/auth/profile', ask)).body.code).toBe(
      'second_factor_needed',
    );
    expect((await own.put('/auth/profile', ask)).body.email_pending).toBe('vera@new.example');
  });
});

describe('changes of an account', () => {
  test('a new password asks for the second factor too, where one is set up, before the present one can be guessed', async () => {
    const own = await newPerson('yara');
    await enrol(own, password);
    await world.sql(
      "update session set verified_at = now() - interval '16 minutes'",
      [],
      business().businessId,
    );
    const ask = { current_password: password, new_password: 'nine brisk lanterns' };
    expect(
      (await own.asSession().post('/auth/password', { ...ask, current_password: 'not that one' }))
        .body.code,
    ).toBe('second_factor_needed');
    expect((await own.asSession().post('/auth/password', ask)).body.code).toBe(
      'second_factor_needed',
    );
    expect((await own.post('/auth/password', ask)).status).toBe(200);
  });

  test('the present address given again ends what another one waits for', async () => {
    const own = await newPerson('yvo');
    const change = (email: string) =>
      own.put('/auth/profile', { name: 'Yvo', email, current_password: password });
    expect((await change('yvo@new.example')).body.email_pending).toBe('yvo@new.example');
    const link = linkIn(await mailTo('yvo@new.example', 'Confirm your e-mail'));
    expect(
      (await own.put('/auth/profile', { name: 'Yvo', email: 'yvo@people.example' })).body
        .email_pending,
    ).toBeNull();
    expect((await anyone().post('/auth/email/confirm', { token: link })).body.code).toBe(
      'link_expired',
    );
    expect((await own.get('/auth/profile')).body.person.email).toBe('yvo@people.example');
  });

  test('that are mailed have a budget by person and by business: what nobody could be told of does not happen', async () => {
    const own = await newPerson('zelda');
    await enrol(own, password);
    const mails = () =>
      mailsTo('zelda@people.example').filter((each) => each.text.includes('New recovery codes'))
        .length;
    const asked = await Promise.all(
      Array.from({ length: 30 }, () => own.asSession().post('/auth/recovery-codes')),
    );
    expect(codesOf(asked, 'too_many_attempts')).toBe(10);
    await world.app.settle();
    expect(mails()).toBe(20);
    // What many persons of one business do counts together, and another business goes on.
    await platform('delete from reference.counted_try where subject like $1', ['account_change:%']);
    await platform(
      "insert into reference.counted_try (id, subject, at) select 'x' || n, $1, $2 from generate_series(1, 200) n",
      [`account_changes:${business(0).businessId}`, clock.now()],
    );
    expect((await own.post('/auth/recovery-codes')).body.code).toBe('too_many_attempts');
    const there = await newPerson('zack', 'business_user', 1);
    await enrol(there, password);
    expect((await there.post('/auth/recovery-codes')).status).toBe(200);
    await platform('delete from reference.counted_try');
  });
});

describe('a link for a new password', () => {
  test('asked for two hundred times at once is mailed three times, and is one link; asked again and again it stays the owner’s', async () => {
    await newPerson('will');
    const resets = () =>
      mailsTo('will@people.example').filter((each) => each.subject.includes('Set a new password'));
    const forgot = () => anyone().post('/auth/password/forgot', { username: 'will' });
    const settled = () => world.app.settle();
    const answers = await Promise.all(Array.from({ length: 200 }, forgot));
    expect(new Set(answers.map((each) => JSON.stringify([each.status, each.body])))).toEqual(
      new Set(['[200,{}]']),
    );
    await settled();
    const links = resets().map((each) => linkIn(each.text));
    expect(links).toHaveLength(3);
    expect(new Set(links).size).toBe(1);
    // Once a minute, for an hour: nothing takes the owner's link away.
    for (let i = 0; i < 5; i++) {
      ahead += 60_000;
      await forgot();
    }
    await settled();
    expect(resets()).toHaveLength(3);
    expect(
      (
        await anyone().post('/auth/password/reset', {
          token: links[0],
          new_password: 'nine brisk lanterns',
        })
      ).status,
    ).toBe(200);
    expect(await mailTo('will@people.example', 'A change to your')).toContain(
      'A new password was set',
    );
  });

  test('that is older than ten minutes gives way to a new one; from one address ten persons an hour get one', async () => {
    await platform('delete from reference.counted_try');
    await newPerson('xenia');
    const reset = async () => {
      await anyone().post('/auth/password/forgot', { username: 'xenia' });
      await world.app.settle();
      return mailsTo('xenia@people.example')
        .filter((each) => each.subject.includes('Set a new password'))
        .map((each) => linkIn(each.text));
    };
    await reset();
    ahead += 11 * 60_000;
    const [old, fresh] = await reset();
    expect(fresh).not.toBe(old);
    expect(
      (
        await anyone().post('/auth/password/reset', {
          token: old,
          new_password: 'nine brisk lanterns',
        })
      ).body.code,
    ).toBe('link_expired');
    const before = world.mail.mails().length;
    const known = [
      'paula',
      'quentin',
      'rita',
      'silvia',
      'tom',
      'ines',
      'uma',
      'vera',
      'will',
      business().admin.username,
      business().user.username,
    ];
    for (const username of known) await anyone().post('/auth/password/forgot', { username });
    await world.app.settle();
    expect(world.mail.mails().length - before).toBe(8);
  });
});

describe('a second factor that is set up', () => {
  test('is given at sign-in, by authenticator or recovery code; a recovery code works once and is told of', async () => {
    const own = await newPerson('yves');
    const begun = (await own.asSession().post('/auth/totp', { password })).body;
    const confirmed = (
      await own
        .asSession()
        .post('/auth/totp/confirm', { code: codeOf(begun.secret, 0, clock.now()) })
    ).body;
    const codes = confirmed.recovery_codes as string[];
    expect(new Set(codes).size).toBe(10);
    expect(codes[0]).toMatch(/^[A-Z2-9]{4}(?:-[A-Z2-9]{4}){3}$/);
    const kept = await platform('select code_hash from reference.recovery_code');
    expect(JSON.stringify(kept)).not.toContain(codes[0]?.replaceAll('-', ''));
    const login = (more: object) =>
      anyone().post('/auth/login', { username: 'yves', password, ...more });
    expect(await login({})).toMatchObject({ status: 401, body: { code: 'code_needed' } });
    expect((await login({ code: '000000' })).body.code).toBe('wrong_code');
    expect((await login({ code: codeOf(begun.secret, 1, clock.now()) })).body.second_factor).toBe(
      'passed',
    );
    // Once, however many come with it at the same moment.
    const once = await Promise.all(
      Array.from({ length: 5 }, () => login({ recovery_code: codes[0]?.toLowerCase() })),
    );
    expect(once.filter((each) => each.status === 200)).toHaveLength(1);
    expect(await mailTo('yves@people.example', 'A change to your')).toBeTruthy();
    await until(
      () =>
        mailsTo('yves@people.example').some((each) =>
          each.text.includes('A recovery code of your account was used.'),
        ),
      (told) => told,
    );
    const session = withToken(once.find((each) => each.status === 200)?.body.token);
    expect((await session.get('/auth/second-factor')).body.recovery_codes_left).toBe(9);
    const renewed = (await session.post('/auth/recovery-codes')).body.recovery_codes as string[];
    expect((await login({ recovery_code: codes[1] })).body.code).toBe('wrong_code');
    expect((await login({ recovery_code: renewed[0] })).status).toBe(200);
    // A right code of somebody else's is a wrong one, and is still there for them.
    await enrol(await newPerson('ysabel'), password);
    const asAnother = { username: 'ysabel', password, recovery_code: renewed[1] };
    expect((await anyone().post('/auth/login', asAnother)).body.code).toBe('wrong_code');
    expect((await login({ recovery_code: renewed[1] })).status).toBe(200);
    expect((await session.post('/auth/totp/remove', { password })).body.business.id).toBe(
      business().businessId,
    );
    expect((await login({})).status, 'and nothing is left of it').toBe(200);
  });

  test('is not asked on a device that is remembered, for a month, until it is forgotten or the password changes; dangerous routes still ask', async () => {
    const own = await newPerson('zoe');
    const secret = await enrol(own, password);
    const login = (more: object) =>
      anyone().post('/auth/login', { username: 'zoe', password, ...more });
    const remembered = (
      await login({ code: codeOf(secret, 1, clock.now()), remember_device: true })
    ).body;
    const device = { device_token: remembered.device_token as string };
    const again = await login(device);
    expect(again.body).toMatchObject({ second_factor: 'needed' });
    const admin = await newPerson('zora');
    await enrol(admin, password);
    expect(
      (await anyone().post('/auth/login', { username: 'zora', password, ...device })).body.code,
      'of another person',
    ).toBe('code_needed');
    const [shown] = (await own.get('/auth/second-factor')).body.devices as { id: string }[];
    ahead += 31 * 86_400_000;
    expect((await login(device)).body.code, 'after a month').toBe('code_needed');
    ahead -= 31 * 86_400_000;
    expect((await own.post(`/auth/devices/${shown?.id}/forget`)).status).toBe(200);
    expect((await login(device)).body.code, 'forgotten').toBe('code_needed');
    const another = (await login({ code: await nextOf('zoe'), remember_device: true })).body;
    // However many are made, each that lets in is shown: one that is not could be forgotten by
    // nobody.
    await platform(
      `insert into reference.remembered_device (id, person_id, secret_hash, created_at, last_used_at, expires_at)
       select 'many' || n, id, 'many' || n, $1::timestamptz - n * interval '1 minute', $1, $1::timestamptz + interval '1 day'
         from reference.person, generate_series(1, 200) n where username = 'zoe'`,
      [clock.now()],
    );
    expect((await login({ code: await nextOf('zoe'), remember_device: true })).status).toBe(200);
    expect((await own.get('/auth/second-factor')).body.devices).toHaveLength(20);
    expect((await login({ device_token: another.device_token })).status, 'one of the newest').toBe(
      200,
    );
    expect(
      (
        await own.post('/auth/password', {
          current_password: password,
          new_password: 'nine brisk lanterns',
        })
      ).status,
    ).toBe(200);
    const changed = await anyone().post('/auth/login', {
      username: 'zoe',
      password: 'nine brisk lanterns',
      device_token: another.device_token,
    });
    expect(changed.body.code, 'under another password').toBe('code_needed');
  });

  test('is asked of whoever accepts an invitation with the account they have', async () => {
    const own = await newPerson('abel');
    await enrol(own, password);
    const inviter = await Api.signIn(world, business(1).admin);
    await inviter.post('/invitations', { email: 'abel@other.example', role: 'business_user' });
    const token = linkIn(await mailTo('abel@other.example', 'invites you'));
    const accept = (more: object) =>
      anyone().post('/auth/invitation/accept', {
        account: 'existing',
        token,
        username: 'abel',
        password,
        ...more,
      });
    expect((await accept({})).body.code).toBe('code_needed');
    expect((await accept({ code: await nextOf('abel') })).body.business.id).toBe(
      business(1).businessId,
    );
    // Whoever works for several is asked for which with a code that then lets in, once.
    const code = await nextOf('abel');
    const login = (more: object) =>
      anyone().post('/auth/login', { username: 'abel', password, code, ...more });
    expect((await login({})).body.code).toBe('choose_membership');
    expect((await login({ business_id: business(1).businessId })).status).toBe(200);
    expect((await login({ business_id: business(1).businessId })).body.code).toBe('wrong_code');
  });
});

describe('a way back for whoever has lost authenticator and codes', () => {
  const ask = (username: string) => anyone().post('/auth/way-back', { username, password });
  const openOf = async (admin: Api, username: string) =>
    (
      (await admin.get('/ways-back')).body.ways_back as {
        id: string;
        username: string;
        has_other_admin: boolean;
      }[]
    ).find((each) => each.username === username);
  const enters = async (username: string) =>
    (await anyone().post('/auth/login', { username, password })).status === 200;

  test('is opened by another admin at once, never by oneself, and ends every session', async () => {
    const own = await newPerson('bela', 'business_admin');
    await enrol(own, password);
    expect(
      (await anyone().post('/auth/way-back', { username: 'bela', password: 'not that one' })).body
        .code,
    ).toBe('wrong_password');
    expect((await ask('bela')).body).toEqual({ state: 'asked' });
    const told = await mailTo(`${business().admin.username}.example`, 'asks for a way back');
    expect(told).toContain('Another admin can let them in at once');
    const asked = await openOf(own, 'bela');
    expect(asked).toMatchObject({ has_other_admin: true });
    expect((await own.post(`/ways-back/${asked?.id}/grant`)).body.code).toBe(
      'second_person_required',
    );
    const admin = await Api.signIn(world, business().admin);
    const [first, second] = await Promise.all([
      admin.post(`/ways-back/${asked?.id}/grant`),
      admin.post(`/ways-back/${asked?.id}/grant`),
    ]);
    expect([first.status, second.status].toSorted()).toEqual([200, 409]);
    expect(await worksAs(own.token)).toBe(false);
    expect(await enters('bela')).toBe(true);
    await world.app.settle();
    const trail = (await admin.get('/trail?action=way_back')).body.trail as { action: string }[];
    expect(trail.map((each) => each.action).slice(0, 2)).toEqual([
      'way_back.granted',
      'way_back.asked',
    ]);
  });

  test('asked for under a password that was changed since is granted to nobody, and can be asked for anew', async () => {
    const own = await newPerson('edda');
    await enrol(own, password);
    await ask('edda');
    const admin = await Api.signIn(world, business().admin);
    const before = await openOf(admin, 'edda');
    const changed = { current_password: password, new_password: 'nine brisk lanterns' };
    expect((await own.post('/auth/password', changed)).status).toBe(200);
    expect(await admin.post(`/ways-back/${before?.id}/grant`)).toMatchObject({
      status: 409,
      body: { code: 'wrong_state' },
    });
    await anyone().post('/auth/way-back', { username: 'edda', password: changed.new_password });
    const after = await openOf(admin, 'edda');
    expect(after?.id).not.toBe(before?.id);
    expect((await admin.post(`/ways-back/${after?.id}/grant`)).status).toBe(200);
  });

  test('of whoever works for several businesses needs each of them: one alone opens nothing of another', async () => {
    const own = await newPerson('carl');
    await alsoIn('carl', 1);
    const session = withToken(
      (
        await anyone().post('/auth/login', {
          username: 'carl',
          password,
          business_id: business(0).businessId,
        })
      ).body.token,
    );
    await enrol(session, password, clock.now());
    expect(await worksAs(own.token)).toBe(true);
    await ask('carl');
    const [here, there] = [
      await Api.signIn(world, business(0).admin),
      await Api.signIn(world, business(1).admin),
    ];
    await here.post(`/ways-back/${(await openOf(here, 'carl'))?.id}/grant`);
    const login = { username: 'carl', password, business_id: business(1).businessId };
    expect((await anyone().post('/auth/login', login)).body.code).toBe('code_needed');
    await there.post(`/ways-back/${(await openOf(there, 'carl'))?.id}/grant`);
    expect((await anyone().post('/auth/login', login)).status).toBe(200);
  });

  test('is opened by an operator only where no other admin is, blocked lately or not, after a day in which every admin could object; nobody gets a session of theirs', async () => {
    const operator = await Api.signIn(world, {
      username: 'operator',
      password: 'seven quiet herons by the lake',
    });
    const path = `/businesses/${business(1).businessId}`;
    const sole = await newPerson('dina', 'business_admin', 1);
    await enrol(sole, password);
    await ask('dina');
    const grant = async () => {
      const [open] = (await operator.get(`${path}/ways-back`)).body.ways_back as { id: string }[];
      return operator.post(`${path}/ways-back/grant`, { way_back_id: open?.id });
    };
    expect((await grant()).body.code).toBe('admin_decides');
    const people = (await operator.get(`${path}/people`)).body.people as {
      person_id: string;
      name: string;
      role: string;
      status: string;
    }[];
    expect(Object.keys(people[0] ?? {}).toSorted()).toEqual([
      'api_keys',
      'last_sign_in_at',
      'name',
      'person_id',
      'role',
      'status',
    ]);
    // Every other admin is kept out: whoever an operator blocks does not make room for the
    // operator's own decision.
    const others = people.filter(
      (each) => each.role === 'business_admin' && each.name !== 'dina' && each.status === 'active',
    );
    for (const each of others)
      expect(
        (
          await operator.post(`${path}/people/block`, {
            person_id: each.person_id,
            reason: 'left the firm',
          })
        ).status,
      ).toBe(200);
    expect(await mailTo(`${business(1).admin.username}.example`, 'You are kept out')).toContain(
      'left the firm',
    );
    expect((await grant()).body.code).toBe('admin_decides');
    ahead += 2 * 86_400_000;
    const after = await Api.signIn(world, {
      username: 'operator',
      password: 'seven quiet herons by the lake',
    });
    const [waiting] = (await after.get(`${path}/ways-back`)).body.ways_back as {
      id: string;
      has_other_admin: boolean;
    }[];
    expect(waiting?.has_other_admin).toBe(true);
    expect(
      (await after.post(`${path}/ways-back/grant`, { way_back_id: waiting?.id })).body.code,
    ).toBe('admin_decides');
    // Asked for anew while they are kept out, they are mailed, and can object without signing in.
    const soleAgain = withToken(
      (
        await anyone().post('/auth/login', {
          username: 'dina',
          password,
          code: await nextOf('dina'),
        })
      ).body.token,
    );
    await anyone().post('/auth/way-back/object', {
      token: linkIn(await mailTo('dina@people.example', 'asks for a way back')),
    });
    const mailed = mailsTo(`${business(1).admin.username}.example`).length;
    await ask('dina');
    await until(
      () => mailsTo(`${business(1).admin.username}.example`).length,
      (n) => n > mailed,
    );
    const told = mailsTo(`${business(1).admin.username}.example`).at(-1)?.text ?? '';
    expect(told).toContain('was kept out by an operator of the platform lately');
    expect((await anyone().post('/auth/way-back/object', { token: linkIn(told) })).body).toEqual({
      state: 'objected',
    });
    // An admin who is kept out leads nobody: the one who is left may not go.
    const own = (
      (await soleAgain.get('/people')).body.people as { id: string; name: string }[]
    ).find((each) => each.name === 'dina');
    await soleAgain.post('/auth/second-factor', { code: await nextOf('dina') });
    expect((await soleAgain.post(`/people/${own?.id}/end`)).body.code).toBe('last_admin');
    // Whoever has been kept out for longer than a month is not waited for, and still told.
    ahead += 31 * 86_400_000;
    await platform('delete from reference.counted_try');
    const before = mailsTo(`${business(1).admin.username}.example`).length;
    await ask('dina');
    await until(
      () => mailsTo(`${business(1).admin.username}.example`).length,
      (n) => n > before,
    );
    // Where an operator decides, everybody of the business is told.
    await world.app.settle();
    expect(
      mailsTo(`${business(1).user.username}.example`).some((each) =>
        each.subject.includes('asks for a way back'),
      ),
    ).toBe(true);
    const asOperator = () =>
      Api.signIn(world, { username: 'operator', password: 'seven quiet herons by the lake' });
    const month = await asOperator();
    const [open0] = (await month.get(`${path}/ways-back`)).body.ways_back as { id: string }[];
    expect(
      (await month.post(`${path}/ways-back/grant`, { way_back_id: open0?.id })).body,
    ).toMatchObject({ code: 'objection_time' });
    ahead += 24 * 3_600_000 + 1_000;
    const objection = linkIn(await mailTo('dina@people.example', 'asks for a way back'));
    expect((await anyone().post('/auth/way-back/object', { token: objection })).body).toEqual({
      state: 'objected',
    });
    const again = await Api.signIn(world, {
      username: 'operator',
      password: 'seven quiet herons by the lake',
    });
    expect((await again.get(`${path}/ways-back`)).body.ways_back).toEqual([]);
    await platform('delete from reference.counted_try');
    expect((await ask('dina')).body.state).toBe('asked');
    await world.app.settle();
    ahead += 24 * 3_600_000 + 1_000;
    const later = await Api.signIn(world, {
      username: 'operator',
      password: 'seven quiet herons by the lake',
    });
    const [open] = (await later.get(`${path}/ways-back`)).body.ways_back as { id: string }[];
    const granted = await later.post(`${path}/ways-back/grant`, { way_back_id: open?.id });
    expect(granted.body).toEqual({ state: 'granted' });
    expect(await enters('dina')).toBe(true);
    for (const each of others)
      await later.post(`${path}/people/unblock`, {
        person_id: each.person_id,
        reason: 'came back',
      });
    await world.app.settle();
    const seen = await world.sql(
      "select action, actor_type from audit where action like 'way_back%' or action like 'person.%' order by at",
      [],
      business(1).businessId,
    );
    const said = seen.map((each) => `${each.actor_type} ${each.action}`);
    for (const each of [
      'person way_back.asked',
      'job way_back.objected',
      'operator way_back.granted',
      'operator person.blocked',
      'operator person.unblocked',
    ])
      expect(said).toContain(each);
  });
});

describe('the day in which admins may object', () => {
  test('begins once every one of them was mailed: where the mail server is away they are mailed again, and nobody decides meanwhile', async () => {
    const sole = await newPerson('fritz', 'business_admin', 1);
    await enrol(sole, password);
    const path = `/businesses/${business(1).businessId}`;
    world.mail.refuse(true);
    expect((await anyone().post('/auth/way-back', { username: 'fritz', password })).body).toEqual({
      state: 'asked',
    });
    await world.app.settle();
    world.mail.refuse(false);
    ahead += 25 * 3_600_000;
    const operator = await Api.signIn(world, {
      username: 'operator',
      password: 'seven quiet herons by the lake',
    });
    const openOf = async () =>
      (
        (await operator.get(`${path}/ways-back`)).body.ways_back as {
          username: string;
          operator_from: string;
        }[]
      ).find((each) => each.username === 'fritz');
    expect(new Date(String((await openOf())?.operator_from)).getTime()).toBeGreaterThan(
      clock.now().getTime(),
    );
    await world.app.tidy();
    const objection = linkIn(
      await mailTo(`${business(1).admin.username}.example`, 'asks for a way back'),
    );
    const from =
      new Date(String((await openOf())?.operator_from)).getTime() - clock.now().getTime();
    expect(from).toBeGreaterThan(23.9 * 3_600_000);
    expect(from).toBeLessThanOrEqual(24 * 3_600_000);
    expect((await anyone().post('/auth/way-back/object', { token: objection })).body).toEqual({
      state: 'objected',
    });
  });
});

describe('whoever the operator blocks', () => {
  test('is out of every business at once and cannot sign in; unblocked they can; both stand in the logs', async () => {
    const operator = await Api.signIn(world, {
      username: 'operator',
      password: 'seven quiet herons by the lake',
    });
    const own = await newPerson('emil');
    const elsewhere = await alsoIn('emil', 1);
    const path = `/businesses/${business(0).businessId}/people`;
    const found = (
      (await operator.get(path)).body.people as {
        person_id: string;
        name: string;
        last_sign_in_at: string;
      }[]
    ).find((each) => each.name === 'emil');
    expect(found?.last_sign_in_at).toBeTruthy();
    const ask = { person_id: found?.person_id, reason: 'a stolen laptop' };
    expect(
      (
        await operator.post(`/businesses/${business(1).businessId}/people/block`, {
          ...ask,
          person_id: 'per_nobody',
        })
      ).status,
    ).toBe(404);
    expect((await operator.post(`${path}/block`, ask)).status).toBe(200);
    expect((await operator.post(`${path}/block`, ask)).body.code).toBe('wrong_state');
    expect([await worksAs(own.token), await worksAs(elsewhere)]).toEqual([false, false]);
    const login = () =>
      anyone().post('/auth/login', {
        username: 'emil',
        password,
        business_id: business(0).businessId,
      });
    expect((await login()).body.code).toBe('wrong_password');
    const admin = await Api.signIn(world, business(0).admin);
    expect(
      ((await admin.get('/people')).body.people as { name: string; is_blocked: boolean }[]).find(
        (each) => each.name === 'emil',
      )?.is_blocked,
    ).toBe(true);
    expect((await operator.post(`${path}/unblock`, ask)).status).toBe(200);
    expect((await login()).status).toBe(200);
    for (const index of [0, 1] as const) {
      const rows = await world.sql(
        "select after from audit where action = 'person.blocked'",
        [],
        business(index).businessId,
      );
      expect(rows.map((each) => (each.after as { reason: string }).reason)).toContain(
        'a stolen laptop',
      );
    }
    const trail = (await operator.get('/platform/trail')).body.trail as { action: string }[];
    expect(trail.map((each) => each.action)).toEqual(
      expect.arrayContaining(['person.blocked', 'person.unblocked', 'people.listed']),
    );
  });

  const blocking = async (name: string) => {
    const operator = await Api.signIn(world, {
      username: 'operator',
      password: 'seven quiet herons by the lake',
    });
    const path = `/businesses/${business(0).businessId}/people`;
    const found = (
      (await operator.get(path)).body.people as { person_id: string; name: string }[]
    ).find((each) => each.name === name);
    return () =>
      operator.post(`${path}/block`, { person_id: found?.person_id, reason: 'a stolen laptop' });
  };

  test('is kept out of every business or, where one of them cannot take it, of none: nothing is left half done, and it is done by the next press', async () => {
    const owner = new pg.Client({ connectionString: world.databaseUrls.owner });
    await owner.connect();
    const own = await newPerson('odile');
    const elsewhere = await alsoIn('odile', 1);
    const block = await blocking('odile');
    const stands = async () => [await worksAs(own.token), await worksAs(elsewhere)];
    await owner.query(
      `alter table audit add constraint refuses check (action <> 'person.blocked' or business_id <> '${business(1).businessId}') not valid`,
    );
    try {
      expect((await block()).body.code).toBe('internal');
      expect(await stands()).toEqual([true, true]);
    } finally {
      await owner.query('alter table audit drop constraint refuses');
      await owner.end();
    }
    expect((await block()).status).toBe(200);
    expect(await stands()).toEqual([false, false]);
  });

  test('has nothing standing once they are let in again: no remembered device, no mailed link, no way back', async () => {
    const operator = await Api.signIn(world, {
      username: 'operator',
      password: 'seven quiet herons by the lake',
    });
    const own = await newPerson('ingrid');
    const secret = await enrol(own, password);
    const login = (more: object) =>
      anyone().post('/auth/login', { username: 'ingrid', password, ...more });
    const device = {
      device_token: (await login({ code: codeOf(secret, 1, clock.now()), remember_device: true }))
        .body.device_token as string,
    };
    expect((await login(device)).status).toBe(200);
    expect(
      (
        await own.asSession().put('/auth/profile', {
          name: 'ingrid',
          email: 'ingrid@new.example',
          current_password: password,
        })
      ).status,
    ).toBe(200);
    const confirmation = linkIn(await mailTo('ingrid@new.example', 'Confirm your e-mail'));
    await anyone().post('/auth/password/forgot', { username: 'ingrid' });
    const reset = linkIn(await mailTo('ingrid@people.example', 'Set a new password'));
    expect((await anyone().post('/auth/way-back', { username: 'ingrid', password })).status).toBe(
      200,
    );
    const block = await blocking('ingrid');
    expect((await block()).status).toBe(200);
    const path = `/businesses/${business(0).businessId}/people`;
    const person = (
      (await operator.get(path)).body.people as { person_id: string; name: string }[]
    ).find((each) => each.name === 'ingrid');
    expect(
      (
        await operator.post(`${path}/unblock`, {
          person_id: person?.person_id,
          reason: 'found again',
        })
      ).status,
    ).toBe(200);
    expect((await login(device)).body.code, 'on the remembered device').toBe('code_needed');
    const asReset = { token: reset, new_password: 'nine brisk lanterns' };
    expect(
      (await anyone().post('/auth/password/reset', asReset)).body.code,
      'by the link for a new password',
    ).toBe('link_expired');
    expect(
      (await anyone().post('/auth/email/confirm', { token: confirmation })).body.code,
      'by the link for another address',
    ).toBe('link_expired');
    const admin = await Api.signIn(world, business(0).admin);
    expect(
      ((await admin.get('/ways-back')).body.ways_back as { username: string }[]).filter(
        (each) => each.username === 'ingrid',
      ),
    ).toEqual([]);
    const ended = await world.sql(
      "select after from audit where action = 'way_back.ended'",
      [],
      business(0).businessId,
    );
    expect(ended.map((each) => each.after)).toEqual([
      { person_id: person?.person_id, because: 'person.blocked' },
    ]);
  });

  test('leaves no invitation open that was under way while they were blocked', async () => {
    const own = await newPerson('ulrich', 'business_admin');
    await enrol(own, password);
    const block = await blocking('ulrich');
    const hold = {
      sql: 'select 1 from business for no key update',
      businessId: business(0).businessId,
    };
    const { blocked } = await whileHeld(hold, async (waiting) => {
      const inviting = own
        .asSession()
        .post('/invitations', { email: 'accomplice@elsewhere.example', role: 'business_admin' });
      await waiting(1);
      const isBlocked = block();
      // Either the block waits for what is under way, or it is through and did not see it.
      await Promise.race([isBlocked, waiting(2).catch(() => {})]);
      return { invited: inviting, blocked: isBlocked };
    });
    expect(blocked.status, JSON.stringify(blocked.body)).toBe(200);
    const admin = await Api.signIn(world, business(0).admin);
    const list = (await admin.get('/invitations')).body.invitations as {
      email: string;
      state: string;
    }[];
    expect(
      list.filter((each) => each.email === 'accomplice@elsewhere.example' && each.state === 'open'),
    ).toEqual([]);
  });

  test('is shown as kept out where they accept an invitation while they are blocked', async () => {
    await newPerson('viktor');
    const block = await blocking('viktor');
    const admin = await Api.signIn(world, business(1).admin);
    await admin.post('/invitations', { email: 'viktor@other.example', role: 'business_user' });
    const token = linkIn(await mailTo('viktor@other.example', 'invites you'));
    const hold = {
      sql: "select id from invitation where email = 'viktor@other.example' for update",
      businessId: business(1).businessId,
    };
    const { blocked } = await whileHeld(hold, async (waiting) => {
      const accepting = anyone().post('/auth/invitation/accept', {
        account: 'existing',
        token,
        username: 'viktor',
        password,
      });
      await waiting(1);
      const isBlocked = block();
      await Promise.race([isBlocked, waiting(2).catch(() => {})]);
      return { accepted: accepting, blocked: isBlocked };
    });
    expect(blocked.status, JSON.stringify(blocked.body)).toBe(200);
    const people = (await admin.get('/people')).body.people as {
      id: string;
      username: string;
      is_blocked: boolean;
    }[];
    const found = people.find((each) => each.username === 'viktor');
    expect(found?.is_blocked).toBe(true);
    const rows = await world.sql(
      "select subject from audit where action = 'person.blocked'",
      [],
      business(1).businessId,
    );
    expect(rows.map((each) => each.subject)).toContain(found?.id);
  });

  test('leaves the API keys they made open nothing meanwhile, which is told on every side; let in again, these open as before', async () => {
    const operator = await Api.signIn(world, {
      username: 'operator',
      password: 'seven quiet herons by the lake',
    });
    const own = await newPerson('keymaker', 'business_admin');
    const make = async (name: string) =>
      (await own.post('/api-keys', { name, scopes: ['read'] })).body as {
        key: string;
        api_key: { id: string };
      };
    const [till, shop] = [await make('the till'), await make('the shop')];
    const admin = await Api.signIn(world, business(0).admin);
    const listed = async () =>
      ((await admin.get('/api-keys')).body.api_keys as { id: string }[]).find(
        (each) => each.id === shop.api_key.id,
      );
    const works = async ({ key }: { key: string }) =>
      (await withToken(key).get('/branches')).body.code ?? 'works';
    const alerts = async () =>
      ((await admin.get('/alerts')).body.alerts as { subject: string; problem: { code: string } }[])
        .filter((each) => each.subject === shop.api_key.id)
        .map((each) => each.problem.code);
    const path = `/businesses/${business(0).businessId}/people`;
    const seen = (
      (await operator.get(path)).body.people as {
        person_id: string;
        name: string;
        api_keys: number;
      }[]
    ).find((each) => each.name === 'keymaker');
    expect(seen?.api_keys).toBe(2);
    const ask = { person_id: seen?.person_id, reason: 'a stolen laptop' };
    expect((await operator.post(`${path}/block`, ask)).status).toBe(200);
    expect([await works(till), await works(shop)]).toEqual(['key_suspended', 'key_suspended']);
    expect(await listed()).toMatchObject({
      revoked_at: null,
      is_suspended: true,
      made_by: { name: 'keymaker', standing: 'blocked' },
    });
    expect(await alerts()).toEqual(['key_suspended']);
    const adminsAddress = (await admin.get('/auth/profile')).body.person.email as string;
    expect(await mailTo(adminsAddress, 'API keys of')).toContain('the shop');
    expect((await admin.post(`/api-keys/${till.api_key.id}/revoke`)).status).toBe(200);
    expect((await operator.post(`${path}/unblock`, ask)).status).toBe(200);
    expect([await works(till), await works(shop)]).toEqual(['not_signed_in', 'works']);
    expect(await alerts()).toEqual([]);
    const actions = await world.sql(
      'select action from audit where subject = $1 order by id',
      [shop.api_key.id],
      business(0).businessId,
    );
    expect(actions.map((each) => each.action)).toEqual([
      'api_key.created',
      'api_key.suspended',
      'api_key.restored',
    ]);
  });
});

describe('every answer to somebody signed in', () => {
  test('says for whom they work: who-am-I, profile, password, sessions, second factor, sign-out', async () => {
    const own = await newPerson('frida');
    const answers = [
      await own.get('/auth/me'),
      await own.get('/auth/profile'),
      await own.put('/auth/profile', { name: 'Frida', email: 'frida@people.example' }),
      await own.get('/auth/memberships'),
      await own.get('/auth/sessions'),
      await own.get('/auth/sign-ins'),
      await own.get('/auth/second-factor'),
      await own.post('/auth/password', {
        current_password: password,
        new_password: 'nine brisk lanterns',
      }),
      await own.post('/auth/totp', { password: 'nine brisk lanterns' }),
      await own.post('/auth/sessions/end-others'),
      await own.post('/auth/logout'),
    ];
    for (const each of answers)
      expect(each, JSON.stringify(each.body)).toMatchObject({
        status: 200,
        body: { business: { id: business().businessId } },
      });
  });
});

describe('what the operator sees', () => {
  test('totals at /health only in a session in which the second factor was given', async () => {
    const health = async (token: string) =>
      (await (
        await fetch(`${world.app.url}/health`, { headers: { authorization: `Bearer ${token}` } })
      ).json()) as Record<string, unknown>;
    const [operator] = await platform(
      "select id from reference.person where is_operator and status = 'active' limit 1",
    );
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
    const panel = (
      await anyone().post('/auth/zoho/pairings', { organization_id: business().organizationId })
    ).body;
    const taken = (await anyone().post('/auth/zoho/approvals', { code: panel.code })).body;
    const back = Object.fromEntries(
      new URL(world.zoho.accept(taken.consent_url, '4')).searchParams,
    );
    await anyone().post('/auth/zoho/approvals/callback', {
      ...back,
      browser_secret: taken.browser_secret,
    });
    await anyone().post('/auth/zoho/approvals/answer', {
      browser_secret: taken.browser_secret,
      opened_by_me: true,
    });
    const { session } = (
      await anyone().post('/auth/zoho/pairings/poll', {
        pairing_id: panel.pairing_id,
        poll_secret: panel.poll_secret,
      })
    ).body;
    const renew = (token: unknown) => anyone().post('/auth/refresh', { refresh_token: token });
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => renew(session.refresh_token)),
    );
    expect(new Set(answers.map((each) => each.status))).toEqual(new Set([200]));
    expect(
      new Set(answers.map((each) => `${each.body.token} ${each.body.refresh_token}`)).size,
    ).toBe(1);
    expect(await worksAs(answers[0]?.body.token)).toBe(true);
    ahead += 11_000;
    const later = await renew(session.refresh_token);
    expect(later.status, 'its answer may have been lost').toBe(200);
    expect(later.body.refresh_token).not.toBe(answers[0]?.body.refresh_token);
    expect(await worksAs(answers[0]?.body.token), 'and the pair before it is over').toBe(false);
    expect((await renew(answers[0]?.body.refresh_token)).status).toBe(401);
  });
});

// Last, since it ends one of them, whichever was slower.
describe('another address for the only admin of a business, who has lost mailbox and password', () => {
  const asOperator = () =>
    Api.signIn(world, { username: 'operator', password: 'seven quiet herons by the lake' });
  type Open = { id: string; operator_from: string; needs_another_operator: boolean };
  const day = 86_400_000;
  const lost = 'lena@lost.example';
  const asked = (address: string) =>
    mailsTo(address).filter((each) => each.subject.includes('Another e-mail address'));
  let path: string;
  let personId: string;
  const open = async (operator: Api, more: object = {}) => {
    await platform('delete from reference.counted_try');
    const reply = await operator.post(`${path}/address-changes`, {
      person_id: personId,
      email: 'lena@found.example',
      reason: 'domain sold',
      ...more,
    });
    await world.app.settle();
    return reply;
  };
  const openNow = async (operator: Api) =>
    ((await operator.get(`${path}/address-changes`)).body.address_changes as Open[])[0];
  const apply = (operator: Api, id: unknown) =>
    operator.post(`${path}/address-changes/apply`, { address_change_id: id });

  beforeAll(async () => {
    const operator = await asOperator();
    const registration = {
      business_name: 'Lonely Ltd',
      email: 'office@lonely.example',
      location: 'Kigali',
      tin_number: '100777001',
      phone_number: '+250788000111',
    };
    const made = await operator.post('/businesses', { ...registration, admin_email: lost });
    expect(made.status, JSON.stringify(made.body)).toBe(200);
    path = `/businesses/${made.body.business.id}`;
    const accept = async (email: string, username: string) => {
      const token = linkIn(await mailTo(email, 'invites you'));
      expect(
        (
          await anyone().post('/auth/invitation/accept', {
            account: 'new',
            token,
            username,
            name: username,
            password,
          })
        ).status,
      ).toBe(200);
    };
    await accept(lost, 'lena');
    const lena = await Api.signIn(world, { username: 'lena', password });
    personId = (await lena.get('/auth/me')).body.person.id as string;
    await lena.post('/invitations', { email: 'luke@people.example', role: 'business_user' });
    await accept('luke@people.example', 'luke');
    ahead += 60_000;
  });

  test('is objected to by anybody of the business, by the link they were mailed; never asked for where another admin is, nor to an operator’s address', async () => {
    const operator = await asOperator();
    expect(await open(operator, { email: 'ops@platform.example' })).toMatchObject({
      status: 400,
      body: { field: 'email' },
    });
    const elsewhere = (await (await Api.signIn(world, business().admin)).get('/auth/me')).body
      .person.id as string;
    expect(
      (
        await operator.post(`/businesses/${business().businessId}/address-changes`, {
          person_id: elsewhere,
          email: 'x@y.example',
          reason: 'x',
        })
      ).body.code,
    ).toBe('admin_decides');
    expect((await open(operator)).status).toBe(200);
    expect((await open(operator)).body).toMatchObject({ code: 'wrong_state', state: 'open' });
    const waiting = await openNow(operator);
    expect((await apply(operator, waiting?.id)).body.code).toBe('address_waits');
    expect(asked(lost)).toHaveLength(1);
    const token = linkIn(asked('luke@people.example').at(-1)?.text ?? '');
    expect((await anyone().post('/auth/way-back/object', { token })).body).toEqual({
      state: 'objected',
    });
    expect((await anyone().post('/auth/way-back/object', { token })).body.code).toBe(
      'link_expired',
    );
    expect(await openNow(operator)).toBeUndefined();
  });

  test('ends where the person signs in meanwhile, who then needs no help', async () => {
    expect((await open(await asOperator())).status).toBe(200);
    ahead += 60_000;
    await Api.signIn(world, { username: 'lena', password });
    ahead += 7 * day + 60_000;
    const operator = await asOperator();
    const waiting = await openNow(operator);
    expect((await apply(operator, waiting?.id)).body).toMatchObject({
      code: 'wrong_state',
      state: 'signed_in_since',
    });
    expect(await openNow(operator)).toBeUndefined();
  });

  test('counts after seven days of mails, by another operator where there is one, and leads to a new password', async () => {
    const first = await asOperator();
    await first.post('/platform/operators', { email: 'omar@platform.example' });
    const token = linkIn(await mailTo('omar@platform.example', 'operate Muhuri'));
    expect(
      (
        await anyone().post('/auth/operator-invitation/accept', {
          token,
          username: 'omar',
          name: 'Omar',
          password,
        })
      ).status,
    ).toBe(200);
    await enrol(await Api.signIn(world, { username: 'omar', password }), password, clock.now());
    ahead += 60_000;
    const [before, beforeOfLuke] = [asked(lost).length, asked('luke@people.example').length];
    expect((await open(first)).body).toMatchObject({ needs_another_operator: true });
    for (let n = 0; n < 8; n++) {
      ahead += day + 60_000;
      await world.app.tidy();
    }
    const mailed = () =>
      [asked(lost).length - before, asked('luke@people.example').length - beforeOfLuke] as const;
    // What the first step mails goes out beside its answer.
    await until(mailed, ([toThem, toTheOther]) => toThem >= 7 && toTheOther >= 2);
    expect(mailed()).toEqual([7, 2]);
    const operator = await asOperator();
    const waiting = await openNow(operator);
    expect((await apply(operator, waiting?.id)).body.code).toBe('second_operator_needed');
    // One who was made since is no other.
    await operator.post('/platform/operators', { email: 'olaf@platform.example' });
    const late = linkIn(await mailTo('olaf@platform.example', 'operate Muhuri'));
    await anyone().post('/auth/operator-invitation/accept', {
      token: late,
      username: 'olaf',
      name: 'Olaf',
      password,
    });
    const olaf = await Api.signIn(world, { username: 'olaf', password });
    await enrol(olaf, password, clock.now());
    expect((await apply(olaf, waiting?.id)).body.code).toBe('second_operator_needed');
    const omar = await Api.signIn(world, { username: 'omar', password });
    expect((await apply(omar, waiting?.id)).status).toBe(200);
    expect((await apply(omar, waiting?.id)).status).toBe(404);
    await anyone().post('/auth/password/forgot', { username: 'lena' });
    const reset = linkIn(await mailTo('lena@found.example', 'Set a new password'));
    expect(
      (
        await anyone().post('/auth/password/reset', {
          token: reset,
          new_password: 'nine brisk lanterns',
        })
      ).status,
    ).toBe(200);
    const lena = await Api.signIn(world, { username: 'lena', password: 'nine brisk lanterns' });
    expect(await mailTo(lost, 'A change to your')).toContain('This address is told no more');
    await world.app.settle();
    const trail = (await lena.get('/trail?action=address_change')).body.trail as {
      action: string;
      actor_type: string;
    }[];
    expect(new Set(trail.map((each) => `${each.actor_type} ${each.action}`))).toEqual(
      new Set([
        'operator address_change.asked',
        'operator address_change.applied',
        'job address_change.objected',
      ]),
    );
    for (const each of (await operator.get('/platform/operators')).body.operators as {
      id: string;
      username: string;
    }[])
      if (each.username !== 'operator') await operator.post(`/platform/operators/${each.id}/end`);
  });

  const ended = async () =>
    (
      await world.sql(
        "select after from audit where action = 'address_change.ended' order by at",
        [],
        path.split('/').at(-1) ?? '',
      )
    ).map((each) => (each.after as { because: string }).because);

  test('ends with the operator who asked for it, and with the block of whom it is about', async () => {
    const operator = await asOperator();
    await operator.post('/platform/operators', { email: 'otto@platform.example' });
    const token = linkIn(await mailTo('otto@platform.example', 'operate Muhuri'));
    const made = await anyone().post('/auth/operator-invitation/accept', {
      token,
      username: 'otto',
      name: 'Otto',
      password,
    });
    const otto = withToken(made.body.token);
    await enrol(otto, password, clock.now());
    expect((await open(otto, { email: 'lena@third.example' })).status).toBe(200);
    const all = (await otto.get('/platform/operators')).body.operators as {
      id: string;
      is_self: boolean;
    }[];
    expect(
      (await operator.post(`/platform/operators/${all.find((each) => each.is_self)?.id}/end`))
        .status,
    ).toBe(200);
    expect(await openNow(operator), 'of the operator who has gone').toBeUndefined();
    expect(await ended()).toEqual(['operator.ended']);

    expect((await open(operator, { email: 'lena@third.example' })).status).toBe(200);
    const ask = { person_id: personId, reason: 'a stolen laptop' };
    expect((await operator.post(`${path}/people/block`, ask)).status).toBe(200);
    expect((await operator.post(`${path}/people/unblock`, ask)).status).toBe(200);
    expect(await openNow(operator), 'of whom was kept out').toBeUndefined();
    expect(await ended()).toEqual(['operator.ended', 'person.blocked']);
  });
});

describe('operators', () => {
  /** Another operator who is about to go, and how the first one ends them. */
  const leaving = async (
    username: string,
  ): Promise<{ leaver: Api; end: () => ReturnType<Api['post']> }> => {
    const operator = await Api.signIn(world, {
      username: 'operator',
      password: 'seven quiet herons by the lake',
    });
    await operator.post('/platform/operators', { email: `${username}@platform.example` });
    const token = linkIn(await mailTo(`${username}@platform.example`, 'invited to operate'));
    const made = await anyone().post('/auth/operator-invitation/accept', {
      token,
      username,
      name: username,
      password,
    });
    const leaver = withToken(made.body.token);
    await enrol(leaver, password, clock.now());
    const all = (await leaver.get('/platform/operators')).body.operators as {
      id: string;
      is_self: boolean;
    }[];
    return {
      leaver,
      end: () => operator.post(`/platform/operators/${all.find((each) => each.is_self)?.id}/end`),
    };
  };
  const asked = (name: string, tin: string) => ({
    business_name: name,
    email: `office@${name}.example`,
    location: 'Huye',
    tin_number: tin,
    phone_number: '+250 788 000 200',
    country: 'RW',
    vat_registered: true,
    admin_email: `first@${name}.example`,
  });
  const opens = async (address: string) =>
    (
      await anyone().post('/auth/invitation', {
        token: linkIn(await mailTo(address, 'invites you')),
      })
    ).body.code as string | undefined;

  test('who go leave no way into a business open that they had made, not one that was under way either', async () => {
    const { leaver, end } = await leaving('leaver');
    const registered = await leaver.post('/businesses', asked('umurava', '100200610'));
    expect(registered.status, JSON.stringify(registered.body)).toBe(200);
    const businessId = registered.body.business.id as string;
    expect(await opens('first@umurava.example')).toBe(undefined);
    const hold = { sql: 'select 1 from business for no key update', businessId };
    const { invited, ended } = await whileHeld(hold, async (waiting) => {
      const inviting = leaver.post(`/businesses/${businessId}/invitations`, {
        email: 'accomplice@umurava.example',
      });
      await waiting(1);
      const ending = end();
      // Either their end waits for what is under way, or it is through and did not see it.
      await Promise.race([ending, waiting(2).catch(() => {})]);
      return { invited: inviting, ended: ending };
    });
    expect([invited.status, ended.status]).toEqual([200, 200]);
    expect(await opens('first@umurava.example')).toBe('link_expired');
    expect(await opens('accomplice@umurava.example')).toBe('link_expired');
    expect(
      await world.sql(
        "select 1 as one from audit where action = 'invitation.withdrawn'",
        [],
        businessId,
      ),
    ).toHaveLength(2);
  });

  test('who are ended while they register a business leave no way into it', async () => {
    const { leaver, end } = await leaving('registrar');
    const { registered, ended } = await whileHeld(
      { sql: 'lock table reference.business_directory in share mode' },
      async (waiting) => {
        const registering = leaver.post('/businesses', asked('intego', '100200620'));
        await waiting(1);
        const ending = end();
        await Promise.race([ending, waiting(2).catch(() => {})]);
        return { registered: registering, ended: ending };
      },
    );
    expect([registered.status, ended.status]).toEqual([200, 200]);
    expect(await opens('first@intego.example')).toBe('link_expired');
  });

  test('invite each other by a mailed link and end each other, never the last one, both at once or not', async () => {
    const operator = await Api.signIn(world, {
      username: 'operator',
      password: 'seven quiet herons by the lake',
    });
    const self = (
      (await operator.get('/platform/operators')).body.operators as {
        id: string;
        is_self: boolean;
      }[]
    ).find((each) => each.is_self);
    expect((await operator.post(`/platform/operators/${self?.id}/end`)).body.code).toBe(
      'last_operator',
    );
    await operator.post('/platform/operators', { email: 'second@platform.example' });
    const token = linkIn(await mailTo('second@platform.example', 'invited to operate'));
    const made = await anyone().post('/auth/operator-invitation/accept', {
      token,
      username: 'second',
      name: 'Second',
      password,
    });
    expect(made.body).toMatchObject({ is_operator: true, business: null, second_factor: 'none' });
    expect(
      (
        await anyone().post('/auth/operator-invitation/accept', {
          token,
          username: 'third',
          name: 'Third',
          password,
        })
      ).body.code,
    ).toBe('link_expired');
    const second = withToken(made.body.token);
    expect((await second.get('/businesses')).body.code, 'nothing before a second factor').toBe(
      'second_factor_setup',
    );
    await enrol(second, password, clock.now());
    expect((await second.get('/businesses')).status).toBe(200);
    const other = (
      (await second.get('/platform/operators')).body.operators as { id: string; is_self: boolean }[]
    ).find((each) => each.is_self);
    await second.post('/platform/operators', { email: 'again@platform.example' });
    const backDoor = linkIn(await mailTo('again@platform.example', 'invited to operate'));
    const support = `/businesses/${business(0).businessId}/support-access`;
    for (const each of [operator, second])
      expect((await each.post(support, { reason: 'ticket 14', minutes: 60 })).status).toBe(200);
    const both = await Promise.all([
      operator.post(`/platform/operators/${other?.id}/end`),
      second.post(`/platform/operators/${self?.id}/end`),
    ]);
    expect(both.filter((each) => each.status === 200)).toHaveLength(1);
    const [left] = await platform(
      "select count(*)::int as n from reference.person where is_operator and status = 'active'",
    );
    expect(left).toEqual({ n: 1 });
    // What they had open in a business ends with them, and the business reads that.
    const admin = await Api.signIn(world, business(0).admin);
    const accesses = (await admin.get('/support-access')).body.support_access as {
      operator_name: string;
      reason: string;
      ended_at: string | null;
    }[];
    const [stays] = await platform(
      "select name from reference.person where is_operator and status = 'active'",
    );
    expect(
      accesses
        .filter((each) => each.reason === 'ticket 14' && each.ended_at === null)
        .map((each) => each.operator_name),
    ).toEqual([stays?.name]);
    await world.app.settle();
    const ended = (await admin.get('/trail?action=support_access.ended')).body.trail as {
      after: { because?: string } | null;
    }[];
    expect(ended[0]?.after).toEqual({ because: 'operator.ended' });
    const again = { token: backDoor, username: 'again', name: 'Again', password };
    expect(
      (await anyone().post('/auth/operator-invitation/accept', again)).body.code,
      'whom they invited ends with them',
    ).toBe('link_expired');
    // Where none of them can get in any more, whoever runs the server makes another.
    const link = await world.app.operatorLink('rescue@platform.example');
    const rescued = { token: link.split('/').at(-1), username: 'rescue', name: 'Rescue', password };
    expect((await anyone().post('/auth/operator-invitation/accept', rescued)).body).toMatchObject({
      is_operator: true,
    });
  });
});
