import { request } from './request.ts';
import type { ChoiceLists, PreflightView, ReceiptView, SessionView, WriteBackView } from './views.ts';

const keep = 'muhuri.session';

export class Api {
  readonly #server: string;
  readonly #language: string;
  session: SessionView | null;

  constructor(server: string, language: string) {
    this.#server = server;
    this.#language = language;
    this.session = read();
  }

  async signIn(given: { username: string; password: string; organization_id?: string; business_id?: string }): Promise<SessionView> {
    this.session = await this.#call<SessionView>('POST', '/auth/login', given);
    write(this.session);
    return this.session;
  }
  async signOut(): Promise<void> {
    await this.#call('POST', '/auth/logout').catch(() => {});
    this.forget();
  }
  forget(): void {
    this.session = null;
    write(null);
  }
  preflight = (module: string, id: string) => this.#call<PreflightView>('GET', `/receipts/preflight?module=${module}&document_id=${encodeURIComponent(id)}`);
  seal = (module: string, id: string, answers: object) => this.#call<ReceiptView>('POST', '/receipts', { module, document_id: id, ...answers });
  receipt = (id: string) => this.#call<ReceiptView>('GET', `/receipts/${id}`);
  withdraw = (id: string) => this.#call<ReceiptView>('POST', `/receipts/${id}/withdraw`);
  evidence = (id: string, evidence: object) => this.#call<ReceiptView>('POST', `/receipts/${id}/evidence`, evidence);
  proposeReversal = (id: string, given: { reason_code: string; source: string }) => this.#call<ReceiptView>('POST', `/receipts/${id}/reversal`, given);
  decideReversal = (id: string, decision: 'confirm' | 'drop') => this.#call<ReceiptView>('POST', `/receipts/${id}/reversal/${decision}`);
  writeBack = (id: string) => this.#call<WriteBackView>('GET', `/receipts/${id}/write-back`);
  writeAgain = (id: string) => this.#call<WriteBackView>('POST', `/receipts/${id}/write-back`);
  taxpayer = (tin: string) => this.#call<{ name: string | null }>('GET', `/taxpayers/${encodeURIComponent(tin)}`);
  mappings = (kind: string) => this.#call<{ choices: ChoiceLists }>('GET', `/mappings/${kind}`);
  map = (kind: string, key: string, value: object) => this.#call('PUT', `/mappings/${kind}`, { mappings: [{ key, value }] });
  print = async (id: string, paper: string) => {
    const { url } = await this.#call<{ url: string }>('POST', `/receipts/${id}/prints`, { paper });
    return `${this.#server}${url}`;
  };
  pdf = async (id: string, paper: string): Promise<Blob> => (await this.#fetch('GET', `/receipts/${id}/pdf?paper=${paper}`)).blob();
  qr = async (id: string): Promise<string> => (await this.#fetch('GET', `/receipts/${id}/qr.svg`)).text();

  async #call<T>(method: string, path: string, body?: object): Promise<T> {
    return (await this.#fetch(method, path, body)).json() as Promise<T>;
  }

  #fetch(method: string, path: string, body?: object): Promise<Response> {
    return request({ server: this.#server, language: this.#language, token: this.session?.token ?? null }, method, path, body);
  }
}

// Storage in a frame of another site is partitioned, may vanish, and throws where it is blocked: a convenience, never needed.
function read(): SessionView | null {
  try {
    const session = JSON.parse(sessionStorage.getItem(keep) ?? 'null') as SessionView | null;
    return session && new Date(session.expires_at) > new Date() ? session : null;
  } catch {
    return null;
  }
}

function write(session: SessionView | null): void {
  try {
    if (session) sessionStorage.setItem(keep, JSON.stringify(session));
    else sessionStorage.removeItem(keep);
  } catch {
    // Kept in memory only.
  }
}
