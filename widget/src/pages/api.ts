import type { OutputOf } from '@muhuri/shared/contract/endpoint';
import type * as access from '@muhuri/shared/contract/access.contract';
import type * as alerts from '@muhuri/shared/contract/alerts.contract';
import type * as branches from '@muhuri/shared/contract/branches.contract';
import type * as businesses from '@muhuri/shared/contract/businesses.contract';
import type * as oauth from '@muhuri/shared/contract/oauth.contract';
import type * as zoho from '@muhuri/shared/contract/zoho.contract';
import type * as notices from '@muhuri/shared/contract/webhooks.contract';
import type * as trail from '@muhuri/shared/contract/audit-log.contract';
import { KeptSession } from '../session.ts';

/** The shapes of the contract, as types only. */
export type Views = {
  session: OutputOf<typeof access.login>;
  me: OutputOf<typeof access.me>;
  totp: OutputOf<typeof access.beginTotp>;
  totpConfirmed: OutputOf<typeof access.confirmTotp>;
  factorGiven: OutputOf<typeof access.passSecondFactor>;
  factor: OutputOf<typeof access.readSecondFactor>;
  profile: OutputOf<typeof access.readProfile>;
  recoveryCodes: OutputOf<typeof access.renewRecoveryCodes>;
  waysBack: OutputOf<typeof access.listWaysBack>;
  operators: OutputOf<typeof access.listOperators>;
  addressChanges: OutputOf<typeof businesses.listAddressChanges>;
  peopleOfBusiness: OutputOf<typeof businesses.listPeopleOfBusiness>;
  people: OutputOf<typeof access.listPeople>;
  invitations: OutputOf<typeof access.listInvitations>;
  keys: OutputOf<typeof access.listKeys>;
  newKey: OutputOf<typeof access.createKey>;
  sessions: OutputOf<typeof access.listSessions>;
  signIns: OutputOf<typeof access.listSignIns>;
  memberships: OutputOf<typeof access.listMemberships>;
  invitation: OutputOf<typeof access.readInvitation>;
  registered: OutputOf<typeof businesses.registerBusiness>;
  alerts: OutputOf<typeof alerts.listAlerts>;
  branches: OutputOf<typeof branches.listBranches>;
  lists: OutputOf<typeof branches.readAuthorityLists>;
  config: OutputOf<typeof businesses.getConfig>;
  business: OutputOf<typeof businesses.getOwnBusiness>;
  businesses: OutputOf<typeof businesses.listBusinesses>;
  stats: OutputOf<typeof businesses.getStats>;
  receipts: OutputOf<typeof businesses.recentInvoices>;
  usage: OutputOf<typeof businesses.getUsage>;
  setup: OutputOf<typeof businesses.setupStatus>;
  zohoSetup: OutputOf<typeof businesses.setupZoho>;
  zoho: OutputOf<typeof businesses.getZohoConfig>;
  consentUrl: OutputOf<typeof oauth.connect>;
  consent: OutputOf<typeof oauth.readConsent>;
  connection: OutputOf<typeof oauth.connectionStatus>;
  hooks: OutputOf<typeof zoho.listHooks>;
  newHook: OutputOf<typeof zoho.makeHook>;
  deliveries: OutputOf<typeof zoho.listDeliveries>;
  plan: OutputOf<typeof zoho.installPlan>;
  health: OutputOf<typeof zoho.zohoHealth>;
  looked: OutputOf<typeof zoho.pollNow>;
  documents: OutputOf<typeof zoho.listDocuments>;
  month: OutputOf<typeof zoho.closeMonth>;
  subscribers: OutputOf<typeof notices.listSubscribers>;
  newSubscriber: OutputOf<typeof notices.addSubscriber>;
  notices: OutputOf<typeof notices.listNotices>;
  probe: OutputOf<typeof businesses.testVsdc>;
  support: OutputOf<typeof businesses.listSupport>;
  totals: OutputOf<typeof businesses.platformTotals>;
  attempts: OutputOf<typeof businesses.listAttempts>;
  trail: OutputOf<typeof trail.listTrail>;
  check: OutputOf<typeof trail.verifyTrail>;
};
export type Session = Views['session'];

/**
 * Our own pages' way to the server, with a session of their own; within Zoho Books one for each
 * organization, as the panel's.
 */
export class PageApi {
  readonly #kept: KeptSession<Session>;

  constructor(server: string, language: string, organizationId: string | null) {
    this.#kept = new KeptSession(
      organizationId === null ? 'muhuri.pages' : `muhuri.${organizationId}`,
      server,
      language,
    );
  }

  get session(): Session | null {
    return this.#kept.session;
  }
  get server(): string {
    return this.#kept.server;
  }
  set language(to: string) {
    this.#kept.language = to;
  }
  keepSession(session: Session | null): void {
    this.#kept.keep(session);
  }

  call = <T>(method: string, path: string, body?: object): Promise<T> =>
    this.#kept.call<T>(method, path, body);
  get = <T>(path: string) => this.call<T>('GET', path);
  post = <T>(path: string, body: object = {}) => this.call<T>('POST', path, body);
  put = <T>(path: string, body: object = {}) => this.call<T>('PUT', path, body);
  file = async (method: 'GET' | 'POST', path: string, body?: object): Promise<Blob> =>
    (await this.#kept.fetch(method, path, body)).blob();
}
