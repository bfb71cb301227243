import { createHash, randomBytes } from 'node:crypto';
import { type Answered, type Asked, jsonAnswer } from '../kit/server.ts';

/** Zoho's nine data centres. */
export const locations = ['us', 'eu', 'in', 'au', 'jp', 'ca', 'cn', 'sa', 'uk'] as const;
export type Location = (typeof locations)[number];

export type User = {
  user_id: string;
  name: string;
  email: string;
  /** The data centre the account lives in, as Zoho's callbacks name it. */
  location: Location;
  organizations: Record<
    string,
    { role: string; status: 'active' | 'inactive' | 'invited' | 'deleted' }
  >;
};
export type Client = { client_id: string; client_secret: string; redirects: string[] };
type Grant = {
  refreshToken: string;
  userId: string;
  clientId: string;
  scopes: string[];
  dead: boolean;
  madeAt: number;
};
type Code = {
  code: string;
  userId: string;
  clientId: string;
  redirect: string | null;
  scopes: string[];
  isOffline: boolean;
  challenge: string | null;
  until: number;
};
type Token = {
  token: string;
  refreshToken: string | null;
  userId: string;
  scopes: string[];
  until: number;
};

export type AccountsState = {
  users: User[];
  clients: Client[];
  grants: Grant[];
  codes: Code[];
  tokens: Token[];
  refreshTimes: Record<string, number[]>;
  codeTimes: Record<string, number[]>;
  /**
   * Refreshes asked for and answered, by refresh token: what a single-flight promise is judged by.
   */
  refreshes: Record<string, number>;
};

const windowMs = 10 * 60_000;
const recent = (times: number[] | undefined) =>
  (times ?? []).filter((at) => Date.now() - at < windowMs);
const secret = (bytes = 20) => `1000.${randomBytes(bytes).toString('hex')}`;
const usualScopes = ['ZohoBooks.fullaccess.all'];

/**
 * Zoho's accounts server: consent, codes, tokens, revocation. Errors come with 200, as the real
 * one's do. Every data centre is in one process, told apart by the name it was called by.
 */
export function accountsServer(
  state: { value: AccountsState; save(): void },
  hostOf: (location: Location) => string,
) {
  const locationOf = (asked: Asked): Location =>
    locations.find((each) => hostOf(each) === `http://${String(asked.headers.host)}`) ?? 'us';
  const s = () => state.value;
  const userOf = (id: string) => s().users.find((each) => each.user_id === id) as User;

  function handle(asked: Asked): Answered | null {
    if (asked.path === '/oauth/v2/auth')
      return asked.query.has('as') ? decide(asked) : consentPage(asked);
    if (asked.path === '/oauth/v2/token') return token(asked);
    if (asked.path === '/oauth/v2/token/revoke') return revoke(asked);
    if (asked.path === '/oauth/user/info') return userInfo(asked);
    return null;
  }

  function page(title: string, body: string, status = 200): Answered {
    const style =
      'body{font:15px/1.5 system-ui,sans-serif;max-width:560px;margin:3rem auto;padding:0 1rem}button,a.b{display:block;margin:.5rem 0;padding:.6rem 1rem}li{overflow-wrap:anywhere}';
    return {
      status,
      type: 'text/html; charset=utf-8',
      body: `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title} (simulated)</title><style>${style}</style><h1>${title}</h1>${body}</html>`,
    };
  }

  const clientOf = (asked: Asked) =>
    s().clients.find((each) => each.client_id === asked.query.get('client_id'));

  function consentPage(asked: Asked): Answered {
    const client = clientOf(asked);
    const redirect = asked.query.get('redirect_uri') ?? '';
    if (!client) return page('Zoho Accounts', '<p>Invalid Client ID</p>', 400);
    if (!client.redirects.includes(redirect))
      return page(
        'Zoho Accounts',
        '<p>Invalid Redirect Uri: the one given does not match the one configured</p>',
        400,
      );
    const scopes = (asked.query.get('scope') ?? '').split(/[ ,]+/).filter(Boolean);
    const choose = (as: string, label: string) => {
      const query = new URLSearchParams(asked.query);
      query.set('as', as);
      return `<a class="b" href="/oauth/v2/auth?${query.toString().replaceAll('&', '&amp;')}">${label}</a>`;
    };
    const users = s().users.map((each) =>
      choose(each.user_id, `Accept as ${each.name} (${each.email})`),
    );
    return page(
      'Muhuri would like to access',
      `<ul>${scopes.map((each) => `<li>${each}</li>`).join('')}</ul>${users.join('')}${choose('nobody', 'Reject')}`,
    );
  }

  /** Where the browser is sent after the person has decided. */
  function decide(asked: Asked): Answered {
    const client = clientOf(asked);
    const redirect = asked.query.get('redirect_uri') ?? '';
    if (!client?.redirects.includes(redirect))
      return page('Zoho Accounts', '<p>Invalid Redirect Uri</p>', 400);
    const back = new URL(redirect);
    const given = asked.query.get('state');
    if (given !== null) back.searchParams.set('state', given);
    const as = asked.query.get('as') ?? '';
    if (as === 'nobody') back.searchParams.set('error', 'access_denied');
    else {
      const user = userOf(as);
      const scopes = (asked.query.get('scope') ?? '').split(/[ ,]+/).filter(Boolean);
      const code = makeCode(
        user.user_id,
        client.client_id,
        {
          redirect,
          scopes,
          isOffline: asked.query.get('access_type') === 'offline',
          challenge: asked.query.get('code_challenge'),
        },
        120_000,
      );
      back.searchParams.set('code', code);
      back.searchParams.set('location', user.location);
      back.searchParams.set('accounts-server', hostOf(user.location));
    }
    return { status: 302, type: 'text/plain', body: '', headers: { location: back.toString() } };
  }

  function makeCode(
    userId: string,
    clientId: string,
    is: Pick<Code, 'redirect' | 'scopes' | 'isOffline' | 'challenge'>,
    ms: number,
  ): string {
    const code = secret();
    s().codes = [
      ...s().codes.filter((each) => each.until > Date.now()),
      { code, userId, clientId, ...is, until: Date.now() + ms },
    ];
    state.save();
    return code;
  }

  function token(asked: Asked): Answered {
    if (String(asked.headers['content-type']).includes('json'))
      return jsonAnswer(200, { error: 'invalid_client' });
    const given = new URLSearchParams(asked.body || asked.query);
    const client = s().clients.find((each) => each.client_id === given.get('client_id'));
    if (!client) return jsonAnswer(200, { error: 'invalid_client' });
    if (client.client_secret !== given.get('client_secret'))
      return jsonAnswer(200, { error: 'invalid_client_secret' });
    return given.get('grant_type') === 'authorization_code'
      ? exchange(asked, given, client)
      : refresh(asked, given, client);
  }

  function exchange(asked: Asked, given: URLSearchParams, client: Client): Answered {
    const found = s().codes.find(
      (each) =>
        each.code === given.get('code') &&
        each.until > Date.now() &&
        each.clientId === client.client_id,
    );
    if (!found || userOf(found.userId).location !== locationOf(asked))
      return jsonAnswer(200, { error: 'invalid_code' });
    if (found.redirect !== null && found.redirect !== given.get('redirect_uri'))
      return jsonAnswer(200, { error: 'invalid_redirect_uri' });
    s().codes = s().codes.filter((each) => each !== found);
    const verifier = given.get('code_verifier') ?? '';
    if (
      found.challenge &&
      createHash('sha256').update(verifier).digest('base64url') !== found.challenge
    )
      return jsonAnswer(200, { error: 'invalid_code' });
    if (!found.isOffline) return tokens(found.userId, null, found.scopes, {});
    const grant: Grant = {
      refreshToken: secret(),
      userId: found.userId,
      clientId: client.client_id,
      scopes: found.scopes,
      dead: false,
      madeAt: Date.now(),
    };
    const alive = s().grants.filter(
      (each) => each.userId === grant.userId && each.clientId === grant.clientId && !each.dead,
    );
    // The twenty-first evicts the oldest without a word.
    for (const oldest of alive.slice(0, Math.max(0, alive.length - 19))) oldest.dead = true;
    s().grants.push(grant);
    return tokens(found.userId, grant.refreshToken, found.scopes, {
      refresh_token: grant.refreshToken,
    });
  }

  function refresh(asked: Asked, given: URLSearchParams, client: Client): Answered {
    const refreshToken = given.get('refresh_token') ?? '';
    const grant = s().grants.find(
      (each) =>
        each.refreshToken === refreshToken && each.clientId === client.client_id && !each.dead,
    );
    if (!grant || userOf(grant.userId).location !== locationOf(asked))
      return jsonAnswer(200, { error: 'invalid_code' });
    const times = recent(s().refreshTimes[refreshToken]);
    if (times.length >= 10)
      return jsonAnswer(400, {
        error: 'Access Denied',
        error_description:
          'You have made too many requests continuously. Please try again after some time.',
        status: 'failure',
      });
    s().refreshTimes[refreshToken] = [...times, Date.now()];
    s().refreshes[refreshToken] = (s().refreshes[refreshToken] ?? 0) + 1;
    return tokens(grant.userId, refreshToken, grant.scopes, {});
  }

  function tokens(
    userId: string,
    refreshToken: string | null,
    scopes: string[],
    more: object,
  ): Answered {
    const made = { token: secret(16), refreshToken, userId, scopes, until: Date.now() + 3_600_000 };
    const others = s().tokens.filter((each) => each.until > Date.now());
    const own = others.filter(
      (each) => each.refreshToken === refreshToken && refreshToken !== null,
    );
    const evicted = new Set(own.slice(0, Math.max(0, own.length - 14)));
    s().tokens = [...others.filter((each) => !evicted.has(each)), made];
    state.save();
    return jsonAnswer(200, {
      access_token: made.token,
      ...more,
      scope: scopes.join(' '),
      api_domain: hostOf(userOf(userId).location),
      token_type: 'Bearer',
      expires_in: 3600,
    });
  }

  function revoke(asked: Asked): Answered {
    const refreshToken =
      new URLSearchParams(asked.body || asked.query).get('token') ?? asked.query.get('token');
    const grant = s().grants.find((each) => each.refreshToken === refreshToken && !each.dead);
    if (!grant) return jsonAnswer(400, { error: 'invalid_code' });
    grant.dead = true;
    state.save();
    return jsonAnswer(200, { status: 'success' });
  }

  /** Who a token is, by the profile scope. */
  function userInfo(asked: Asked): Answered {
    const owner = ownerOf(asked);
    if (!owner) return jsonAnswer(401, { code: 'INVALID_TOKEN' });
    return jsonAnswer(200, {
      ZUID: owner.user.user_id,
      Email: owner.user.email,
      Display_Name: owner.user.name,
    });
  }

  function ownerOf(asked: Asked): { user: User; scopes: string[] } | null {
    const bearer = /^(?:Zoho-oauthtoken|Bearer) (.+)$/.exec(
      String(asked.headers.authorization ?? ''),
    )?.[1];
    const token = s().tokens.find((each) => each.token === bearer && each.until > Date.now());
    if (
      !token ||
      (token.refreshToken &&
        s().grants.find((each) => each.refreshToken === token.refreshToken)?.dead !== false)
    )
      return null;
    const user = userOf(token.userId);
    return user.location === locationOf(asked) ? { user, scopes: token.scopes } : null;
  }

  return {
    handle,
    ownerOf,
    hostOf,
    /** The API console's self client: three minutes, once, no redirect. */
    selfClientCode: (userId: string, clientId: string) =>
      makeCode(
        userId,
        clientId,
        { redirect: null, scopes: usualScopes, isOffline: true, challenge: null },
        180_000,
      ),
    /** As if the person had accepted in the browser: the address they are sent back to. */
    accept(authorizeUrl: string, userId: string): string {
      const url = new URL(authorizeUrl);
      url.searchParams.set('as', userId);
      return (
        decide({ query: url.searchParams, headers: { host: url.host } } as unknown as Asked).headers
          ?.location ?? ''
      );
    },
    kill(refreshToken: string) {
      for (const grant of s().grants) if (grant.refreshToken === refreshToken) grant.dead = true;
      state.save();
    },
  };
}

/**
 * Whether a token may do this: a full-access one everything, else `ZohoBooks.<module>.<verb>` or
 * `.ALL`.
 */
export function mayCall(scopes: string[], method: string, path: string): boolean {
  if (scopes.includes('ZohoBooks.fullaccess.all')) return true;
  const verb =
    method === 'GET'
      ? 'READ'
      : method === 'POST'
        ? 'CREATE'
        : method === 'PUT'
          ? 'UPDATE'
          : 'DELETE';
  const module = /^\/invoices?\b/.test(path)
    ? 'invoices'
    : /^\/creditnotes?\b/.test(path)
      ? 'creditnotes'
      : path.startsWith('/contacts')
        ? 'contacts'
        : 'settings';
  return scopes.some(
    (each) => each === `ZohoBooks.${module}.${verb}` || each === `ZohoBooks.${module}.ALL`,
  );
}
