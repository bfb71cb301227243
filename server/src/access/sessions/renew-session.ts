import { AppError } from '../../platform/app-error.ts';
import type { Tx } from '../../platform/db/database.ts';
import { hashOf } from '../credential.ts';
import type { TokenPair } from './begin-session.ts';
import {
  deleteFamily,
  deleteSessionsOfZohoUser,
  lockFamily,
  type RenewableSession,
  renewFamily,
} from './renewal.store.ts';
import {
  formatRefreshToken,
  parseRefreshToken,
  type RefreshToken,
  split,
  storedId,
} from './session-id.ts';
import {
  afterZohoCheck,
  answeredLately,
  checkEveryMs,
  idleMs,
  renewability,
  shortMs,
} from './session.model.ts';
import type { SessionPorts } from './session-ports.ts';

type Ports = Pick<SessionPorts, 'database' | 'clock' | 'log' | 'derive'>;
type Presented = RefreshToken & { hash: string };

/** Says whether a Zoho user may go on; null if that cannot be learned now. */
type StillThere = (businessId: string, zohoUserId: string) => Promise<boolean | null>;

/**
 * Returns a new pair for a refresh token, and the same pair again for the same token within ten
 * seconds. A token that was used before ends the session: two hold it, and nobody can tell which
 * one is the thief. Only the last one used is forgiven while its successor was never used, because
 * its answer may have been lost.
 */
export const renewSession =
  (ports: Ports) =>
  async (refreshToken: string, stillThere: StillThere): Promise<TokenPair> => {
    const parts = parseRefreshToken(refreshToken);
    if (!parts) throw new AppError('not_signed_in');
    const { owner, family } = parts;
    const presented: Presented = { ...parts, hash: hashOf(parts.secret) };
    const found = await ports.database.transaction(owner, (tx) =>
      claimRenewal(ports, tx, presented),
    );
    if (found === 'used_before')
      ports.log.warn(
        { business_id: owner, family },
        'a refresh token came back after it was used: its session has ended',
      );
    if (!found || found === 'used_before') throw new AppError('not_signed_in');
    const answered = repeatAnswer(ports, presented, found);
    if (answered) return answered;
    const checkedAt = await checkZohoUser(ports, owner, found, stillThere);
    const renewed = await ports.database.transaction(owner, (tx) =>
      renewFound(ports, tx, presented, checkedAt),
    );
    if (!renewed) throw new AppError('not_signed_in');
    return renewed;
  };

/** Locks the session if the token may still renew it; ends it if the token was used before. */
async function claimRenewal(
  { clock }: Ports,
  tx: Tx,
  presented: Presented,
): Promise<RenewableSession | 'used_before' | null> {
  const found = await lockFamily(tx, presented.family);
  if (!found) return null;
  const verdict = renewability(found, presented.hash, clock.now());
  if (verdict === 'renewable') return found;
  await deleteFamily(tx, presented.family);
  return verdict === 'expired' ? null : verdict;
}

/**
 * Makes the next pair out of the presented token and the moment, so that it can be repeated without
 * being stored.
 */
function successorOf({ derive }: Ports, presented: Presented, at: Date) {
  const { owner, family } = presented;
  const part = (which: string) => derive(which, owner, family, presented.secret, at.toISOString());
  const token = `${owner}.${part('token')}`;
  const secret = part('refresh');
  return {
    id: split(storedId(token))[1],
    refreshHash: hashOf(secret),
    pair: { token, refreshToken: formatRefreshToken({ owner, family, secret }) },
  };
}

/** Returns the pair this token got a moment ago, if it is still the session's. */
function repeatAnswer(
  ports: Ports,
  presented: Presented,
  session: RenewableSession,
): TokenPair | null {
  const renewedAt = answeredLately(session, presented.hash, ports.clock.now());
  if (!renewedAt) return null;
  const same = successorOf(ports, presented, renewedAt);
  return same.refreshHash === session.refreshHash ? same.pair : null;
}

/** Returns when Zoho last knew the user, asking it if that was long ago. */
async function checkZohoUser(
  { database, clock }: Ports,
  owner: string,
  session: RenewableSession,
  stillThere: StillThere,
): Promise<Date> {
  const uncheckedMs = clock.now().getTime() - session.checkedAt.getTime();
  if (uncheckedMs <= checkEveryMs) return session.checkedAt;
  const verdict = afterZohoCheck(await stillThere(owner, session.zohoUserId), uncheckedMs);
  if (verdict === 'ended') {
    await database.transaction(owner, (tx) => deleteSessionsOfZohoUser(tx, session.zohoUserId));
    throw new AppError('zoho_user_ended');
  }
  if (verdict === 'unavailable') throw new AppError('books_unavailable');
  return verdict === 'checked' ? clock.now() : session.checkedAt;
}

/**
 * Renews the session and returns the new pair; null if it has ended. Zoho may have been asked in
 * between, and another frame may have been faster: then its answer is repeated.
 */
async function renewFound(
  ports: Ports,
  tx: Tx,
  presented: Presented,
  checkedAt: Date,
): Promise<TokenPair | null> {
  const found = await claimRenewal(ports, tx, presented);
  if (!found || found === 'used_before') return null;
  const answered = repeatAnswer(ports, presented, found);
  if (answered) return answered;
  const at = ports.clock.now();
  const { id, refreshHash, pair } = successorOf(ports, presented, at);
  await renewFamily(tx, presented.family, {
    id,
    refreshHash,
    previousHash: presented.hash,
    expiresAt: new Date(at.getTime() + shortMs),
    renewUntil: new Date(at.getTime() + idleMs),
    checkedAt,
    at,
  });
  return pair;
}
