import { TOTP, Secret } from 'otpauth';
import pg from 'pg';
import type { DemoAccount, World } from './world.ts';

export type Reply = { status: number; body: Record<string, any>; headers: Headers };

type Person = { databaseUrl: string; username: string; password: string; now(): Date };
/** The authenticators of people in tests, by database and name. */
const authenticators = new Map<string, string>();
const keyOf = (person: Person) => `${person.databaseUrl} ${person.username}`;

/** A statement at the platform's door, where people and what they hold stand. */
export async function asPlatform(
  databaseUrl: string,
  text: string,
  parameters: unknown[] = [],
): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query('begin');
    await client.query("select set_config('role', 'muhuri_platform', true)");
    const { rows } = await client.query(text, parameters);
    await client.query('commit');
    return rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}

/**
 * A code of that person's authenticator that holds now. A test is faster than an authenticator: the
 * one it shows may be used again.
 */
async function nextCode(person: Person): Promise<string | null> {
  const secret = authenticators.get(keyOf(person));
  if (!secret) return null;
  await asPlatform(
    person.databaseUrl,
    'update reference.person set totp_last_step = null where username = lower($1)',
    [person.username],
  );
  return codeOf(secret, 0, person.now());
}

const turns = new Map<string, Promise<unknown>>();
/** One code at a time: two that are given at once would be the same one. */
function withCode(person: Person, give: (code: string | null) => Promise<Reply>): Promise<Reply> {
  const mine = (turns.get(keyOf(person)) ?? Promise.resolve()).then(async () =>
    give(await nextCode(person)),
  );
  turns.set(
    keyOf(person),
    mine.catch(() => {}),
  );
  return mine;
}

/**
 * A code that this account's authenticator shows now, and that was not used yet as far as the
 * server knows.
 */
export const codeFor = async (
  world: Pick<World, 'databaseUrls' | 'now'>,
  { username, password }: Pick<DemoAccount, 'username' | 'password'>,
) =>
  (await nextCode({ databaseUrl: world.databaseUrls.app, username, password, now: world.now })) ??
  '';

/**
 * A caller of the API, signed in or not. One that was signed in by `signIn` gives the second factor
 * where it is asked for, as a person at the screen does, and sets an authenticator up the first
 * time; `asSession` is the same session without the person.
 */
export class Api {
  readonly url: string;
  token: string;
  person: Person | null = null;
  constructor(url: string, token = '') {
    this.url = url;
    this.token = token;
  }
  static async signIn(
    world: Pick<World, 'app' | 'databaseUrls' | 'now'>,
    account: Pick<DemoAccount, 'username' | 'password'>,
    url = world.app.url,
  ): Promise<Api> {
    const person = {
      databaseUrl: world.databaseUrls.app,
      username: account.username,
      password: account.password,
      now: world.now,
    };
    const signIn = (more: object) =>
      new Api(url).post('/auth/login', {
        username: account.username,
        password: account.password,
        ...more,
      });
    let reply = await signIn({});
    if (reply.body.code === 'code_needed')
      reply = await withCode(person, (code) => signIn({ code }));
    if (reply.status !== 200) throw new Error(`sign-in: ${JSON.stringify(reply.body)}`);
    return Object.assign(new Api(url, reply.body.token as string), { person });
  }
  asSession(): Api {
    return new Api(this.url, this.token);
  }
  get(path: string, headers: Record<string, string> = {}): Promise<Reply> {
    return this.call('GET', path, undefined, headers);
  }
  post(path: string, body: unknown = {}, headers: Record<string, string> = {}): Promise<Reply> {
    return this.call('POST', path, JSON.stringify(body), {
      'content-type': 'application/json',
      ...headers,
    });
  }
  put(path: string, body: unknown): Promise<Reply> {
    return this.call('PUT', path, JSON.stringify(body), { 'content-type': 'application/json' });
  }
  async file(path: string): Promise<{ status: number; bytes: Buffer; type: string }> {
    const answer = await fetch(`${this.url}/api/v1${path}`, {
      headers: this.token ? { authorization: `Bearer ${this.token}` } : {},
    });
    return {
      status: answer.status,
      bytes: Buffer.from(await answer.arrayBuffer()),
      type: answer.headers.get('content-type') ?? '',
    };
  }
  async call(
    method: string,
    path: string,
    body?: string,
    headers: Record<string, string> = {},
  ): Promise<Reply> {
    const reply = await this.#send(method, path, body, headers);
    const isAsked =
      reply.status === 403 &&
      ['second_factor_setup', 'second_factor_needed'].includes(reply.body.code as string);
    return isAsked && (await this.#giveSecondFactor(reply.body.code as string))
      ? this.#send(method, path, body, headers)
      : reply;
  }
  async #giveSecondFactor(asked: string): Promise<boolean> {
    if (!this.person) return false;
    if (asked === 'second_factor_setup') return enrol(this, this.person.password).then(() => true);
    return (
      (
        await withCode(this.person, (code) =>
          this.asSession().post('/auth/second-factor', { code }),
        )
      ).status === 200
    );
  }
  async #send(
    method: string,
    path: string,
    body?: string,
    headers: Record<string, string> = {},
  ): Promise<Reply> {
    const answer = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: { ...(this.token ? { authorization: `Bearer ${this.token}` } : {}), ...headers },
      ...(body === undefined ? {} : { body }),
    });
    const text = await answer.text();
    return {
      status: answer.status,
      body: text.startsWith('{') ? (JSON.parse(text) as Record<string, any>) : { text },
      headers: answer.headers,
    };
  }
  seal(
    module: string,
    documentId: string,
    more: object = {},
    headers: Record<string, string> = {},
  ): Promise<Reply> {
    return this.post('/receipts', { module, document_id: documentId, ...more }, headers);
  }
}

/**
 * As a second person does: looks at the receipt, and confirms the proposal that it shows; where it
 * shows none, one of long ago.
 */
export async function confirmShown(
  api: Api,
  receiptId: string,
  of: 'evidence' | 'reversal',
): Promise<Reply> {
  const { body } = await api.get(`/receipts/${receiptId}`);
  const shown = of === 'evidence' ? body.settlement : body.reversal;
  return api.post(`/receipts/${receiptId}/${of}/confirm`, {
    proposed_at: (shown?.proposed_at as string | undefined) ?? '2001-01-01T00:00:00Z',
  });
}

/** Waits for a condition, never for a time; throws with the last value seen. */
export async function until<T>(
  look: () => Promise<T> | T,
  isDone: (value: T) => boolean,
  timeoutMs = 40_000,
): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const value = await look();
    if (isDone(value)) return value;
    if (performance.now() > end)
      throw new Error(`waited too long; last seen: ${JSON.stringify(value)?.slice(0, 2000)}`);
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
}

/** The code an authenticator shows now, or some steps of half a minute later. */
export const codeOf = (secret: string, stepsLater = 0, now = new Date()): string =>
  new TOTP({ secret: Secret.fromBase32(secret) }).generate({
    timestamp: now.getTime() + stepsLater * 30_000,
  });

/**
 * Sets an authenticator up, unless this person has, and gives a code: the session passes what asks
 * for a second factor.
 */
export async function enrol(api: Api, password: string, now = api.person?.now()): Promise<string> {
  const begun = await api.asSession().post('/auth/totp', { password });
  const known = api.person && authenticators.get(keyOf(api.person));
  if (begun.body.code === 'wrong_state' && api.person && known) {
    const passed = await withCode(api.person, (code) =>
      api.asSession().post('/auth/second-factor', { code }),
    );
    if (passed.status !== 200) throw new Error(`authenticator: ${JSON.stringify(passed.body)}`);
    return known;
  }
  if (begun.status !== 200) throw new Error(`authenticator: ${JSON.stringify(begun.body)}`);
  const confirmed = await api.post('/auth/totp/confirm', {
    code: codeOf(begun.body.secret as string, 0, now),
  });
  if (confirmed.body.second_factor !== 'passed')
    throw new Error(`authenticator: ${JSON.stringify(confirmed.body)}`);
  if (api.person) authenticators.set(keyOf(api.person), begun.body.secret as string);
  return begun.body.secret as string;
}

/** The platform's operator, made by the console's link, with an authenticator. */
export async function operatorOf(world: World): Promise<Api> {
  const token = String(await world.app.firstOperatorLink())
    .split('/')
    .at(-1);
  const password = 'seven quiet herons by the lake';
  const made = await new Api(world.app.url).post('/auth/first-operator', {
    token,
    username: 'operator',
    name: 'Olive Operator',
    email: 'ops@platform.example',
    password,
  });
  if (made.status !== 200) throw new Error(`operator: ${JSON.stringify(made.body)}`);
  const person = {
    databaseUrl: world.databaseUrls.app,
    username: 'operator',
    password,
    now: world.now,
  };
  const api = Object.assign(new Api(world.app.url, made.body.token as string), { person });
  await enrol(api, password);
  return api;
}
