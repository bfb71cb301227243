import { createHmac, hkdfSync } from 'node:crypto';

/**
 * A secret of 256 bits made from what it is for: the same parts give the same secret, and only
 * whoever holds the master key can make it. So a secret can be said again without being stored.
 */
export type DeriveSecret = (...parts: string[]) => string;

/**
 * `purpose` names a key of its own, so that the secrets of one use say nothing about those of
 * another.
 */
export function secretsFrom(masterKey: Buffer, purpose: string): DeriveSecret {
  const key = Buffer.from(hkdfSync('sha256', masterKey, '', `muhuri ${purpose}`, 32));
  return (...parts) => createHmac('sha256', key).update(JSON.stringify(parts)).digest('base64url');
}
