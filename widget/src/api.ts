import { ApiProblem } from './request.ts';
import { deviceToken, keepDeviceToken } from './second-factor/device.ts';
import { KeptSession } from './session.ts';
import type {
  ChoiceLists,
  DoubtView,
  PreflightView,
  ReceiptView,
  SessionView,
  WriteBackView,
} from './views.ts';

/** Why the second factor is asked for: it is to be given, or none is set up yet. */
export type FactorAsked = 'second_factor_needed' | 'second_factor_setup';

export class Api {
  readonly #kept: KeptSession<SessionView>;
  /** How a remembered device is named where its person typed no username. */
  readonly zohoDevice: string;
  /** Asks the person for their second factor; set by the panel. */
  askFactor: (kind: FactorAsked) => Promise<boolean> = () => Promise.resolve(false);
  #asking: Promise<boolean> | null = null;

  constructor(server: string, language: string, organizationId: string) {
    this.#kept = new KeptSession(`muhuri.${organizationId}`, server, language);
    this.zohoDevice = `zoho:${organizationId}`;
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

  async signIn(
    given: { username: string; password: string; organization_id?: string; business_id?: string },
    proof: object = {},
  ): Promise<SessionView> {
    const token = deviceToken(given.username);
    const session = await this.call<SessionView>('POST', '/auth/login', {
      ...given,
      ...(token ? { device_token: token } : {}),
      ...proof,
    });
    keepDeviceToken(given.username, session.device_token);
    this.#kept.keep(session);
    return session;
  }
  async giveSecondFactor(proof: object): Promise<{ device_token?: string | undefined }> {
    const given = await this.#kept.call<Partial<SessionView>>('POST', '/auth/second-factor', proof);
    const { device_token, ...session } = given;
    if (this.session) this.#kept.keep({ ...this.session, ...session });
    return { device_token };
  }
  async signOut(): Promise<void> {
    await this.call('POST', '/auth/logout').catch(() => {});
    this.forget();
  }
  forget(): void {
    this.#kept.keep(null);
  }
  /**
   * Where the second factor is asked for, the person is, once for all that waits for it; then it is
   * done again.
   */
  call = async <T>(method: string, path: string, body?: object): Promise<T> => {
    try {
      return await this.#kept.call<T>(method, path, body);
    } catch (error) {
      const kind = error instanceof ApiProblem ? error.problem.code : '';
      if (kind !== 'second_factor_needed' && kind !== 'second_factor_setup') throw error;
      this.#asking ??= this.askFactor(kind).finally(() => {
        this.#asking = null;
      });
      if (!(await this.#asking)) throw error;
      return this.#kept.call<T>(method, path, body);
    }
  };
  preflight = (module: string, id: string, saleReceiptId?: string) =>
    this.call<PreflightView>(
      'GET',
      `/receipts/preflight?module=${module}&document_id=${encodeURIComponent(id)}${saleReceiptId ? `&sale_receipt_id=${encodeURIComponent(saleReceiptId)}` : ''}`,
    );
  seal = (module: string, id: string, answers: object) =>
    this.call<ReceiptView>('POST', '/receipts', { module, document_id: id, ...answers });
  receipt = (id: string) => this.call<ReceiptView>('GET', `/receipts/${id}`);
  withdraw = (id: string) => this.call<ReceiptView>('POST', `/receipts/${id}/withdraw`);
  evidence = (id: string, evidence: object) =>
    this.call<ReceiptView>('POST', `/receipts/${id}/evidence`, evidence);
  /** Confirms the proposal that was shown, and no other. */
  confirmEvidence = (id: string, { proposed_at }: { proposed_at: string }) =>
    this.call<ReceiptView>('POST', `/receipts/${id}/evidence/confirm`, { proposed_at });
  dropEvidence = (id: string) => this.call<ReceiptView>('POST', `/receipts/${id}/evidence/drop`);
  doubt = (id: string) => this.call<DoubtView>('GET', `/receipts/${id}/doubt`);
  evidencePack = async (id: string): Promise<Blob> =>
    (await this.#kept.fetch('GET', `/receipts/${id}/evidence-pack`)).blob();
  proposeReversal = (id: string, given: { reason_code: string; source: string }) =>
    this.call<ReceiptView>('POST', `/receipts/${id}/reversal`, given);
  confirmReversal = (id: string, { proposed_at }: { proposed_at: string }) =>
    this.call<ReceiptView>('POST', `/receipts/${id}/reversal/confirm`, { proposed_at });
  dropReversal = (id: string) => this.call<ReceiptView>('POST', `/receipts/${id}/reversal/drop`);
  writeBack = (id: string) => this.call<WriteBackView>('GET', `/receipts/${id}/write-back`);
  writeAgain = (id: string) => this.call<WriteBackView>('POST', `/receipts/${id}/write-back`);
  taxpayer = (tin: string) =>
    this.call<{ name: string | null }>('GET', `/taxpayers/${encodeURIComponent(tin)}`);
  mappings = (kind: string) => this.call<{ choices: ChoiceLists }>('GET', `/mappings/${kind}`);
  takeOver = (saleId: string, word: { source: string; answer: string }) =>
    this.call('POST', `/receipts/${saleId}/takeover`, word);
  map = (kind: string, key: string, value: object) =>
    this.call('PUT', `/mappings/${kind}`, { mappings: [{ key, value }] });
  /** Where a print is to be had, once; it is recorded when it is opened. */
  printLink = async (id: string, paper: string, original: boolean) => {
    const { url } = await this.call<{ url: string }>('POST', `/receipts/${id}/prints`, {
      paper,
      original,
    });
    return `${this.server}${url}`;
  };
  printedPdf = async (id: string, paper: string, original: boolean): Promise<Blob> => {
    const link = await this.printLink(id, paper, original);
    return (await this.#kept.fetch('GET', `${link.slice(link.indexOf('/prints/'))}?as=pdf`)).blob();
  };
  pdf = async (id: string, paper: string): Promise<Blob> =>
    (await this.#kept.fetch('GET', `/receipts/${id}/pdf?paper=${paper}`)).blob();
  qr = async (id: string): Promise<string> =>
    (await this.#kept.fetch('GET', `/receipts/${id}/qr.svg`)).text();
}
