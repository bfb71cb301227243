import { randomBytes, randomInt } from 'node:crypto';
import { counting, type From } from '../access/index.ts';
import { AppError } from '../platform/app-error.ts';
import { networkOf } from '../platform/http/client-network.ts';
import { endOfStep, type PairingPorts } from './pairing-ports.ts';
import { countPairings, insertPairing } from './pairing.store.ts';
import { sha256 } from '../platform/digest.ts';

export type StartedPairing = {
  pairingId: string;
  pollSecret: string;
  code: string;
  approvalUrl: string;
  expiresAt: Date;
};

const panelsMax = 20;
/** No vowels, so that no words come out, and nothing that is mistaken for another letter. */
const alphabet = 'BCDFGHJKLMNPQRSTVWXZ';

/** Begins for a panel in any organization: whether that one is connected is not revealed here. */
export const beginPairing =
  (ports: PairingPorts) =>
  async (organizationId: string, from: From): Promise<StartedPairing> => {
    const pairingId = ports.newId('pairing');
    const pollSecret = randomBytes(16).toString('base64url');
    const code = Array.from({ length: 8 }, () => alphabet[randomInt(alphabet.length)]).join('');
    const at = ports.clock.now();
    const expiresAt = endOfStep(ports);
    const network = networkOf(from.address);
    await counting(ports.database, `pairings:${network}`, async (tx) => {
      if ((await countPairings(tx, network, at)) >= panelsMax)
        throw new AppError('too_many_attempts');
      await insertPairing(tx, {
        id: pairingId,
        organizationId,
        pollHash: sha256(pollSecret),
        codeHash: sha256(code),
        panelAddress: network,
        panelAgent: from.userAgent,
        createdAt: at,
        expiresAt,
      });
    });
    return {
      pairingId,
      pollSecret,
      code: `${code.slice(0, 4)}-${code.slice(4)}`,
      approvalUrl: `${ports.publicUrl}/zoho`,
      expiresAt,
    };
  };
