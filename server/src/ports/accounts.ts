/**
 * What the accounts server of the accounting system made of a refresh, judged by its body and never
 * by its status.
 */
export type Refreshed =
  | { is: 'token'; accessToken: string; expiresInSeconds: number; apiDomain: string | null }
  /** The refresh token is dead: a person must connect again. */
  | { is: 'dead' }
  /** Too many tokens asked for: nobody asks again before the cool-down is over. */
  | { is: 'throttled' }
  /** The client is unknown there, or its secret is wrong: nothing is wrong with the grant. */
  | { is: 'client_refused' }
  | { is: 'failed'; reason: string };

export type Exchanged =
  | {
      is: 'tokens';
      refreshToken: string;
      accessToken: string;
      expiresInSeconds: number;
      apiDomain: string | null;
      scopes: string;
    }
  /**
   * Over, used, of another data centre, or the client is not theirs: `field` says which of them was
   * wrong.
   */
  | { is: 'refused'; field: 'code' | 'client_id' | 'client_secret' | 'redirect_uri' }
  | { is: 'failed'; reason: string };

/**
 * `role`: the grantor's in that organization, `admin` for Zoho's own admin role; empty where Zoho
 * does not tell.
 */
export type SeenOrganization = {
  organizationId: string;
  name: string;
  currency: string;
  role: string;
};

export type ExchangeAsk = {
  accountsServer: string;
  clientId: string;
  clientSecret: string;
  code: string;
  redirectUri?: string;
  verifier?: string;
};

export type Accounts = {
  /** A code of the API console or of a consent becomes a grant; it works once. */
  exchange(ask: ExchangeAsk): Promise<Exchanged>;
  /**
   * Where a person's browser goes to consent. For a grant: offline access, asked for anew each
   * time, so that a refresh token comes back. For a sign-in (`once`): a token that ends within the
   * hour, asked for only the first time.
   */
  consentUrl(ask: {
    accountsServer: string;
    clientId: string;
    redirectUri: string;
    scopes: string[];
    state: string;
    verifier: string;
    once?: boolean;
  }): string;
  /** A code of such a sign-in becomes an access token and nothing else. */
  exchangeOnce(ask: ExchangeAsk): Promise<Refreshed>;
  /**
   * Kills a grant at the accounts server. Says whether it is dead now; one that was dead already
   * is.
   */
  revoke(accountsServer: string, refreshToken: string): Promise<boolean>;
  /** The API host beside an accounts server. */
  apiOf(accountsServer: string): string;
  /** Whether a callback may be believed about where to take its code. */
  isKnownAccountsServer(url: string): boolean;
  /** What a grant can see: the one call that names no organization. Throws `books_…` problems. */
  listOrganizations(apiDomain: string, accessToken: string): Promise<SeenOrganization[]>;
  /** Every data centre by its key. */
  listDataCentres(): string[];
  /** Accounts server and API host of a data centre by its key (`com`, `eu` …), or null. */
  dataCentre(key: string): { accounts: string; api: string } | null;
  refresh(ask: {
    accountsServer: string;
    clientId: string;
    clientSecret: string;
    refreshToken: string;
  }): Promise<Refreshed>;
  /** Whether an API host may be called at all. */
  isKnownApiDomain(apiDomain: string): boolean;
};
