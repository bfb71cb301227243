import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Api, codeOf, enrol, operatorOf, until } from '../api.ts';
import { startWorld, type World } from '../world.ts';

let world: World;
let admin: Api;
let secret: string;
beforeAll(async () => {
  world = await startWorld();
  admin = await Api.signIn(world, business().admin);
  secret = await enrol(admin, business().admin.password);
});
afterAll(() => world?.[Symbol.asyncDispose]());

const business = () => world.businesses[0];
const anyone = () => new Api(world.app.url);
const password = 'four calm otters at dusk';
const mailTo = (address: string) =>
  until(
    () => world.mail.mails().findLast((each) => each.to.includes(address)),
    (mail) => mail !== undefined,
  );
const linkIn = (text: string) => /#\/(?:accept|reset)\/(\S+)/.exec(text)?.[1] ?? '';
async function invited(
  email: string,
  role: 'business_admin' | 'business_user' = 'business_user',
  permissions: string[] = [],
): Promise<string> {
  const reply = await admin.post('/invitations', { email, role, permissions });
  expect(reply.body).toMatchObject({ state: 'open', email });
  return linkIn((await mailTo(email))?.text ?? '');
}

describe('an invitation', () => {
  test('goes by mail, is accepted once with a password of one’s own, and lets in with its role and single permissions', async () => {
    const token = await invited('grace@new.example', 'business_user', ['settle']);
    expect((await anyone().post('/auth/invitation', { token })).body).toMatchObject({
      email: 'grace@new.example',
      role: 'business_user',
    });
    const given = { account: 'new', token, username: 'grace', name: 'Grace', password };
    expect(
      await anyone().post('/auth/invitation/accept', { ...given, password: 'password1234' }),
    ).toMatchObject({
      status: 422,
      body: { code: 'password_weak' },
    });
    expect(
      await anyone().post('/auth/invitation/accept', { ...given, username: 'grаce' }),
    ).toMatchObject({ status: 400, body: { field: 'username' } });
    expect(
      await anyone().post('/auth/invitation/accept', {
        ...given,
        username: business().admin.username,
      }),
    ).toMatchObject({
      status: 409,
      body: { code: 'username_taken' },
    });
    const accepted = await anyone().post('/auth/invitation/accept', given);
    expect(accepted.body.business).toMatchObject({
      id: business().businessId,
      role: 'business_user',
      permissions: ['read', 'seal', 'settle'],
    });
    expect(
      await anyone().post('/auth/invitation/accept', { ...given, username: 'grace2' }),
    ).toMatchObject({ status: 404, body: { code: 'link_expired' } });
    const session = await anyone().post('/auth/login', { username: 'Grace', password });
    expect(session.status).toBe(200);
    expect((await admin.get('/people')).body.people).toContainEqual(
      expect.objectContaining({ username: 'grace', email: 'grace@new.example' }),
    );
  });

  test('of somebody who works for another business adds a membership, and the session can be switched', async () => {
    const [, other] = world.businesses;
    const token = await invited('admin@umucyo.example');
    const accepted = await anyone().post('/auth/invitation/accept', {
      account: 'existing',
      token,
      username: other.admin.username,
      password: other.admin.password,
    });
    expect(accepted.body.business.id).toBe(business().businessId);
    const api = new Api(world.app.url, accepted.body.token as string);
    expect((await api.get('/auth/memberships')).body.memberships).toHaveLength(2);
    const switched = await api.post('/auth/switch', { business_id: other.businessId });
    expect(switched.body.business).toMatchObject({ id: other.businessId, role: 'business_admin' });
  });

  test('is answered the same for an address that is a member already, a stranger’s and one of another business', async () => {
    const ask = async (email: string) => {
      const { status, body } = await admin.post('/invitations', { email, role: 'business_user' });
      return { status, keys: Object.keys(body).toSorted(), state: body.state };
    };
    const stranger = await ask('nobody@nowhere.example');
    expect(await ask('office@umucyo.example')).toEqual(stranger);
    expect(await ask('grace@new.example')).toEqual(stranger);
  });

  test('taken back, over or forged opens nothing; where the mail is refused none is left', async () => {
    const token = await invited('late@new.example');
    const list = (await admin.get('/invitations')).body.invitations as {
      id: string;
      email: string;
      state: string;
    }[];
    const made = list.find((each) => each.email === 'late@new.example');
    expect((await admin.post(`/invitations/${made?.id}/withdraw`)).body.state).toBe('withdrawn');
    expect((await anyone().post('/auth/invitation', { token })).body.code).toBe('link_expired');
    const over = await invited('over@new.example');
    await world.sql(
      "update invitation set expires_at = now() - interval '1 minute' where email = 'over@new.example'",
      [],
      business().businessId,
    );
    expect((await anyone().post('/auth/invitation', { token: over })).body.code).toBe(
      'link_expired',
    );
    expect(
      (
        await anyone().post('/auth/invitation', {
          token: over.replace(business().businessId, world.businesses[1].businessId),
        })
      ).body.code,
    ).toBe('link_expired');
    const kept = await invited('kept@new.example');
    world.mail.refuse(true);
    for (const email of ['unsent@new.example', 'kept@new.example'])
      expect(await admin.post('/invitations', { email, role: 'business_user' })).toMatchObject({
        status: 503,
        body: { code: 'mail_unavailable' },
      });
    world.mail.refuse(false);
    // Nothing was done, as it says: the link that was mailed before opens still.
    expect((await anyone().post('/auth/invitation', { token: kept })).status).toBe(200);
    const after = (await admin.get('/invitations')).body.invitations as {
      email: string;
      state: string;
    }[];
    expect(after.find((each) => each.email === 'unsent@new.example')?.state).toBe('withdrawn');
  });
});

describe('members', () => {
  test('the last admin can neither leave nor step down; a stale change is refused; who has ended is out at once', async () => {
    const people = (await admin.get('/people')).body.people as {
      id: string;
      username: string;
      version: number;
    }[];
    const self = people.find((each) => each.username === business().admin.username);
    const user = people.find((each) => each.username === business().user.username);
    expect(await admin.post(`/people/${self?.id}/end`)).toMatchObject({
      status: 409,
      body: { code: 'last_admin' },
    });
    expect(
      await admin.put(`/people/${self?.id}`, {
        role: 'business_user',
        permissions: [],
        version: self?.version,
      }),
    ).toMatchObject({
      body: { code: 'last_admin' },
    });
    const changed = await admin.put(`/people/${user?.id}`, {
      role: 'business_user',
      permissions: ['confirm'],
      version: user?.version,
    });
    expect(changed.body).toMatchObject({
      permissions: ['confirm'],
      version: Number(user?.version) + 1,
    });
    expect(
      await admin.put(`/people/${user?.id}`, {
        role: 'business_admin',
        permissions: [],
        version: user?.version,
      }),
    ).toMatchObject({
      status: 409,
      body: { code: 'version_conflict' },
    });
    const session = await Api.signIn(world, business().user);
    expect((await admin.post(`/people/${user?.id}/end`)).body.status).toBe('ended');
    expect((await session.get('/auth/me')).status).toBe(401);
    expect(
      (
        await anyone().post('/auth/login', {
          username: business().user.username,
          password: business().user.password,
        })
      ).status,
    ).toBe(401);
    const token = await invited('back@inzozi.example');
    const back = {
      account: 'existing',
      token,
      username: business().user.username,
      password: business().user.password,
    };
    expect((await anyone().post('/auth/invitation/accept', back)).body.business.role).toBe(
      'business_user',
    );
  });

  test('what carries a risk is confirmed only by those who may', async () => {
    const user = await Api.signIn(world, business().user);
    const old = world.zoho
      .documents()
      .find(
        (each) =>
          each.organization_id === business().organizationId &&
          each.what.startsWith('dated before go-live'),
      );
    expect(
      await user.seal('invoices', old?.id ?? '', { confirm: ['before_go_live'] }),
    ).toMatchObject({
      status: 403,
      body: { code: 'not_allowed', field: 'confirm' },
    });
    expect(
      (await admin.seal('invoices', old?.id ?? '', { confirm: ['before_go_live'] })).body.state,
    ).toBe('signed');
  });
});

describe('one’s own account', () => {
  test('a forgotten password is set by a link that works once; every session ends with it', async () => {
    const [, other] = world.businesses;
    const before = await Api.signIn(world, other.user);
    for (const username of [other.user.username, 'nobody@all'])
      expect(await anyone().post('/auth/password/forgot', { username })).toMatchObject({
        status: 200,
        body: {},
      });
    const token = linkIn((await mailTo('user@umucyo.example'))?.text ?? '');
    expect(
      await anyone().post('/auth/password/reset', { token, new_password: 'umucyo umucyo umucyo' }),
    ).toMatchObject({
      status: 422,
      body: { code: 'password_weak' },
    });
    expect(
      (await anyone().post('/auth/password/reset', { token, new_password: password })).status,
    ).toBe(200);
    expect(
      (await anyone().post('/auth/password/reset', { token, new_password: password })).body.code,
    ).toBe('link_expired');
    expect((await before.get('/auth/me')).status).toBe(401);
    const session = await Api.signIn(world, { ...other.user, password });
    expect(
      await session.post('/auth/password', {
        current_password: 'wrong',
        new_password: 'nine brisk lanterns',
      }),
    ).toMatchObject({
      body: { code: 'wrong_own_password' },
    });
    const second = await Api.signIn(world, { ...other.user, password });
    expect(
      (
        await session.post('/auth/password', {
          current_password: password,
          new_password: 'nine brisk lanterns',
        })
      ).status,
    ).toBe(200);
    expect([(await session.get('/auth/me')).status, (await second.get('/auth/me')).status]).toEqual(
      [200, 401],
    );
  });

  test('sessions are listed and ended, and sign-ins stand with their failed tries', async () => {
    const session = await Api.signIn(world, business().admin);
    const listed = (await admin.get('/auth/sessions')).body.sessions as {
      id: string;
      is_current: boolean;
    }[];
    expect(listed.filter((each) => each.is_current)).toHaveLength(1);
    for (const each of listed.filter((one) => !one.is_current))
      await admin.post(`/auth/sessions/${each.id}/end`);
    expect((await session.get('/auth/me')).status).toBe(401);
    await anyone().post('/auth/login', {
      username: business().admin.username,
      password: 'wrong wrong wrong',
    });
    const signIns = (await admin.get('/auth/sign-ins')).body.sign_ins as { succeeded: boolean }[];
    expect(signIns[0]?.succeeded).toBe(false);
    expect(signIns.some((each) => each.succeeded)).toBe(true);
  });

  test('codes of an authenticator cannot be guessed at the door: after ten wrong ones even the right one waits', async () => {
    const given = { account: 'new', username: 'henri', name: 'Henri', password };
    const made = await anyone().post('/auth/invitation/accept', {
      ...given,
      token: await invited('henri@new.example'),
    });
    const session = new Api(world.app.url, made.body.token as string);
    const own = await enrol(session, password);
    const atTheDoor = (code: string) =>
      anyone().post('/auth/login', { username: 'henri', password, code });
    const guesses = await Promise.all(
      [...Array(12).keys()].map((i) => atTheDoor(String(i).padStart(6, '0'))),
    );
    expect(guesses.filter((each) => each.body.code === 'wrong_code')).toHaveLength(10);
    const late = { status: 429, body: { code: 'too_many_attempts' } };
    expect(await atTheDoor(codeOf(own, 1))).toMatchObject(late);
    // Whoever is inside gives theirs, and others go on.
    expect((await session.post('/auth/second-factor', { code: codeOf(own, 1) })).status).toBe(200);
    expect((await anyone().post('/auth/login', { username: 'grace', password })).status).toBe(200);
  });

  test('a code of the authenticator holds once, and only a fresh one opens what asks for it', async () => {
    const session = (await Api.signIn(world, business().admin)).asSession();
    await world.sql(
      "update session set verified_at = now() - interval '16 minutes'",
      [],
      business().businessId,
    );
    expect(await session.post('/api-keys', { name: 'x', scopes: ['read'] })).toMatchObject({
      status: 403,
      body: { code: 'second_factor_needed' },
    });
    const code = codeOf(secret, 1);
    expect((await session.post('/auth/second-factor', { code })).body.second_factor).toBe('passed');
    expect((await session.post('/api-keys', { name: 'x', scopes: ['read'] })).status).toBe(200);
    expect(await session.post('/auth/second-factor', { code })).toMatchObject({
      status: 422,
      body: { code: 'wrong_code' },
    });
    await world.sql(
      "update session set verified_at = now() - interval '16 minutes'",
      [],
      business().businessId,
    );
    expect((await session.post('/api-keys', { name: 'x', scopes: ['read'] })).body.code).toBe(
      'second_factor_needed',
    );
    await world.sql(
      'update session set verified_at = now() where verified_at is not null',
      [],
      business().businessId,
    );
  });

  test('guessing is stopped for the guesser and for nobody else', async () => {
    const from = async (address: string, username: string, given: string) =>
      anyone().post('/auth/login', { username, password: given }, { 'x-forwarded-for': address });
    const app = await world.anotherApp();
    const other = new Api(app.url);
    for (let i = 0; i < 8; i++)
      expect(
        (await other.post('/auth/login', { username: 'grace', password: `guess number ${i}` }))
          .status,
      ).toBe(401);
    expect(await other.post('/auth/login', { username: 'grace', password })).toMatchObject({
      status: 429,
      body: { code: 'too_many_attempts' },
    });
    // Another server process knows it too; another name from the same address is not touched.
    expect((await from('', 'grace', password)).status).toBe(429);
    expect(
      (
        await anyone().post('/auth/login', {
          username: business().user.username,
          password: business().user.password,
        })
      ).status,
    ).toBe(200);
  });
});

describe('an API key', () => {
  test('does what its scopes say, with its organization named or not, until it is revoked or over', async () => {
    const made = await admin.post('/api-keys', { name: 'shop', scopes: ['read', 'seal'] });
    const api = new Api(world.app.url, made.body.key as string);
    const document = world.zoho
      .documents()
      .find((each) => each.organization_id === business().organizationId && each.canSeal);
    expect(
      (
        await api.seal(
          'invoices',
          document?.id ?? '',
          {},
          { 'x-organization-id': business().organizationId },
        )
      ).body.state,
    ).toBe('signed');
    expect((await api.get('/branches')).status).toBe(200);
    expect(await api.get('/trail')).toMatchObject({ status: 403, body: { code: 'not_allowed' } });
    expect(await api.get('/auth/me')).toMatchObject({ status: 403 });
    expect(
      await api.get('/branches', { 'x-organization-id': world.businesses[1].organizationId }),
    ).toMatchObject({
      status: 403,
      body: { code: 'organization_mismatch' },
    });
    const listed = (await admin.get('/api-keys')).body.api_keys as {
      id: string;
      prefix: string;
      last_used_at: string | null;
    }[];
    const mine = listed.find((each) => each.id === made.body.api_key.id);
    expect(mine?.last_used_at).not.toBeNull();
    expect(JSON.stringify(listed)).not.toContain(String(made.body.key).split('.').at(-1));
    expect((await admin.post(`/api-keys/${mine?.id}/revoke`)).body.revoked_at).not.toBeNull();
    expect((await api.get('/branches')).status).toBe(401);
    expect((await admin.post(`/api-keys/${mine?.id}/revoke`)).status).toBe(409);
    expect(await admin.post('/api-keys', { name: 'x', scopes: ['manage_people'] })).toMatchObject({
      status: 400,
    });
    expect(
      await admin.post('/api-keys', {
        name: 'x',
        scopes: ['read'],
        expires_at: '2020-01-01T00:00:00Z',
      }),
    ).toMatchObject({
      status: 400,
      body: { field: 'expires_at' },
    });
  });
});

describe('a member who is changed or ended by many at once', () => {
  test('is changed and ended once; the others are told that somebody was faster', async () => {
    const token = await invited('often.changed@people.example');
    const given = { account: 'new', token, username: 'often.changed', name: 'Often', password };
    expect((await anyone().post('/auth/invitation/accept', given)).status).toBe(200);
    const member = (
      (await admin.get('/people')).body.people as {
        id: string;
        username: string;
        version: number;
      }[]
    ).find((each) => each.username === 'often.changed');
    const change = () =>
      admin.put(`/people/${member?.id}`, {
        role: 'business_user',
        permissions: ['settle'],
        version: member?.version,
      });
    const changed = await Promise.all(Array.from({ length: 10 }, change));
    expect(changed.filter((each) => each.status === 200)).toHaveLength(1);
    expect(
      new Set(changed.filter((each) => each.status !== 200).map((each) => each.body.code)),
    ).toEqual(new Set(['version_conflict']));
    const ended = await Promise.all(
      Array.from({ length: 10 }, () => admin.post(`/people/${member?.id}/end`)),
    );
    expect(ended.filter((each) => each.status === 200)).toHaveLength(1);
    expect(
      new Set(ended.filter((each) => each.status !== 200).map((each) => each.body.code)),
    ).toEqual(new Set(['wrong_state']));
  });
});

describe('whoever has to go', () => {
  test('ends nothing that they began before: a call whose body comes late is looked at again', async () => {
    const token = await invited('late.body@people.example', 'business_admin');
    const given = { account: 'new', token, username: 'late.body', name: 'Late', password };
    expect((await anyone().post('/auth/invitation/accept', given)).status).toBe(200);
    const own = await Api.signIn(world, { username: 'late.body', password });
    await enrol(own, password);
    const body = JSON.stringify({
      email: 'late@back.example',
      role: 'business_admin',
      permissions: [],
    });
    const begun = request(`${world.app.url}/api/v1/invitations`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${own.token}`,
        'content-type': 'application/json',
        'content-length': String(body.length),
      },
    });
    const answered = new Promise<number>((resolve, reject) =>
      begun.on('response', (reply) => resolve(reply.statusCode ?? 0)).on('error', reject),
    );
    begun.write(body.slice(0, 10));
    // Whoever signs in now is behind the first half of that call.
    for (let i = 0; i < 3; i++) await Api.signIn(world, business().user);
    const member = (
      (await admin.get('/people')).body.people as { id: string; username: string }[]
    ).find((each) => each.username === 'late.body');
    expect((await admin.post(`/people/${member?.id}/end`)).status).toBe(200);
    for (let i = 0; i < 3; i++) await Api.signIn(world, business().user);
    begun.end(body.slice(10));
    expect(await answered).toBe(401);
    expect(
      ((await admin.get('/invitations')).body.invitations as { email: string }[]).map(
        (each) => each.email,
      ),
    ).not.toContain('late@back.example');
  });

  test('leaves no invitation open by which they come in again: ended or no admin any more', async () => {
    for (const [username, out] of [
      ['leaver', (id: string) => admin.post(`/people/${id}/end`)],
      [
        'stepper',
        (id: string, version: number) =>
          admin.put(`/people/${id}`, { role: 'business_user', permissions: [], version }),
      ],
    ] as const) {
      const made = await anyone().post('/auth/invitation/accept', {
        account: 'new',
        token: await invited(`${username}@people.example`, 'business_admin'),
        username,
        name: username,
        password,
      });
      expect(made.status, JSON.stringify(made.body)).toBe(200);
      const own = await Api.signIn(world, { username, password });
      expect(
        (
          await own.post('/invitations', {
            email: `${username}@back.example`,
            role: 'business_admin',
          })
        ).status,
      ).toBe(200);
      const token = linkIn((await mailTo(`${username}@back.example`))?.text ?? '');
      const member = (
        (await admin.get('/people')).body.people as {
          id: string;
          username: string;
          version: number;
        }[]
      ).find((each) => each.username === username);
      expect((await out(member?.id ?? '', member?.version ?? 0)).status).toBe(200);
      expect((await anyone().post('/auth/invitation', { token })).body.code, username).toBe(
        'link_expired',
      );
    }
  });
});

describe('the API keys of somebody who has gone', () => {
  type Key = {
    id: string;
    revoked_at: string | null;
    is_suspended: boolean;
    made_by: { name: string | null; standing: string };
  };
  type Alert = { subject: string; problem: { code: string; title: string } };
  const keys = async () =>
    new Map(((await admin.get('/api-keys')).body.api_keys as Key[]).map((each) => [each.id, each]));
  const alertsOf = async (subject: string) =>
    ((await admin.get('/alerts')).body.alerts as Alert[])
      .filter((each) => each.subject === subject)
      .map((each) => each.problem.code);
  const works = async (key: string) =>
    (await new Api(world.app.url, key).get('/branches')).body.code ?? 'works';
  const actionsOn = async (id: string) =>
    (
      await world.sql(
        'select action from audit where subject = $1 order by id',
        [id],
        business().businessId,
      )
    ).map((each) => each.action);
  const toldAdmins = (words: string) =>
    until(
      () =>
        world.mail
          .mails()
          .findLast((each) => each.subject.includes('API keys of') && each.text.includes(words)),
      (mail) => mail !== undefined,
    );
  /** An admin with two keys of theirs. */
  async function withKeys(username: string) {
    const token = await invited(`${username}@people.example`, 'business_admin');
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
    const own = await Api.signIn(world, { username, password });
    const make = async (name: string) => {
      const { key, api_key } = (await own.post('/api-keys', { name, scopes: ['read'] })).body;
      return { key: key as string, id: api_key.id as string };
    };
    const member = (
      (await admin.get('/people')).body.people as {
        id: string;
        person_id: string;
        username: string;
        version: number;
      }[]
    ).find((each) => each.username === username);
    if (!member) throw new Error('not a member');
    return {
      member,
      till: await make(`${username}’s till`),
      shop: await make(`${username}’s shop`),
    };
  }

  test('end with their membership unless they are named; the admins are mailed which, and one that goes on is shown until it is replaced', async () => {
    const { member, till, shop } = await withKeys('keymaker');
    expect((await keys()).get(shop.id)).toMatchObject({
      made_by: { name: 'keymaker', standing: 'admin' },
      is_suspended: false,
    });
    const end = (keep: string[]) => admin.post(`/people/${member.id}/end`, { keep_api_keys: keep });
    expect((await end(['key_00000000000000000000000000000000'])).body).toMatchObject({
      code: 'malformed',
      field: 'keep_api_keys',
    });
    expect([await works(till.key), await works(shop.key)]).toEqual(['works', 'works']);
    expect((await end([shop.id])).status).toBe(200);
    expect([await works(till.key), await works(shop.key)]).toEqual(['not_signed_in', 'works']);
    const listed = await keys();
    expect(listed.get(till.id)?.revoked_at).not.toBeNull();
    expect(listed.get(shop.id)).toMatchObject({
      revoked_at: null,
      made_by: { name: 'keymaker', standing: 'ended' },
    });
    expect(await alertsOf(shop.id)).toEqual(['key_of_departed']);
    expect(await actionsOn(till.id)).toEqual(['api_key.created', 'api_key.revoked']);
    expect(await actionsOn(shop.id)).toEqual(['api_key.created', 'api_key.kept']);
    const [ended, goesOn] = (await toldAdmins('keymaker'))?.text.split('These go on') ?? [];
    expect([ended, goesOn]).toEqual([
      expect.stringContaining('keymaker’s till'),
      expect.stringContaining('keymaker’s shop'),
    ]);
    expect((await admin.post(`/api-keys/${shop.id}/revoke`)).status).toBe(200);
    expect(await alertsOf(shop.id)).toEqual([]);
  });

  test('end with their role', async () => {
    const { member, till, shop } = await withKeys('stepped.down');
    const to = {
      role: 'business_user',
      permissions: [],
      version: member.version,
      keep_api_keys: [till.id],
    };
    expect((await admin.put(`/people/${member.id}`, to)).status).toBe(200);
    expect([await works(till.key), await works(shop.key)]).toEqual(['works', 'not_signed_in']);
    expect((await keys()).get(till.id)?.made_by.standing).toBe('user');
    expect((await admin.post(`/people/${member.id}/end`)).status).toBe(200);
    expect(await works(till.key)).toBe('not_signed_in');
    expect(await alertsOf(till.id)).toEqual([]);
  });
});

describe('what a business may have so many of', () => {
  test('is counted one after the other, twenty at once or not: addresses for notices, invitations to one address, branches of one number', async () => {
    const list = async (path: string, name: string) =>
      (await admin.get(path)).body[name] as Record<string, unknown>[];
    const cases: {
      path: string;
      body: object;
      there: () => Promise<number>;
      most: number;
      code: string;
    }[] = [
      {
        path: '/subscribers',
        body: { url: 'https://hooks.example/x', events: ['receipt.signed'] },
        there: async () => (await list('/subscribers', 'subscribers')).length,
        most: 10,
        code: 'malformed',
      },
      {
        path: '/invitations',
        body: { email: 'often@new.example', role: 'business_user' },
        there: async () =>
          (await list('/invitations', 'invitations')).filter(
            (each) => each.email === 'often@new.example',
          ).length,
        most: 5,
        code: 'rate_limited',
      },
      {
        path: '/branches',
        body: { branch_code: '77', name: 'Once', address: 'Kigali' },
        there: async () =>
          (await list('/branches', 'branches')).filter((each) => each.branch_code === '77').length,
        most: 1,
        code: 'branch_taken',
      },
    ];
    for (const { path, body, there, most, code } of cases) {
      const before = await there();
      const asked = await Promise.all(Array.from({ length: 20 }, () => admin.post(path, body)));
      const done = asked.filter((each) => each.status === 200);
      expect(
        new Set(asked.filter((each) => each.status !== 200).map((each) => each.body.code)),
        path,
      ).toEqual(new Set([code]));
      expect(done.length + before, path).toBe(most);
      expect(await there(), path).toBe(most);
    }
  });
});

describe('what opens a door to the business', () => {
  const many = (columns: string, values: string) =>
    world.sql(
      `insert into ${columns} select ${values} from generate_series(1, 250) n`,
      [business().businessId],
      business().businessId,
    );

  test('is listed as long as it does, however much was made after it: keys and invitations', async () => {
    const { id } = (await admin.post('/api-keys', { name: 'back door', scopes: ['read'] })).body
      .api_key as { id: string };
    await many(
      'api_key (business_id, id, name, prefix, secret_hash, scopes, created_by, created_at, revoked_at)',
      "$1, 'key_' || n, 'x', 'x', 'x' || n, '{read}', 'x', now() + n * interval '1 second', now()",
    );
    const listed = (await admin.get('/api-keys')).body.api_keys as { id: string }[];
    expect(listed.map((each) => each.id)).toContain(id);
    const invitation = (
      await admin.post('/invitations', { email: 'hidden@new.example', role: 'business_admin' })
    ).body;
    await many(
      'invitation (business_id, id, email, role, permissions, secret_hash, invited_by, created_at, expires_at, withdrawn_at)',
      "$1, 'inv_' || n, 'x@y.example', 'business_user', '{}', 'x' || n, 'x', now() + n * interval '1 second', now() + interval '1 day', now()",
    );
    const shown = (await admin.get('/invitations')).body.invitations as { id: string }[];
    expect(shown.map((each) => each.id)).toContain(invitation.id);
  });

  test('stands there so many times and no more, asked for at once or not: a hundred keys, thirty addresses for webhooks', async () => {
    for (const [path, body, list, most] of [
      ['/api-keys', { name: 'x', scopes: ['read'] }, 'api_keys', 100],
      ['/webhooks', { module: 'invoices' }, 'webhooks', 30],
    ] as const) {
      const asked = await Promise.all(
        Array.from({ length: most + 5 }, () => admin.post(path, body)),
      );
      expect(
        asked.filter((each) => each.status !== 200).every((each) => each.body.code === 'malformed'),
        path,
      ).toBe(true);
      const found = (await admin.get(path)).body[list] as {
        revoked_at?: string | null;
        id: string;
      }[];
      expect(
        found.filter((each) => !each.revoked_at),
        path,
      ).toHaveLength(most);
      const undo = path === '/api-keys' ? 'revoke' : 'remove';
      await admin.post(`${path}/${found.find((each) => !each.revoked_at)?.id}/${undo}`);
      expect((await admin.post(path, body)).status, 'there is room again').toBe(200);
    }
  });
});

describe('the trail', () => {
  test('is chained within seconds, verified from outside, and a changed, moved or missing entry breaks it', async () => {
    await world.app.settle();
    const whole = (await admin.get('/trail/verify?whole=true')).body;
    expect(whole).toMatchObject({ broken_at: null, unsealed: [] });
    expect(whole.sealed).toBeGreaterThan(10);
    const postgres = await import('pg');
    const client = new postgres.default.Client({
      connectionString: world.postgres.urlFor(
        'admin',
        new URL(world.databaseUrls.owner).pathname.slice(1),
      ),
    });
    await client.connect();
    const tries = [
      ["update audit set after = '{}' where business_id = $1 and position = 3", '3'],
      ['delete from audit where business_id = $1 and position = 5', '5'],
      [
        'delete from audit where business_id = $1 and position = (select max(position) from audit where business_id = $1)',
        String(whole.sealed),
      ],
    ] as const;
    for (const [statement, brokenAt] of tries) {
      await client.query('create temp table kept as select * from audit where business_id = $1', [
        business().businessId,
      ]);
      await client.query(statement, [business().businessId]);
      expect((await admin.get('/trail/verify?whole=true')).body.broken_at).toBe(brokenAt);
      await client.query('delete from audit where business_id = $1', [business().businessId]);
      await client.query('insert into audit select * from kept');
      await client.query('drop table kept');
    }
    expect((await admin.get('/trail/verify?whole=true')).body.broken_at).toBeNull();
    await client.end();
  });

  test('is searched, paged and exported without a cell that a spreadsheet would run', async () => {
    const first = (await admin.get('/trail?limit=2&action=invitation')).body;
    expect(first.trail).toHaveLength(2);
    const next = (await admin.get(`/trail?limit=2&action=invitation&cursor=${first.next_cursor}`))
      .body;
    expect(next.trail[0].id).not.toBe(first.trail[1].id);
    // By the beginning of what was done, seldom or all the time, each entry once on its pages, as
    // the whole trail has them.
    type Entry = { id: string; action: string };
    const pagesOf = async (query: string, limit: number) => {
      const found: Entry[] = [];
      for (let cursor = ''; ; ) {
        const { body } = await admin.get(
          `/trail?limit=${limit}${query}${cursor && `&cursor=${cursor}`}`,
        );
        found.push(...(body.trail as Entry[]));
        if (!body.next_cursor) return found;
        cursor = body.next_cursor as string;
      }
    };
    const whole = await pagesOf('', 200);
    expect(whole.some((each) => each.action === 'receipt.signed')).toBe(true);
    for (const beginning of [
      'receipt',
      'receipt.s',
      'receipt.opened',
      'invitation',
      'i',
      'nothing',
      '%25',
      'receipt_',
    ]) {
      const expected = whole
        .filter((each) => each.action.startsWith(decodeURIComponent(beginning)))
        .map((each) => each.id);
      expect(
        (await pagesOf(`&action=${beginning}`, 7)).map((each) => each.id),
        beginning,
      ).toEqual(expected);
    }
    await admin.put('/auth/profile', { name: '=cmd()', email: 'admin@inzozi.example' });
    await admin.post('/invitations', { email: 'x@formula.example', role: 'business_user' });
    const csv = (await admin.file('/trail.csv')).bytes.toString('utf8');
    expect(csv.split('\n')[0]).toContain('"position","at","actor_type","actor","action"');
    expect(csv).not.toMatch(/(^|,)"?[=+@-][a-z]/m);
    expect(await admin.get('/trail?cursor=nonsense')).toMatchObject({
      status: 400,
      body: { field: 'cursor' },
    });
  });
});

describe('the operator', () => {
  test('is made once by the console’s link, needs an authenticator, and sees documents only during a support access the business can read', async () => {
    const operator = await operatorOf(world);
    expect(await world.app.firstOperatorLink()).toBeNull();
    expect((await operator.get('/auth/me')).body).toMatchObject({
      business: null,
      is_operator: true,
    });
    for (const path of [
      '/branches',
      '/receipts?module=invoices&document_id=1',
      '/mappings/tax',
      '/people',
    ])
      expect((await operator.get(path)).status, path).toBe(403);
    const path = `/businesses/${business().businessId}`;
    expect(await operator.get(`${path}/receipts`)).toMatchObject({
      status: 403,
      body: { code: 'support_access_needed' },
    });
    await operator.post(`${path}/support-access`, {
      reason: 'ticket 12: a receipt does not print',
      minutes: 30,
    });
    expect((await operator.get(`${path}/receipts`)).body.receipts.length).toBeGreaterThan(0);
    // It lets in whoever begun it, and no other operator.
    const handTo = (id: string) =>
      world.sql(
        'update support_access set operator_id = $1 where ended_at is null',
        [id],
        business().businessId,
      );
    await handTo('per_another');
    expect(await operator.get(`${path}/receipts`)).toMatchObject({
      status: 403,
      body: { code: 'support_access_needed' },
    });
    await handTo((await operator.get('/auth/me')).body.person.id as string);
    expect((await admin.get('/support-access')).body.support_access[0]).toMatchObject({
      reason: 'ticket 12: a receipt does not print',
      ended_at: null,
    });
    // What stands in its trail is seen as little in silence as its receipts.
    const inTrail = (await operator.get(`${path}/trail?action=receipt`)).body.trail as {
      after: unknown;
    }[];
    expect(inTrail.some((each) => each.after !== null)).toBe(true);
    await operator.post(`${path}/support-access/end`);
    expect((await operator.get(`${path}/receipts`)).status).toBe(403);
    await world.app.settle();
    const actions = (
      (await admin.get('/trail?action=support_access')).body.trail as {
        action: string;
        actor_type: string;
      }[]
    ).map((each) => `${each.actor_type} ${each.action}`);
    const used = ['operator support_access.used', 'operator support_access.used'];
    expect(actions).toEqual([
      'operator support_access.ended',
      ...used,
      'operator support_access.begun',
    ]);
    // Begun eight times at once it is one, shown as long as it is open, and ended it is over.
    await Promise.all(
      Array.from({ length: 8 }, () =>
        operator.post(`${path}/support-access`, { reason: 'at once', minutes: 30 }),
      ),
    );
    await world.sql(
      `insert into support_access (business_id, id, operator_id, operator_name, reason, begun_at, until, ended_at)
       select $1, 'sup_' || n, 'x', 'x', 'x', now() + n * interval '1 second', now() + interval '1 hour', now() from generate_series(1, 150) n`,
      [business().businessId],
      business().businessId,
    );
    const shown = (await admin.get('/support-access')).body.support_access as {
      reason: string;
      ended_at: string | null;
    }[];
    expect(
      shown.filter((each) => each.reason === 'at once' && each.ended_at === null),
    ).toHaveLength(1);
    await operator.post(`${path}/support-access/end`);
    expect((await operator.get(`${path}/receipts`)).status).toBe(403);
    const seen = (await operator.get(`${path}/trail?action=receipt`)).body.trail as {
      action: string;
      after: unknown;
    }[];
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.every((each) => each.after === null)).toBe(true);
    expect((await operator.get('/platform/totals')).body).toMatchObject({
      businesses: { active: 2 },
    });
  });
});
