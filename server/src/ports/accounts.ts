/** What the accounts server of the accounting system made of a refresh, judged by its body and never by its status. */
export type Refreshed =
  | { is: 'token'; accessToken: string; expiresInSeconds: number; apiDomain: string | null }
  /** The refresh token is dead: a person must connect again. */
  | { is: 'dead' }
  /** Too many tokens asked for: nobody asks again before the cool-down is over. */
  | { is: 'throttled' }
  | { is: 'failed'; reason: string };

export type Exchanged =
  | { is: 'tokens'; refreshToken: string; accessToken: string; expiresInSeconds: number; apiDomain: string | null }
  /** Over, used, of another data centre, or the client is not theirs: `field` says which of them was wrong. */
  | { is: 'refused'; field: 'code' | 'client_id' | 'client_secret' }
  | { is: 'failed'; reason: string };

export type SeenOrganization = { organizationId: string; name: string; currency: string };

export type Accounts = {
  /** A code of the API console or of a consent becomes a grant; it works once. */
  exchange(ask: { accountsServer: string; clientId: string; clientSecret: string; code: string; redirectUri?: string }): Promise<Exchanged>;
  /** What a grant can see: the one call that names no organization. Throws `zoho_…` problems. */
  listOrganizations(apiDomain: string, accessToken: string): Promise<SeenOrganization[]>;
  /** Accounts server and API host of a data centre by its key (`com`, `eu` …), or null. */
  dataCentre(key: string): { accounts: string; api: string } | null;
  refresh(ask: { accountsServer: string; clientId: string; clientSecret: string; refreshToken: string }): Promise<Refreshed>;
  /** Whether an API host may be called at all. */
  isKnownApiDomain(apiDomain: string): boolean;
};
