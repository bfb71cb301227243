import { createHash, randomBytes } from 'node:crypto';

/**
 * `<kind>.<owner>.<secret>`: a credential carries its business in its text, so that it opens the
 * ordinary door.
 */
export const newSecret = (): string => randomBytes(32).toString('base64url');

export const hashOf = (secret: string): string =>
  createHash('sha256').update(secret).digest('base64url');

const shape = /^(inv|key|way)\.(biz_[0-9a-f]{32})\.([A-Za-z0-9_-]{43})$/;

/** The parts of a credential; null for anything else, without a look into the database. */
export function readCredential(
  text: string,
  kind: 'inv' | 'key' | 'way',
): { businessId: string; hash: string } | null {
  const [, found, businessId, secret] = shape.exec(text) ?? [];
  return found === kind && businessId && secret ? { businessId, hash: hashOf(secret) } : null;
}
