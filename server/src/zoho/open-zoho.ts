import type { LookupFunction } from 'node:net';
import type { Clock } from '../platform/clock.ts';
import type { CallMade } from '../ports/books.ts';
import { zohoAccounts } from './accounts.ts';
import { zohoBooks } from './books.ts';
import { booksPeople } from './books-people.ts';
import { booksSetup } from './books-setup.ts';
import { booksWriting } from './books-writing.ts';
import { zohoClient } from './client.ts';
import { zohoHosts } from './data-centres.ts';
import { type CallBudgetSettings, defaultCallBudget, openCallBudget } from './call-budget.ts';
import { platformClient } from './platform-client.ts';

type Config = { zohoHostsAlso: string[]; zohoClientId: string | null };
type Secrets = { zohoClientSecrets: Record<string, string> };
type Names = { lookup: LookupFunction };
type Ports = { clock: Clock; names: Names; budget: Partial<CallBudgetSettings> | undefined };

type BooksPorts = {
  clock: Clock;
  names: Names;
  dialects: { all(): { identity: { country: string } }[] };
  connections: {
    tokens: Parameters<typeof zohoClient>[0]['tokens'];
    /** Hears of every call. */
    recordCall(call: CallMade): void;
  };
};

export type OpenZoho = ReturnType<typeof openZoho>;

/** Opens what is known of Zoho before anybody has given a grant: accounts, hosts and the budget. */
export function openZoho(config: Config, secrets: Secrets, ports: Ports) {
  const hosts = zohoHosts(config.zohoHostsAlso);
  return {
    hosts,
    accounts: zohoAccounts(hosts, ports.names.lookup),
    budget: openCallBudget(ports.clock, { ...defaultCallBudget, ...ports.budget }),
    platformClient: platformClient(config.zohoClientId, secrets.zohoClientSecrets),
    isPlatformClient: (clientId: string) => clientId === config.zohoClientId,
  };
}

/** Opens Zoho Books by the grants that businesses gave. */
export function openZohoBooks({ hosts, budget }: OpenZoho, ports: BooksPorts) {
  const { clock, names, dialects, connections } = ports;
  const client = zohoClient({
    tokens: connections.tokens,
    hosts,
    budget,
    clock,
    made: connections.recordCall,
    lookup: names.lookup,
  });
  const countries = dialects.all().map(({ identity }) => identity.country);
  return {
    documents: zohoBooks(client, clock, countries),
    people: booksPeople(client),
    setup: booksSetup(client),
    writing: booksWriting(client),
    close: client.close,
  };
}
