import { TOTP, Secret } from 'otpauth';
import type { DemoAccount, World } from './world.ts';

export type Json = { [key: string]: never } & Record<string, unknown>;
export type Reply = { status: number; body: Record<string, any>; headers: Headers };

/** A caller of the API, signed in or not. */
export class Api {
  readonly url: string;
  token: string;
  constructor(url: string, token = '') {
    this.url = url;
    this.token = token;
  }
  static async signIn(world: Pick<World, 'app'>, account: DemoAccount, url = world.app.url): Promise<Api> {
    const api = new Api(url);
    const reply = await api.post('/auth/login', { username: account.username, password: account.password });
    if (reply.status !== 200) throw new Error(`sign-in: ${JSON.stringify(reply.body)}`);
    return new Api(url, reply.body.token as string);
  }
  get(path: string, headers: Record<string, string> = {}): Promise<Reply> {
    return this.call('GET', path, undefined, headers);
  }
  post(path: string, body: unknown = {}, headers: Record<string, string> = {}): Promise<Reply> {
    return this.call('POST', path, JSON.stringify(body), { 'content-type': 'application/json', ...headers });
  }
  put(path: string, body: unknown): Promise<Reply> {
    return this.call('PUT', path, JSON.stringify(body), { 'content-type': 'application/json' });
  }
  async file(path: string): Promise<{ status: number; bytes: Buffer; type: string }> {
    const answer = await fetch(`${this.url}/api/v1${path}`, { headers: this.token ? { authorization: `Bearer ${this.token}` } : {} });
    return { status: answer.status, bytes: Buffer.from(await answer.arrayBuffer()), type: answer.headers.get('content-type') ?? '' };
  }
  async call(method: string, path: string, body?: string, headers: Record<string, string> = {}): Promise<Reply> {
    const answer = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: { ...(this.token ? { authorization: `Bearer ${this.token}` } : {}), ...headers },
      ...(body === undefined ? {} : { body }),
    });
    const text = await answer.text();
    return { status: answer.status, body: text.startsWith('{') ? (JSON.parse(text) as Record<string, any>) : { text }, headers: answer.headers };
  }
  seal(module: string, documentId: string, more: object = {}, headers: Record<string, string> = {}): Promise<Reply> {
    return this.post('/receipts', { module, document_id: documentId, ...more }, headers);
  }
}

/** Waits for a condition, never for a time; throws with the last value seen. */
export async function until<T>(look: () => Promise<T> | T, isDone: (value: T) => boolean, timeoutMs = 20_000): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const value = await look();
    if (isDone(value)) return value;
    if (performance.now() > end) throw new Error(`waited too long; last seen: ${JSON.stringify(value)?.slice(0, 2000)}`);
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
}

/** The code an authenticator shows now, or some steps of half a minute later. */
export const codeOf = (secret: string, stepsLater = 0): string =>
  new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: Date.now() + stepsLater * 30_000 });

/** Sets an authenticator up and gives its first code: the session passes what asks for a second factor. */
export async function enrol(api: Api, password: string): Promise<string> {
  const begun = await api.post('/auth/totp', { password });
  if (begun.status !== 200) throw new Error(`authenticator: ${JSON.stringify(begun.body)}`);
  const confirmed = await api.post('/auth/totp/confirm', { code: codeOf(begun.body.secret as string) });
  if (confirmed.body.second_factor !== 'passed') throw new Error(`authenticator: ${JSON.stringify(confirmed.body)}`);
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
  const api = new Api(world.app.url, made.body.token as string);
  await enrol(api, password);
  return api;
}
