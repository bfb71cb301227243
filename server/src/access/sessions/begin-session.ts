import { randomBytes } from 'node:crypto';
import { hashOf, newSecret } from '../credential.ts';
import type { Renewal } from './renewal.store.ts';
import { formatRefreshToken, storedId } from './session-id.ts';
import { idleMs, shortMs } from './session.model.ts';
import type { SessionPorts } from './session-ports.ts';
import type { SessionAttributes } from './session.store.ts';

type Ports = Pick<SessionPorts, 'clock' | 'lucia'>;

/** A token, and the refresh token that renews both of them once. */
export type TokenPair = { token: string; refreshToken: string };

/**
 * Begins a session and returns its bearer token. `owner` is a business id or `operator`, `member`
 * the membership or the person.
 */
export const beginSession =
  ({ lucia }: Pick<Ports, 'lucia'>) =>
  async (
    owner: string,
    member: string,
    attributes: SessionAttributes,
  ): Promise<{ token: string; expiresAt: Date }> => {
    const token = `${owner}.${randomBytes(32).toString('base64url')}`;
    const session = await lucia.createSession(`${owner}.${member}`, attributes as never, {
      sessionId: storedId(token),
    });
    return { token, expiresAt: session.expiresAt };
  };

/** Begins a session of a Zoho user: a short-lived token, and another one that renews both. */
export const beginRenewable =
  ({ clock, lucia }: Ports) =>
  async (
    owner: string,
    member: string,
    from: Pick<SessionAttributes, 'address' | 'userAgent' | 'awaitsSecondFactor'>,
    zohoUserId: string,
  ): Promise<TokenPair> => {
    const [token, secret] = [`${owner}.${newSecret()}`, newSecret()];
    const family = randomBytes(12).toString('base64url');
    const now = clock.now().getTime();
    const renewal: Renewal = {
      family,
      refreshHash: hashOf(secret),
      zohoUserId,
      expiresAt: new Date(now + shortMs),
      renewUntil: new Date(now + idleMs),
    };
    await lucia.createSession(
      `${owner}.${member}`,
      { ...from, verifiedAt: null, renewal } as never,
      { sessionId: storedId(token) },
    );
    return { token, refreshToken: formatRefreshToken({ owner, family, secret }) };
  };
