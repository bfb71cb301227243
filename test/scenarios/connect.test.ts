import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Api, codeFor, enrol, until } from '../api.ts';
import { startWorld, type World } from '../world.ts';

let world: World;
let admin: Api;
beforeAll(async () => {
  world = await startWorld({ withEveryDataCentre: true });
  admin = await Api.signIn(world, world.businesses[0].admin);
});
afterAll(() => world?.[Symbol.asyncDispose]());

const [owner, first, staff, european] = ['3', '1', '4', '5'];

/**
 * Presses Connect, approves at Zoho as that user, and gives back what the browser comes back with.
 */
async function consent(
  api: Api,
  userId: string | undefined,
  ask: object = {},
): Promise<Record<string, string>> {
  const begun = await api.post('/oauth/connect', ask);
  expect(begun.status, JSON.stringify(begun.body)).toBe(200);
  return Object.fromEntries(
    new URL(world.zoho.accept(begun.body.consent_url as string, userId ?? '')).searchParams,
  );
}
const connectionOf = async (index: 0 | 1) => {
  const { businessId } = world.businesses[index];
  return (
    await world.sql(
      "select id, grant_id, organization_id, status from connection where status <> 'ended'",
      [],
      businessId,
    )
  )[0];
};

describe('a consent at Zoho', () => {
  test('asks for the least, goes to the exact address, offline, with a state and a PKCE challenge', async () => {
    const begun = await admin.post('/oauth/connect', { abilities: ['read'] });
    const url = new URL(begun.body.consent_url as string);
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      response_type: 'code',
      access_type: 'offline',
      prompt: 'consent',
      redirect_uri: `${world.app.url}/api/v1/oauth/callback`,
      scope:
        'ZohoBooks.invoices.READ,ZohoBooks.creditnotes.READ,ZohoBooks.contacts.READ,ZohoBooks.settings.READ',
      code_challenge_method: 'S256',
    });
    expect(url.searchParams.get('code_challenge')).toMatch(/^[\w-]{43}$/);
    expect(url.searchParams.get('state')).toContain(world.businesses[0].businessId);
  });

  test('shows every organization the grant sees and this person’s businesses, binds one, and takes over from the old grant, which is revoked', async () => {
    const before = await connectionOf(0);
    const old = world.zoho.grants()[0]?.refreshToken;
    const back = await consent(admin, owner);
    const seen = await admin.post('/oauth/callback', back);
    expect(seen.status, JSON.stringify(seen.body)).toBe(200);
    expect(seen.body.organizations).toMatchObject([
      { organization_id: world.businesses[0].organizationId },
      { organization_id: world.businesses[1].organizationId },
    ]);
    expect(seen.body.businesses.map((each: { business_id: string }) => each.business_id)).toEqual([
      world.businesses[0].businessId,
    ]);
    const after = await connectionOf(0);
    expect(after).toMatchObject({
      organization_id: world.businesses[0].organizationId,
      status: 'active',
    });
    expect(after?.grant_id).not.toBe(before?.grant_id);
    expect(world.zoho.grantsAlive().map((each) => each.refreshToken)).not.toContain(old);
    // The other organization is seen, but another business holds it: the one answer whoever it is.
    const taken = await admin.post(`/oauth/consents/${seen.body.id}/connections`, {
      organization_id: world.businesses[1].organizationId,
      business_id: world.businesses[0].businessId,
    });
    expect([taken.status, taken.body.code]).toEqual([409, 'business_taken']);
    const status = await admin.get(`/oauth/status/${after?.id}`);
    expect(status.body).toMatchObject({
      status: 'active',
      is_own_consent: true,
      consent_id: seen.body.id,
      has_own_client: false,
    });
    const me = (await admin.get('/auth/me')).body.person as { id: string; name: string };
    expect(status.body.made_by).toEqual({ id: me.id, name: me.name, standing: 'admin' });
    expect(JSON.stringify(status.body)).not.toContain('1000.');
    const ended = await admin.get(`/oauth/status/${before?.id}`);
    expect(ended.body).toMatchObject({ status: 'ended', scopes: [], made_by: null });
    const document = world.zoho
      .documents()
      .find((each) => each.organization_id === world.businesses[0].organizationId && each.canSeal);
    expect((await admin.seal('invoices', document?.id ?? '')).status).toBe(200);
  });

  test('of somebody who is no admin of the organization at Zoho binds nothing', async () => {
    const seen = await admin.post('/oauth/callback', await consent(admin, staff));
    const refused = await admin.post(`/oauth/consents/${seen.body.id}/connections`, {
      organization_id: world.businesses[0].organizationId,
      business_id: world.businesses[0].businessId,
    });
    expect([refused.status, refused.body.code]).toEqual([422, 'organization_not_admin']);
  });

  test('may come from another data centre: code and every later refresh go there', async () => {
    const back = await consent(admin, european);
    expect(back['accounts-server']).toContain('localhost');
    expect((await admin.post('/oauth/callback', back)).status).toBe(200);
    const connection = await connectionOf(0);
    const status = await admin.get(`/oauth/status/${connection?.id}`);
    expect(status.body.api_domain).toContain('localhost');
    const { body } = await admin.get('/businesses/me/zoho-config');
    expect(body.organization_id).toBe(world.businesses[0].organizationId);
  });

  test('may come from any of Zoho’s nine data centres: the code is exchanged and the API asked there, and nowhere else', async () => {
    const far = world.zoho.users().filter((each) => each.name.startsWith('Admin in '));
    expect(far.map((each) => each.location)).toEqual(['in', 'au', 'jp', 'ca', 'cn', 'sa', 'uk']);
    for (const user of far) {
      const back = await consent(admin, user.user_id);
      expect(back.location).toBe(user.location);
      // A code of one data centre is nothing in another: Zoho says so, and we do not look for it
      // elsewhere.
      const { 'accounts-server': server, ...astray } = await consent(admin, user.user_id, {
        data_centre: world.zoho.url,
      });
      expect((await admin.post('/oauth/callback', astray)).body.code).toBe('zoho_code_refused');
      const seen = await admin.post('/oauth/callback', back);
      expect(seen.status, `${user.location} ${JSON.stringify(seen.body)}`).toBe(200);
      const status = await admin.get(`/oauth/status/${(await connectionOf(0))?.id}`);
      expect(status.body.api_domain).toBe(server);
      expect((await admin.get('/zoho/installation')).status).toBe(200);
    }
  });

  test('with a client of the business’s own works alike, and is shown as such', async () => {
    const own = world.zoho.grants()[0];
    world.zoho.allowRedirect(own?.clientId ?? '', `${world.app.url}/api/v1/oauth/callback`);
    const back = await consent(admin, first, {
      client_id: own?.clientId,
      client_secret: own?.clientSecret,
    });
    expect((await admin.post('/oauth/callback', back)).status).toBe(200);
    expect(
      (await admin.get(`/oauth/status/${(await connectionOf(0))?.id}`)).body.has_own_client,
    ).toBe(true);
  });

  test('keeps what was allowed before when more is asked for, and asks for no more than it holds otherwise', async () => {
    await admin.post(
      '/oauth/callback',
      await consent(admin, owner, { abilities: ['read', 'write_back'] }),
    );
    const more = await admin.post('/oauth/connect', { abilities: ['install'] });
    expect(more.body.scopes).toEqual(
      expect.arrayContaining([
        'ZohoBooks.invoices.UPDATE',
        'ZohoBooks.settings.CREATE',
        'ZohoBooks.invoices.READ',
      ]),
    );
  });
});

describe('what comes back', () => {
  test('with a wrong, reused, foreign or another session’s state, or none, is refused alike', async () => {
    const back = await consent(admin, owner);
    const stranger = await Api.signIn(world, world.businesses[1].admin);
    const elsewhere = await Api.signIn(world, world.businesses[0].admin);
    const over = async (api: Api, body: object) =>
      (await api.post('/oauth/callback', body)).body.code;
    expect(await over(stranger, back)).toBe('consent_expired');
    expect(await over(elsewhere, back)).toBe('consent_expired');
    expect(await over(admin, { ...back, state: `${back.state}x` })).toBe('consent_expired');
    expect(await over(admin, { ...back, state: 'nonsense' })).toBe('consent_expired');
    expect(await over(admin, { code: back.code })).toBe('malformed');
    expect((await admin.post('/oauth/callback', back)).status).toBe(200);
    expect(await over(admin, back)).toBe('consent_expired');
  });

  test('from a server that is not Zoho’s is not followed, a refusal changes nothing, a used code is told as such', async () => {
    const before = await connectionOf(0);
    const evil = await consent(admin, owner);
    expect(
      (
        await admin.post('/oauth/callback', {
          ...evil,
          'accounts-server': 'https://accounts.zoho.com.evil.example',
        })
      ).body.code,
    ).toBe('consent_elsewhere');
    const refused = await consent(admin, 'nobody');
    expect(refused.error).toBe('access_denied');
    expect((await admin.post('/oauth/callback', refused)).body.code).toBe('consent_refused');
    const other = await consent(admin, owner);
    expect(
      (await admin.post('/oauth/callback', { ...other, code: evil.code?.replace(/.$/, 'x') })).body,
    ).toMatchObject({
      code: 'zoho_code_refused',
      field: 'code',
    });
    expect(await connectionOf(0)).toEqual(before);
  });
});

describe('one grant for two businesses', () => {
  test('serves both; disconnecting one never touches the other, and the last one takes the grant along at Zoho', async () => {
    // One person administers both.
    const stranger = await Api.signIn(world, world.businesses[1].admin);
    await enrol(stranger, world.businesses[1].admin.password);
    expect(
      (await stranger.post('/invitations', { email: 'both@x.example', role: 'business_admin' }))
        .status,
    ).toBe(200);
    const mail = await until(
      () => world.mail.mails().find((each) => each.to.includes('both@x.example')),
      (found) => found !== undefined,
    );
    const token = /accept\/(\S+)/.exec(mail?.text ?? '')?.[1] ?? '';
    const accepted = await new Api(world.app.url).post('/auth/invitation/accept', {
      account: 'existing',
      token,
      username: world.businesses[0].admin.username,
      password: world.businesses[0].admin.password,
      code: await codeFor(world, world.businesses[0].admin),
    });
    expect(accepted.status, JSON.stringify(accepted.body)).toBe(200);
    const seen = await admin.post('/oauth/callback', await consent(admin, owner));
    const bound = await admin.post(`/oauth/consents/${seen.body.id}/connections`, {
      organization_id: world.businesses[1].organizationId,
      business_id: world.businesses[1].businessId,
    });
    expect(bound.status, JSON.stringify(bound.body)).toBe(200);
    const [mine, theirs] = [await connectionOf(0), await connectionOf(1)];
    expect(mine?.grant_id).toBe(theirs?.grant_id);
    const grant = world.zoho.grantsAlive().at(-1)?.refreshToken;
    expect((await admin.post(`/oauth/disconnect/${mine?.id}`)).body.status).toBe('ended');
    expect((await admin.post(`/oauth/disconnect/${mine?.id}`)).status).toBe(409);
    expect(await connectionOf(1)).toMatchObject({ status: 'active' });
    expect(world.zoho.grantsAlive().map((each) => each.refreshToken)).toContain(grant);
    const other = await Api.signIn(world, world.businesses[1].admin);
    const document = world.zoho
      .documents()
      .find((each) => each.organization_id === world.businesses[1].organizationId && each.canSeal);
    expect((await other.seal('invoices', document?.id ?? '')).status).toBe(200);
    expect((await other.post(`/oauth/disconnect/${theirs?.id}`)).body.status).toBe('ended');
    expect(
      (await other.post('/zoho/poll')).body,
      'a look asked for says that there was nothing to look at',
    ).toMatchObject({
      changed: 0,
      modules: ['invoices', 'creditnotes'].map((module) => ({
        module,
        outcome: 'not_connected',
        problem: { code: 'books_not_connected' },
      })),
    });
    expect(world.zoho.grantsAlive().map((each) => each.refreshToken)).not.toContain(grant);
    expect((await other.seal('invoices', document?.id ?? '')).status, 'what was sealed stays').toBe(
      200,
    );
  });
});
