// The device authorization grant (RFC 8628), between a panel and Zoho.
import { approvePairing } from './approve-pairing.ts';
import { beginPairing } from './begin-pairing.ts';
import { claimPairing } from './claim-pairing.ts';
import { identifyUser } from './identify-user.ts';
import type { PairingPorts } from './pairing-ports.ts';
import { pollPairing } from './poll-pairing.ts';

/**
 * Sign-in with Zoho for a panel that can hold no cookie and trust no message. The panel shows a code
 * and polls; the person types the code on our own page, approves at Zoho, and says that it was they
 * who opened the panel. The code is typed, not followed: a link that lures somebody cannot carry it
 * along. The name of the organization is told only to a user of it.
 */
export const pairings = (ports: PairingPorts) => ({
  begin: beginPairing(ports),
  poll: pollPairing(ports),
  claim: claimPairing(ports),
  identifyUser: identifyUser(ports),
  approve: approvePairing(ports),
});
