import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Api, asPlatform, codeFor, enrol, operatorOf, until } from '../api.ts';
import { startWorld, type World } from '../world.ts';

/** The servers' clock: the present, moved ahead where a test waits. */
let ahead = 0;
const clock = { now: () => new Date(Date.now() + ahead) };
let world: World;
let anyone: Api;
beforeAll(async () => {
  world = await startWorld({ instead: { clock } });
  anyone = new Api(world.app.url);
});
afterAll(() => world?.[Symbol.asyncDispose]());

const [first, second, owner, staff, european] = ['1', '2', '3', '4', '5'] as const;
const business = (index: 0 | 1) => world.businesses[index];
type Pairing = { pairing_id: string; poll_secret: string; code: string; approval_url: string };

const open = async (organizationId: string): Promise<Pairing> => {
  const begun = await anyone.post('/auth/zoho/pairings', { organization_id: organizationId });
  expect(begun.status, JSON.stringify(begun.body)).toBe(200);
  return begun.body as Pairing;
};
const poll = async ({ pairing_id, poll_secret }: Pairing) =>
  (await anyone.post('/auth/zoho/pairings/poll', { pairing_id, poll_secret })).body;
const type = async (code: string) => {
  const taken = await anyone.post('/auth/zoho/approvals', { code });
  expect(taken.status, JSON.stringify(taken.body)).toBe(200);
  return taken.body as { consent_url: string; browser_secret: string };
};
/** Types the code, approves at Zoho as that user, and comes back to our page. */
const comeBack = async (code: string, userId: string, more: object = {}) => {
  const { consent_url, browser_secret } = await type(code);
  const back = Object.fromEntries(new URL(world.zoho.accept(consent_url, userId)).searchParams);
  return {
    asked: await anyone.post('/auth/zoho/approvals/callback', { ...back, browser_secret, ...more }),
    browser_secret,
    back,
  };
};
const signIn = async (index: 0 | 1, userId: string) => {
  const panel = await open(business(index).organizationId);
  const { asked, browser_secret } = await comeBack(panel.code, userId);
  expect(asked.status, JSON.stringify(asked.body)).toBe(200);
  const answered = await anyone.post('/auth/zoho/approvals/answer', {
    browser_secret,
    opened_by_me: true,
  });
  expect(answered.status, JSON.stringify(answered.body)).toBe(200);
  const { state, session } = await poll(panel);
  expect(state).toBe('done');
  return { panel, asked: asked.body, session, api: new Api(world.app.url, session.token) };
};
const settings = async (mode: string) => {
  const admin = await Api.signIn(world, business(0).admin);
  const { body } = await admin.get('/businesses/me/config');
  expect(
    (
      await admin.put('/businesses/me/config', {
        settings: { zoho_sign_in: mode },
        version: body.version,
      })
    ).status,
  ).toBe(200);
};
let ruler: Api | null = null;
/**
 * With an authenticator, which one sets up once, in a session whose token outlives the waits of
 * these tests.
 */
const adminOfSecond = async (): Promise<Api> => {
  if (!ruler) {
    ruler = await Api.signIn(world, business(1).admin);
    await enrol(ruler, business(1).admin.password);
  }
  return ruler;
};
const trail = async (action: string) =>
  world.sql(
    'select action, after, actor_id from audit where action = $1 order by at desc, id desc limit 1',
    [action],
    business(0).businessId,
  );

describe('a panel signs in with Zoho', () => {
  test('by a code that is typed, an approval, and a yes; the panel gets a short token for one membership, which seals', async () => {
    const panel = await open(business(0).organizationId);
    expect(panel.code).toMatch(/^[B-Z]{4}-[B-Z]{4}$/);
    expect(Buffer.from(panel.poll_secret, 'base64url')).toHaveLength(16);
    expect(panel.approval_url).toBe(`${world.app.url}/zoho`);
    expect((await poll(panel)).state).toBe('waiting');
    // Typed as people type: in small letters, without the dash.
    const { consent_url, browser_secret } = await type(panel.code.toLowerCase().replace('-', ' '));
    const consent = new URL(consent_url).searchParams;
    expect(Object.fromEntries(consent)).toMatchObject({
      access_type: 'online',
      scope: 'ZohoBooks.settings.READ',
      code_challenge_method: 'S256',
    });
    expect(consent.get('prompt')).toBeNull();
    expect((await poll(panel)).state).toBe('approving');
    const back = Object.fromEntries(new URL(world.zoho.accept(consent_url, staff)).searchParams);
    const asked = await anyone.post('/auth/zoho/approvals/callback', { ...back, browser_secret });
    expect(asked.body).toMatchObject({
      business_name: 'Inzozi Coffee Traders',
      organization_name: 'Inzozi Coffee Traders',
      organization_id: business(0).organizationId,
      zoho_user: { name: 'Mugisha Staff', email: 'mugisha.staff@zoho.example' },
      panel: { address: expect.any(String), opened_at: expect.any(String) },
    });
    expect((await poll(panel)).state).toBe('approving');
    expect(
      (await anyone.post('/auth/zoho/approvals/answer', { browser_secret, opened_by_me: true }))
        .body,
    ).toEqual({ state: 'approved' });
    const { state, session } = await poll(panel);
    expect(state).toBe('done');
    expect(session).toMatchObject({
      person: { name: 'Mugisha Staff' },
      business: {
        id: business(0).businessId,
        role: 'business_user',
        permissions: ['read', 'seal'],
      },
    });
    expect(new Date(session.expires_at).getTime() - clock.now().getTime()).toBeLessThanOrEqual(
      15 * 60_000,
    );
    expect((await poll(panel)).state, 'fetched once').toBe('over');
    const api = new Api(world.app.url, session.token);
    const document = world.zoho
      .documents()
      .find((each) => each.organization_id === business(0).organizationId && each.canSeal);
    expect((await api.seal('invoices', document?.id ?? '')).status).toBe(200);
    expect((await trail('session.by_zoho'))[0]).toMatchObject({
      actor_id: session.person.id,
      after: {
        zoho_user_id: staff,
        zoho_role: 'staff',
        panel_address: expect.any(String),
        approval_address: expect.any(String),
      },
    });
    expect(JSON.stringify(await trail('session.by_zoho'))).not.toContain(panel.poll_secret);
  });

  test('approved before its person was blocked, it gets no session once they are let in again', async () => {
    const panel = await open(business(0).organizationId);
    const { browser_secret } = await comeBack(panel.code, staff);
    expect(
      (await anyone.post('/auth/zoho/approvals/answer', { browser_secret, opened_by_me: true }))
        .body,
    ).toEqual({ state: 'approved' });
    const operator = await operatorOf(world);
    const path = `/businesses/${business(0).businessId}/people`;
    const person = (
      (await operator.get(path)).body.people as { person_id: string; name: string }[]
    ).find((each) => each.name === 'Mugisha Staff');
    for (const what of ['block', 'unblock'])
      expect(
        (
          await operator.post(`${path}/${what}`, {
            person_id: person?.person_id,
            reason: 'a stolen laptop',
          })
        ).status,
      ).toBe(200);
    expect(await poll(panel)).toMatchObject({ state: 'refused' });
  });

  test('the second time is the same member, and an admin at Zoho is no admin here', async () => {
    const [once, again] = [await signIn(0, owner), await signIn(0, owner)];
    expect(again.session.person).toEqual(once.session.person);
    expect(again.session.business.role).toBe('business_user');
    expect((await again.api.get('/people')).status).toBe(403);
  });

  test('a member with the same confirmed e-mail address is that member, with the role they have here; one not confirmed decides nothing', async () => {
    const admin = await Api.signIn(world, business(0).admin);
    const me = (await admin.get('/auth/me')).body.person;
    const email = 'ishimwe.admin@zoho.example';
    await admin.put('/auth/profile', {
      name: me.name,
      email,
      current_password: business(0).admin.password,
    });
    const unconfirmed =
      'update reference.person set email = $2, email_verified_at = null where id = $1';
    await asPlatform(world.databaseUrls.app, unconfirmed, [me.id, email]);
    await settings('members');
    const panel = await open(business(0).organizationId);
    const { browser_secret } = await comeBack(panel.code, first);
    expect(
      (await anyone.post('/auth/zoho/approvals/answer', { browser_secret, opened_by_me: true }))
        .body.code,
    ).toBe('zoho_user_refused');
    await settings('users');
    const mail = await until(
      () => world.mail.mails().find((each) => each.to.includes(email)),
      (found) => found !== undefined,
    );
    expect(
      (
        await anyone.post('/auth/email/confirm', {
          token: /email\/(\S+)/.exec(mail?.text ?? '')?.[1],
        })
      ).body,
    ).toEqual({ email });
    const { session, api } = await signIn(0, first);
    expect(session.person.id).toBe(me.id);
    expect(session.business.role).toBe('business_admin');
    // What asks for a second factor asks for it here too.
    await enrol(admin, business(0).admin.password);
    expect(
      (await api.post('/invitations', { email: 'x@y.example', role: 'business_user' })).body.code,
    ).toBe('second_factor_needed');
    expect((await Api.signIn(world, business(0).admin)).token).toBeTruthy();
  });

  test('of somebody new opens in two panels at once: one member', async () => {
    const organizations = {
      [business(0).organizationId]: { role: 'staff', status: 'active' as const },
    };
    world.zoho.users().push({
      user_id: '77',
      name: 'Two Panels',
      email: 'two.panels@zoho.example',
      location: 'us',
      organizations,
    });
    const both = await Promise.all([signIn(0, '77'), signIn(0, '77')]);
    expect(both[0].session.person).toEqual(both[1].session.person);
  });

  test('from another data centre works alike', async () => {
    expect((await signIn(0, european)).session.person.name).toBe('Elodie Europe');
  });

  test('in two organizations side by side: two sessions, and neither sees the other’s', async () => {
    const [here, there] = await Promise.all([signIn(0, owner), signIn(1, owner)]);
    expect(here.session.business.id).toBe(business(0).businessId);
    expect(there.session.business.id).toBe(business(1).businessId);
    expect((await here.api.get('/documents')).status).toBe(200);
    expect(
      (await there.api.get('/branches')).body.branches.map((each: { id: string }) => each.id),
    ).toEqual(business(1).branchIds);
    await here.api.post('/auth/logout');
    expect((await there.api.get('/auth/me')).status).toBe(200);
    expect((await here.api.get('/auth/me')).status).toBe(401);
    expect(
      (await anyone.post('/auth/refresh', { refresh_token: here.session.refresh_token })).body.code,
    ).toBe('not_signed_in');
  });
});

describe('who may not enter is told so, on both sides, and learns nothing', () => {
  const refusedFor = async (organizationId: string, userId: string) => {
    const panel = await open(organizationId);
    const { asked } = await comeBack(panel.code, userId);
    const polled = await poll(panel);
    expect(polled.state).toBe('refused');
    expect(polled.problem.code).toBe(asked.body.code);
    return asked;
  };
  test('a stranger to the organization, an organization nobody connected, and a deactivated user are answered alike', async () => {
    const stranger = await refusedFor(business(0).organizationId, second);
    const nowhere = await refusedFor('99000000999', second);
    const user = world.zoho.users().find((each) => each.user_id === staff);
    const place = user?.organizations[business(0).organizationId];
    if (place) place.status = 'inactive';
    const inactive = await refusedFor(business(0).organizationId, staff);
    if (place) place.status = 'active';
    for (const each of [stranger, nowhere, inactive]) {
      expect(each.status).toBe(403);
      expect(each.body).toEqual(stranger.body);
      expect(JSON.stringify(each.body)).not.toContain('Inzozi');
    }
  });

  test('a refusal at Zoho, and another server than Zoho’s', async () => {
    const panel = await open(business(0).organizationId);
    expect((await comeBack(panel.code, 'nobody')).asked.body.code).toBe('consent_refused');
    const other = await open(business(0).organizationId);
    const evil = await comeBack(other.code, staff, {
      'accounts-server': 'https://accounts.zoho.com.evil.example',
    });
    expect(evil.asked.body.code).toBe('consent_elsewhere');
    expect((await poll(other)).problem.code).toBe('consent_elsewhere');
  });

  test('a role Zoho does not usually have, where that person is no member', async () => {
    const place = world.zoho.users().find((each) => each.user_id === second)
      ?.organizations as Record<string, { role: string; status: 'active' }>;
    place[business(0).organizationId] = { role: 'Shelf stacker', status: 'active' };
    const panel = await open(business(0).organizationId);
    const { browser_secret } = await comeBack(panel.code, second);
    expect(
      (await anyone.post('/auth/zoho/approvals/answer', { browser_secret, opened_by_me: true }))
        .body.code,
    ).toBe('zoho_user_refused');
    expect((await poll(panel)).problem.code).toBe('zoho_user_refused');
    delete place[business(0).organizationId];
  });

  test('nobody new where the business lets only its members in, nobody at all where it is off', async () => {
    await settings('members');
    const place = world.zoho.users().find((each) => each.user_id === second)
      ?.organizations as Record<string, { role: string; status: 'active' }>;
    place[business(0).organizationId] = { role: 'staff', status: 'active' };
    const answerOf = async (userId: string) => {
      const { browser_secret } = await comeBack(
        (await open(business(0).organizationId)).code,
        userId,
      );
      return (
        await anyone.post('/auth/zoho/approvals/answer', { browser_secret, opened_by_me: true })
      ).body;
    };
    expect((await answerOf(second)).code).toBe('zoho_user_refused');
    expect((await answerOf(staff)).state).toBe('approved');
    await settings('off');
    expect((await answerOf(staff)).code).toBe('zoho_sign_in_off');
    await settings('users');
    delete place[business(0).organizationId];
  });

  test('whose membership was ended here does not come back by way of Zoho', async () => {
    const entered = await signIn(1, owner);
    const admin = await adminOfSecond();
    const member = (await admin.get('/people')).body.people.find(
      (each: { person_id: string }) => each.person_id === entered.session.person.id,
    );
    expect(member).toMatchObject({
      has_zoho_user: true,
      role: 'business_user',
      username: expect.stringMatching(/^zoho-/),
    });
    expect((await admin.post(`/people/${member.id}/end`)).status).toBe(200);
    expect((await entered.api.get('/auth/me')).status).toBe(401);
    expect(
      (await anyone.post('/auth/refresh', { refresh_token: entered.session.refresh_token })).status,
    ).toBe(401);
    const panel = await open(business(1).organizationId);
    const { browser_secret } = await comeBack(panel.code, owner);
    expect(
      (await anyone.post('/auth/zoho/approvals/answer', { browser_secret, opened_by_me: true }))
        .body.code,
    ).toBe('zoho_user_refused');
  });

  test('who was ended here before they ever came by Zoho does not come as somebody new either', async () => {
    const admin = await adminOfSecond();
    const user = world.zoho.users().find((each) => each.user_id === staff);
    const email = user?.email ?? '';
    expect(
      (await admin.post('/invitations', { email, role: 'business_user', permissions: [] })).status,
    ).toBe(200);
    const mail = await until(
      () =>
        world.mail
          .mails()
          .find((each) => each.to.includes(email) && each.text.includes('/accept/')),
      (found) => found !== undefined,
    );
    const token = /accept\/(\S+)/.exec(mail?.text ?? '')?.[1];
    const account = {
      account: 'new',
      token,
      username: 'mugisha',
      name: 'Mugisha',
      password: 'quite a long pass phrase',
    };
    expect((await anyone.post('/auth/invitation/accept', account)).status).toBe(200);
    const member = (await admin.get('/people')).body.people.find(
      (each: { username: string }) => each.username === 'mugisha',
    );
    expect((await admin.post(`/people/${member.id}/end`)).status).toBe(200);
    const place = user?.organizations as Record<string, { role: string; status: 'active' }>;
    place[business(1).organizationId] = { role: 'staff', status: 'active' };
    const { browser_secret } = await comeBack((await open(business(1).organizationId)).code, staff);
    expect(
      (await anyone.post('/auth/zoho/approvals/answer', { browser_secret, opened_by_me: true }))
        .body.code,
    ).toBe('zoho_user_refused');
    delete place[business(1).organizationId];
  });

  test('opens nothing else of the person’s: no other business, no word of one, not the address that links go to', async () => {
    const elsewhere = await adminOfSecond();
    await elsewhere.post('/invitations', { email: 'both@x.example', role: 'business_user' });
    const mail = await until(
      () => world.mail.mails().find((each) => each.to.includes('both@x.example')),
      (found) => found !== undefined,
    );
    const { username, password } = business(0).admin;
    const token = /accept\/(\S+)/.exec(mail?.text ?? '')?.[1] ?? '';
    const proved = async () => ({
      username,
      password,
      code: await codeFor(world, business(0).admin),
    });
    expect(
      (
        await anyone.post('/auth/invitation/accept', {
          account: 'existing',
          token,
          ...(await proved()),
        })
      ).status,
    ).toBe(200);
    const { api } = await signIn(0, first);
    // Their second factor is asked for here too, before anything else.
    expect((await api.get('/branches')).body.code).toBe('second_factor_needed');
    expect(
      (await api.post('/auth/second-factor', { code: await codeFor(world, business(0).admin) }))
        .status,
    ).toBe(200);
    expect((await api.get('/branches')).status).toBe(200);
    expect(
      (await api.post('/auth/switch', { business_id: business(1).businessId })).body.code,
    ).toBe('not_allowed');
    expect((await api.put('/auth/profile', { name: 'X', email: 'x@y.example' })).body.code).toBe(
      'not_allowed',
    );
    expect(
      (await api.get('/auth/memberships')).body.memberships.map(
        (each: { business_id: string }) => each.business_id,
      ),
    ).toEqual([business(0).businessId]);
    expect(
      new Set(
        (await api.get('/auth/sessions')).body.sessions.map(
          (each: { business_name: string }) => each.business_name,
        ),
      ),
    ).toEqual(new Set(['Inzozi Coffee Traders']));
    const byPassword = new Api(
      world.app.url,
      (
        await anyone.post('/auth/login', {
          ...(await proved()),
          business_id: business(0).businessId,
        })
      ).body.token as string,
    );
    expect((await byPassword.get('/auth/memberships')).body.memberships).toHaveLength(2);
  });
});

describe('whoever has a member’s Zoho account and not their second factor', () => {
  test('guesses it in one count, however many sessions they open and by code or recovery code; who has given it, or has the password, goes on', async () => {
    const member = business(0).admin;
    const own = (await signIn(0, first)).api;
    expect(
      (await own.post('/auth/second-factor', { code: await codeFor(world, member) })).status,
    ).toBe(200);
    const opened = [await signIn(0, first), await signIn(0, first), await signIn(0, first)].map(
      ({ api }) => api,
    );
    const guesses = [];
    for (let i = 0; i < 12; i++) {
      const given =
        i % 4 === 3
          ? { recovery_code: `BBBB-CCCC-DDDD-FF${String(i).padStart(2, '2')}` }
          : { code: String(i).padStart(6, '0') };
      guesses.push((await opened[i % 3]?.post('/auth/second-factor', given))?.body.code);
    }
    expect(guesses).toEqual([
      ...Array(10).fill('wrong_code'),
      ...Array(2).fill('too_many_attempts'),
    ]);
    const another = (await signIn(0, first)).api;
    expect(
      (await another.post('/auth/second-factor', { code: await codeFor(world, member) })).body.code,
    ).toBe('too_many_attempts');
    expect(
      (await own.post('/auth/second-factor', { code: await codeFor(world, member) })).body
        .second_factor,
    ).toBe('passed');
    const { username, password } = member;
    const byPassword = {
      username,
      password,
      code: await codeFor(world, member),
      business_id: business(0).businessId,
    };
    expect((await anyone.post('/auth/login', byPassword)).status).toBe(200);
    ahead += 16 * 60_000;
    expect(
      (
        await (
          await signIn(0, first)
        ).api.post('/auth/second-factor', { code: await codeFor(world, member) })
      ).status,
    ).toBe(200);
    ahead -= 16 * 60_000;
  });
});

describe('a sign-in that somebody was lured into', () => {
  test('ends with a no, which the panel is told and the trail keeps with both addresses', async () => {
    const panel = await open(business(0).organizationId);
    const { browser_secret } = await comeBack(panel.code, staff);
    expect(
      (await anyone.post('/auth/zoho/approvals/answer', { browser_secret, opened_by_me: false }))
        .body,
    ).toEqual({ state: 'refused' });
    expect((await poll(panel)).problem.code).toBe('zoho_sign_in_denied');
    expect(
      (await anyone.post('/auth/zoho/approvals/answer', { browser_secret, opened_by_me: true }))
        .body.code,
    ).toBe('pairing_expired');
    expect((await trail('session.denied_by_zoho_user'))[0]?.after).toMatchObject({
      zoho_user_id: staff,
      panel_address: expect.any(String),
    });
  });

  test('needs the code typed once, the state brought back once, and by the browser that began', async () => {
    const panel = await open(business(0).organizationId);
    const { asked, back, browser_secret } = await comeBack(panel.code, staff, {
      browser_secret: 'x'.repeat(32),
    });
    expect(asked.body.code).toBe('pairing_expired');
    expect(
      (await anyone.post('/auth/zoho/approvals/callback', { ...back, browser_secret })).status,
    ).toBe(200);
    expect(
      (await anyone.post('/auth/zoho/approvals/callback', { ...back, browser_secret })).body.code,
    ).toBe('pairing_expired');
    expect((await anyone.post('/auth/zoho/approvals', { code: panel.code })).body.code).toBe(
      'pairing_expired',
    );
    expect(
      (
        await anyone.post('/auth/zoho/approvals/callback', {
          state: 'zoho.nonsense',
          browser_secret,
        })
      ).body.code,
    ).toBe('pairing_expired');
    expect(
      (
        await anyone.post('/auth/zoho/approvals/callback', {
          state: `${business(0).businessId}.x`,
          browser_secret,
        })
      ).body.code,
    ).toBe('pairing_expired');
    const gone = await fetch(`${world.app.url}/api/v1/oauth/callback?state=zoho.x&code=y`, {
      redirect: 'manual',
    });
    expect(gone.headers.get('location')).toMatch(/^\/settings#\/zoho-sign-in\//);
  });

  test('is over after three minutes at each step', async () => {
    const panel = await open(business(0).organizationId);
    ahead += 3 * 60_000 + 1_000;
    expect((await anyone.post('/auth/zoho/approvals', { code: panel.code })).body.code).toBe(
      'pairing_expired',
    );
    expect((await poll(panel)).state).toBe('over');
    const slow = await open(business(0).organizationId);
    const { browser_secret } = await comeBack(slow.code, staff);
    expect(
      (await anyone.post('/auth/zoho/approvals/answer', { browser_secret, opened_by_me: true }))
        .status,
    ).toBe(200);
    ahead += 3 * 60_000 + 1_000;
    expect((await poll(slow)).state, 'approved, but nobody fetched it in time').toBe('over');
  });

  test('whoever guesses the poll secret ends the pairing after five tries', async () => {
    const panel = await open(business(0).organizationId);
    for (let i = 0; i < 5; i++)
      expect((await poll({ ...panel, poll_secret: 'A'.repeat(22) })).state).toBe('over');
    expect((await poll(panel)).state).toBe('over');
  });
});

describe('a session by Zoho', () => {
  const renew = (token: string) => anyone.post('/auth/refresh', { refresh_token: token });
  const works = async (token: string) =>
    (await new Api(world.app.url, token).get('/auth/me')).status === 200;

  test('is not extended by use: it ends after a quarter of an hour, and is renewed by its refresh token, once each', async () => {
    const { session } = await signIn(0, staff);
    ahead += 14 * 60_000;
    expect(await works(session.token)).toBe(true);
    ahead += 2 * 60_000;
    expect(await works(session.token)).toBe(false);
    const next = await renew(session.refresh_token);
    expect(next.status, JSON.stringify(next.body)).toBe(200);
    expect(next.body.person.id).toBe(session.person.id);
    expect(await works(next.body.token)).toBe(true);
    // Its answer was lost, so the one before is given once more, after the moment in which it would
    // have had the same answer.
    ahead += 11_000;
    const lost = await renew(session.refresh_token);
    expect(lost.status).toBe(200);
    expect(await works(next.body.token), 'one token at a time').toBe(false);
    expect(await works(lost.body.token)).toBe(true);
    // The successor that was thought lost comes back after all: two hold this session.
    expect((await renew(next.body.refresh_token)).body.code).toBe('not_signed_in');
    expect(await works(lost.body.token)).toBe(false);
    expect((await renew(lost.body.refresh_token)).status).toBe(401);
  });

  test('ends when Zoho deactivates the user, for every panel of theirs, and not because Zoho is silent for a while', async () => {
    const [one, two] = [await signIn(0, staff), await signIn(0, staff)];
    ahead += 16 * 60_000;
    world.zoho.faults(
      Array.from({ length: 8 }, () => 'error'),
      business(0).organizationId,
      '/users',
    );
    const silent = await renew(one.session.refresh_token);
    expect(silent.status, JSON.stringify(silent.body)).toBe(200);
    world.zoho.faults([], business(0).organizationId);
    const place = world.zoho.users().find((each) => each.user_id === staff)?.organizations[
      business(0).organizationId
    ] as { status: string };
    place.status = 'inactive';
    expect((await renew(silent.body.refresh_token)).body.code).toBe('zoho_user_ended');
    expect((await renew(two.session.refresh_token)).status).toBe(401);
    expect(await works(silent.body.token)).toBe(false);
    place.status = 'active';
    expect((await signIn(0, staff)).session.person.id).toBe(one.session.person.id);
  });

  test('does not go on for more than an hour where Zoho does not say whether its user is there', async () => {
    const { session } = await signIn(0, staff);
    ahead += 61 * 60_000;
    world.zoho.faults(
      Array.from({ length: 8 }, () => 'error'),
      business(0).organizationId,
      '/users',
    );
    expect((await renew(session.refresh_token)).body.code).toBe('books_unavailable');
    world.zoho.faults([], business(0).organizationId);
    expect((await renew(session.refresh_token)).status, 'nothing was lost by it').toBe(200);
  });

  test('lies unused for twelve hours at most, and malformed tokens are refused alike', async () => {
    const { session } = await signIn(0, staff);
    ahead += 12 * 3_600_000 + 60_000;
    for (const each of [
      session.refresh_token,
      session.token,
      `${session.refresh_token}x`,
      'nothing like a token at all',
    ])
      expect((await renew(each)).body.code).toBe('not_signed_in');
  });

  test('stands among one’s own sessions and can be ended there, for good', async () => {
    const { session, api } = await signIn(0, staff);
    const { body } = await api.get('/auth/sessions');
    const current = body.sessions.find((each: { is_current: boolean }) => each.is_current);
    expect((await api.post(`/auth/sessions/${current.id}/end`)).status).toBe(200);
    expect((await renew(session.refresh_token)).status).toBe(401);
  });
});

describe('too much at once', () => {
  test('codes cannot be guessed: five wrong ones from an address close it for a quarter of an hour, also for the right one', async () => {
    const panel = await open(business(0).organizationId);
    const guesses = await Promise.all(
      Array.from({ length: 30 }, () => anyone.post('/auth/zoho/approvals', { code: 'BBBB-BBBB' })),
    );
    expect(
      guesses.filter((each) => each.body.code === 'pairing_expired').length,
      'looked at, of thirty at once',
    ).toBeLessThanOrEqual(5);
    expect((await anyone.post('/auth/zoho/approvals', { code: panel.code })).body.code).toBe(
      'too_many_attempts',
    );
    ahead += 16 * 60_000;
    const later = await open(business(0).organizationId);
    expect((await anyone.post('/auth/zoho/approvals', { code: later.code })).status).toBe(200);
  });

  test('twenty panels of one address may wait at a time', async () => {
    ahead += 4 * 60_000;
    for (let i = 0; i < 20; i++) await open('99000000999');
    expect(
      (await anyone.post('/auth/zoho/pairings', { organization_id: business(0).organizationId }))
        .body.code,
    ).toBe('too_many_attempts');
  });
});
