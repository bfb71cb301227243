import { timingSafeEqual } from 'node:crypto';
import { type From, noteSignIn, type SignedIn } from '../access/index.ts';
import type { PairingPorts } from './pairing-ports.ts';
import { countPollTry, lockPairing, type Pairing, setPairingState } from './pairing.store.ts';
import { sha256 } from '../platform/digest.ts';

export type PollResult =
  | { state: 'waiting' | 'approving' | 'over' }
  | { state: 'refused'; refusal: string }
  | ({ state: 'done'; refreshToken: string } & SignedIn);

/** An approved pairing, with all that its session needs. */
type Approved = Pairing & {
  businessId: string;
  membershipId: string;
  zohoUser: NonNullable<Pairing['zohoUser']>;
};

const pollTriesMax = 5;

/** Says how far a pairing is; returns the session, once, to the holder of the poll secret. */
export const pollPairing =
  (ports: PairingPorts) =>
  async (
    pairingId: string,
    pollSecret: string,
    from: From,
    deviceToken?: string,
  ): Promise<PollResult> => {
    const found = await claimPoll(ports, pairingId, pollSecret);
    if (!found) return { state: 'over' };
    if (found.state === 'refused')
      return { state: 'refused', refusal: found.refusal ?? 'zoho_sign_in_denied' };
    if (found.state === 'used' || found.expiresAt <= ports.clock.now()) return { state: 'over' };
    if (isApproved(found)) return beginSession(ports, found, from, deviceToken);
    return { state: found.state === 'waiting' ? 'waiting' : 'approving' };
  };

/**
 * Locks a pairing whose poll secret is right, and marks it used if its session is fetched now. It
 * is fetched once, and only if it was approved in time.
 */
const claimPoll = (
  { database, clock }: PairingPorts,
  pairingId: string,
  pollSecret: string,
): Promise<Pairing | null> =>
  database.platform(async (tx) => {
    const pairing = await lockPairing(tx, pairingId);
    if (!pairing || pairing.pollTries >= pollTriesMax) return null;
    if (!isSame(pairing.pollHash, sha256(pollSecret))) {
      await countPollTry(tx, pairingId);
      return null;
    }
    if (pairing.state === 'approved' && pairing.membershipId && pairing.expiresAt > clock.now())
      await setPairingState(tx, pairingId, 'used');
    return pairing;
  });

/**
 * Begins the panel's session. A person who has set up a second factor gives it here too, because
 * nobody knows what Zoho has asked for.
 */
async function beginSession(
  ports: PairingPorts,
  { businessId, membershipId, zohoUser }: Approved,
  from: From,
  deviceToken: string | undefined,
): Promise<PollResult> {
  const { database, clock, sessions } = ports;
  const begun = await sessions.beginRenewable(
    businessId,
    membershipId,
    { ...from, awaitsSecondFactor: true },
    zohoUser.id,
  );
  let session = await sessions.read(begun.token);
  await database.platform((tx) => noteSignIn(tx, session.person.id, clock.now()));
  if (session.awaitsSecondFactor && (await ports.knowsDevice(session.person.id, deviceToken)))
    session = await sessions.admit(session);
  return { state: 'done', ...begun, session };
}

const isApproved = (pairing: Pairing): pairing is Approved =>
  pairing.state === 'approved' &&
  Boolean(pairing.membershipId && pairing.businessId && pairing.zohoUser);

const isSame = (a: string, b: string) =>
  timingSafeEqual(Buffer.from(a, 'hex'), Buffer.from(b, 'hex'));
