import { randomBytes } from 'node:crypto';
import {
  countEveryFailure,
  counting,
  type From,
  insertTry,
  trySucceeded,
} from '../access/index.ts';
import { AppError } from '../platform/app-error.ts';
import { networkOf } from '../platform/http/client-network.ts';
import { endOfStep, type PairingPorts, refuse, verifierOf } from './pairing-ports.ts';
import { claimByCode, setAccountsServer } from './pairing.store.ts';
import { sha256 } from '../platform/digest.ts';

/** Where the browser goes to approve, and the secret that it must bring back. */
export type ClaimedPairing = { consentUrl: string; browserSecret: string; expiresAt: Date };

const codeTriesMax = 5;
const codeWindowMs = 15 * 60_000;
/** Just enough to be told who that is in an organization: Zoho Books has no smaller one. */
const scopes = ['ZohoBooks.settings.READ'];

/** Claims the pairing of a typed code for the browser it was typed in. */
export const claimPairing =
  (ports: PairingPorts) =>
  async (code: string, from: From): Promise<ClaimedPairing> => {
    const at = ports.clock.now();
    const tryId = await countCodeTry(ports, from, at);
    const [state, browserSecret] = [newSecret(), newSecret()];
    const expiresAt = endOfStep(ports);
    const pairing = await ports.database.platform((tx) =>
      claimByCode(
        tx,
        sha256(plainCode(code)),
        {
          stateHash: sha256(state),
          browserHash: sha256(browserSecret),
          address: from.address,
          expiresAt,
        },
        at,
      ),
    );
    if (!pairing) throw new AppError('pairing_expired', { field: 'code' });
    await ports.database.platform((tx) => trySucceeded(tx, tryId));
    const client = await ports.clientOf(
      pairing.businessId ? ports.contextOf(pairing.businessId) : null,
    );
    if (!client) {
      await refuse(ports, pairing.id, 'zoho_sign_in_off');
      throw new AppError('zoho_sign_in_off');
    }
    const { accountsServer, clientId } = client;
    await ports.database.platform((tx) => setAccountsServer(tx, pairing.id, accountsServer));
    const consentUrl = ports.accounts.consentUrl({
      accountsServer,
      clientId,
      redirectUri: ports.redirectUri,
      scopes,
      state: `zoho.${state}`,
      verifier: verifierOf(browserSecret),
      once: true,
    });
    return { consentUrl, browserSecret, expiresAt };
  };

/**
 * Counts a try of a code before the code is checked, or a hundred guesses at once would all be let
 * in. Right ones in between do not clear the count, or a code of one's own would buy five more.
 */
async function countCodeTry(ports: PairingPorts, from: From, at: Date): Promise<string> {
  const tried = codeTry(from);
  const id = ports.newId('sign_in');
  await counting(ports.database, `pairing_codes:${tried.address}`, async (tx) => {
    const since = new Date(at.getTime() - codeWindowMs);
    const before = await countEveryFailure(tx, tried.username, tried.address, since);
    if (before >= codeTriesMax) throw new AppError('too_many_attempts');
    await insertTry(tx, { ...tried, id, at, succeeded: false });
  });
  return id;
}

/** Describes a try as that of nobody in particular: codes are guessed from an address. */
const codeTry = (from: From) => ({
  username: '(code)',
  personId: null,
  address: networkOf(from.address),
  userAgent: from.userAgent,
});

const newSecret = () => randomBytes(24).toString('base64url');
const plainCode = (code: string) => code.toUpperCase().replace(/[^A-Z]/g, '');
