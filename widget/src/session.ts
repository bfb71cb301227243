import { ApiProblem, request } from './request.ts';

/** What a session must have to be kept; the rest is the contract's. */
type Kept = { token: string; expires_at: string; refresh_token?: string | undefined };

/**
 * A session in memory and, where the browser lets us, for as long as the tab lives. One that came
 * by Zoho is renewed by itself when the server says that it is over, whatever the clock here says.
 * Storage in a frame of another site is partitioned, may vanish, and throws where it is blocked: a
 * convenience, never needed.
 */
export class KeptSession<S extends Kept> {
  readonly #key: string;
  readonly #server: string;
  language: string;
  session: S | null;
  #renewing: Promise<S> | null = null;

  /** `key`: one for each organization, so that two side by side never meet. */
  constructor(key: string, server: string, language: string) {
    this.#key = key;
    this.#server = server;
    this.language = language;
    this.session = this.#read();
  }

  get server(): string {
    return this.#server;
  }

  keep(session: S | null): void {
    this.session = session;
    try {
      if (session) sessionStorage.setItem(this.#key, JSON.stringify(session));
      else sessionStorage.removeItem(this.#key);
    } catch {
      // Kept in memory only.
    }
  }

  /** Twice at most: what another frame has kept may be over as well. */
  async fetch(method: string, path: string, body?: object): Promise<Response> {
    for (let renewals = 0; ; renewals++) {
      const used = this.session;
      try {
        return await this.#send(used, method, path, body);
      } catch (error) {
        const isOver = error instanceof ApiProblem && error.problem.code === 'not_signed_in';
        if (!isOver || !used?.refresh_token || renewals === 2) throw error;
        if (this.session?.token === used.token) await this.#renew(used);
      }
    }
  }

  async call<T>(method: string, path: string, body?: object): Promise<T> {
    return (await this.fetch(method, path, body)).json() as Promise<T>;
  }

  #send(session: S | null, method: string, path: string, body?: object): Promise<Response> {
    return request(
      { server: this.#server, language: this.language, token: session?.token ?? null },
      method,
      path,
      body,
    );
  }

  #renew(used: S): Promise<S> {
    this.#renewing ??= alone(this.#key, () => this.#renewNow(used)).finally(() => {
      this.#renewing = null;
    });
    return this.#renewing;
  }

  /**
   * Another frame of the same tab may have renewed it meanwhile: a refresh token works once, so
   * what it kept is taken over.
   */
  async #renewNow(used: S): Promise<S> {
    const kept = this.#read();
    if (kept && kept.token !== used.token) {
      this.session = kept;
      return kept;
    }
    const answer = await this.#send(null, 'POST', '/auth/refresh', {
      refresh_token: used.refresh_token,
    });
    const renewed = (await answer.json()) as S;
    this.keep(renewed);
    return renewed;
  }

  #read(): S | null {
    try {
      const session = JSON.parse(sessionStorage.getItem(this.#key) ?? 'null') as S | null;
      return session && (session.refresh_token || new Date(session.expires_at) > new Date())
        ? session
        : null;
    } catch {
      return null;
    }
  }
}

/**
 * One frame at a time, where the browser has locks and lets this frame have them: where storage is
 * blocked, they are too.
 */
async function alone<T>(name: string, work: () => Promise<T>): Promise<T> {
  let hasBegun = false;
  try {
    return await (navigator.locks.request(`renew ${name}`, () => {
      hasBegun = true;
      return work();
    }) as Promise<T>);
  } catch (error) {
    if (hasBegun) throw error;
    return work();
  }
}
