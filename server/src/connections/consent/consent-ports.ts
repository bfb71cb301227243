import type { Context, Session } from '../../context.ts';
import type { SeenOrganization } from '../../ports/accounts.ts';
import type { AccessTokens } from '../access-token.ts';
import type { CountUnsettled } from '../bind-organization.ts';
import type { GrantPorts } from '../make-grant.ts';
import type { ZohoClientId } from '../sign-in-client.ts';

/** A business the person administers, with the door to it. */
type Administered = { ctx: Context; name: string; organizationId: string | null };

export type ConsentPorts = GrantPorts & {
  tokens: AccessTokens;
  countUnsettled: CountUnsettled;
  /** The platform's own client at that accounts server; null if the operator set none. */
  platformClient(accountsServer: string): ZohoClientId | null;
  /** The same address in the consent and in the exchange, to the letter. */
  redirectUri: string;
  listAdministered(session: Session, ctx: Context): Promise<Administered[]>;
};

export type ConsentView = {
  id: string;
  organizations: (SeenOrganization & { businessId: string | null })[];
  businesses: Administered[];
};

/** Names what a secret of a consent is encrypted for. */
export const fieldOf = (consentId: string, field: 'client_secret' | 'verifier'): string =>
  `consent:${consentId}:${field}`;
