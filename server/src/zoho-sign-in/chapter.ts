import { chapter } from '../chapter.ts';
import type { Runtime } from '../platform/runtime.ts';
import { checkZohoUser } from './check-zoho-user.ts';
import { deleteOldPairings } from './pairing.store.ts';
import type { PairingPorts } from './pairing-ports.ts';
import { pairings } from './pairings.ts';
import { renewSession } from './renew-session.ts';
import { zohoSignInRoutes } from './zoho-sign-in.routes.ts';

type Needs = Pick<PairingPorts, 'record'> & {
  zoho: Pick<PairingPorts, 'accounts'>;
  access: Pick<PairingPorts, 'knowsDevice' | 'sessions'>;
  connections: Pick<PairingPorts, 'clientOf' | 'redirectUri'>;
  books: Pick<PairingPorts, 'people'>;
};

/** Opens the chapter by which people enter with their account at Zoho. */
export function openZohoSignIn(runtime: Runtime, needs: Needs) {
  const { database, clock, newId, publicUrl } = runtime;
  const { record, zoho, access, connections, books } = needs;
  const contextOf = runtime.contextFor('zoho_sign_in');
  const isStillThere = checkZohoUser({ people: books.people, contextOf });
  return chapter({
    routes: zohoSignInRoutes({
      pairings: pairings({
        database,
        clock,
        newId,
        record,
        sessions: access.sessions,
        knowsDevice: access.knowsDevice,
        accounts: zoho.accounts,
        people: books.people,
        clientOf: connections.clientOf,
        contextOf,
        redirectUri: connections.redirectUri,
        publicUrl,
      }),
      renew: renewSession(access.sessions, isStillThere),
      now: () => clock.now(),
    }),
    retention: [{ what: 'pairings', keepDays: 1, scope: 'reference', delete: deleteOldPairings }],
  });
}
