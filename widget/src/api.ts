import { KeptSession } from './session.ts';
import type { ChoiceLists, DoubtView, PreflightView, ReceiptView, SessionView, WriteBackView } from './views.ts';

export class Api {
  readonly #kept: KeptSession<SessionView>;

  constructor(server: string, language: string, organizationId: string) {
    this.#kept = new KeptSession(`muhuri.${organizationId}`, server, language);
  }

  get session(): SessionView | null {
    return this.#kept.session;
  }
  get server(): string {
    return this.#kept.server;
  }
  keepSession(session: SessionView): void {
    this.#kept.keep(session);
  }

  async signIn(given: { username: string; password: string; organization_id?: string; business_id?: string }): Promise<SessionView> {
    const session = await this.call<SessionView>('POST', '/auth/login', given);
    this.#kept.keep(session);
    return session;
  }
  async signOut(): Promise<void> {
    await this.call('POST', '/auth/logout').catch(() => {});
    this.forget();
  }
  forget(): void {
    this.#kept.keep(null);
  }
  call = <T>(method: string, path: string, body?: object): Promise<T> => this.#kept.call<T>(method, path, body);
  preflight = (module: string, id: string) => this.call<PreflightView>('GET', `/receipts/preflight?module=${module}&document_id=${encodeURIComponent(id)}`);
  seal = (module: string, id: string, answers: object) => this.call<ReceiptView>('POST', '/receipts', { module, document_id: id, ...answers });
  receipt = (id: string) => this.call<ReceiptView>('GET', `/receipts/${id}`);
  withdraw = (id: string) => this.call<ReceiptView>('POST', `/receipts/${id}/withdraw`);
  evidence = (id: string, evidence: object) => this.call<ReceiptView>('POST', `/receipts/${id}/evidence`, evidence);
  decideEvidence = (id: string, decision: 'confirm' | 'drop') => this.call<ReceiptView>('POST', `/receipts/${id}/evidence/${decision}`);
  doubt = (id: string) => this.call<DoubtView>('GET', `/receipts/${id}/doubt`);
  evidencePack = async (id: string): Promise<Blob> => (await this.#kept.fetch('GET', `/receipts/${id}/evidence-pack`)).blob();
  proposeReversal = (id: string, given: { reason_code: string; source: string }) => this.call<ReceiptView>('POST', `/receipts/${id}/reversal`, given);
  decideReversal = (id: string, decision: 'confirm' | 'drop') => this.call<ReceiptView>('POST', `/receipts/${id}/reversal/${decision}`);
  writeBack = (id: string) => this.call<WriteBackView>('GET', `/receipts/${id}/write-back`);
  writeAgain = (id: string) => this.call<WriteBackView>('POST', `/receipts/${id}/write-back`);
  taxpayer = (tin: string) => this.call<{ name: string | null }>('GET', `/taxpayers/${encodeURIComponent(tin)}`);
  mappings = (kind: string) => this.call<{ choices: ChoiceLists }>('GET', `/mappings/${kind}`);
  map = (kind: string, key: string, value: object) => this.call('PUT', `/mappings/${kind}`, { mappings: [{ key, value }] });
  /** Where a print is to be had, once; it is recorded when it is opened. */
  printLink = async (id: string, paper: string, original: boolean) => {
    const { url } = await this.call<{ url: string }>('POST', `/receipts/${id}/prints`, { paper, original });
    return `${this.server}${url}`;
  };
  printedPdf = async (id: string, paper: string, original: boolean): Promise<Blob> => {
    const link = await this.printLink(id, paper, original);
    return (await this.#kept.fetch('GET', `${link.slice(link.indexOf('/prints/'))}?as=pdf`)).blob();
  };
  pdf = async (id: string, paper: string): Promise<Blob> => (await this.#kept.fetch('GET', `/receipts/${id}/pdf?paper=${paper}`)).blob();
  qr = async (id: string): Promise<string> => (await this.#kept.fetch('GET', `/receipts/${id}/qr.svg`)).text();
}
