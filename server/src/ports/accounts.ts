/** What the accounts server of the accounting system made of a refresh, judged by its body and never by its status. */
export type Refreshed =
  | { is: 'token'; accessToken: string; expiresInSeconds: number; apiDomain: string | null }
  /** The refresh token is dead: a person must connect again. */
  | { is: 'dead' }
  /** Too many tokens asked for: nobody asks again before the cool-down is over. */
  | { is: 'throttled' }
  | { is: 'failed'; reason: string };

export type Accounts = {
  refresh(ask: { accountsServer: string; clientId: string; clientSecret: string; refreshToken: string }): Promise<Refreshed>;
  /** Whether an API host may be called at all. */
  isKnownApiDomain(apiDomain: string): boolean;
};
