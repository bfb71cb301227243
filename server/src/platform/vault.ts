import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/**
 * Envelope encryption: each owner (a business or a grant) has a data key, wrapped by the master
 * key; each secret is sealed by its owner's data key. AES-256-GCM throughout, with owner and field
 * as associated data, so that a sealed value copied to another owner or another field does not
 * open. Destroying a wrapped data key erases every secret of its owner. Text form:
 * `v1.<nonce>.<ciphertext with tag>`, base64url.
 */
export type Vault = {
  newDataKey(owner: string): string;
  encrypt(wrappedKey: string, owner: string, field: string, secret: string): string;
  decrypt(wrappedKey: string, owner: string, field: string, sealed: string): string;
  /** The same data key under the present master key. */
  rewrap(wrappedKey: string, owner: string): string;
};

/**
 * `previous`: the master key before, while data keys are being moved from it to the present one.
 */
export function vaultFrom(masterKey: Buffer, previous: Buffer | null = null): Vault {
  if ([masterKey, previous ?? masterKey].some((key) => key.length !== 32))
    throw new Error('the master key must be 32 bytes');
  const unwrap = (owner: string, wrapped: string): Buffer => {
    try {
      return decrypt(masterKey, `key:${owner}`, wrapped);
    } catch (error) {
      if (!previous) throw error;
      return decrypt(previous, `key:${owner}`, wrapped);
    }
  };
  return {
    newDataKey: (owner) => encrypt(masterKey, `key:${owner}`, randomBytes(32)),
    rewrap: (wrapped, owner) => encrypt(masterKey, `key:${owner}`, unwrap(owner, wrapped)),
    encrypt: (wrapped, owner, field, secret) =>
      encrypt(unwrap(owner, wrapped), `${owner}:${field}`, Buffer.from(secret, 'utf8')),
    decrypt: (wrapped, owner, field, sealed) =>
      decrypt(unwrap(owner, wrapped), `${owner}:${field}`, sealed).toString('utf8'),
  };
}

const authTagLength = 16;

function encrypt(key: Buffer, associated: string, plain: Buffer): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength }).setAAD(
    Buffer.from(associated),
  );
  const body = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  return `v1.${nonce.toString('base64url')}.${body.toString('base64url')}`;
}

function decrypt(key: Buffer, associated: string, sealed: string): Buffer {
  const [version, nonce, body] = sealed.split('.');
  if (version !== 'v1' || !nonce || !body) throw new Error('a sealed value has an unknown form');
  const bytes = Buffer.from(body, 'base64url');
  // A tag cut short would be easier to hit: its length is given here, and never taken from what
  // came.
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(nonce, 'base64url'), {
    authTagLength,
  }).setAAD(Buffer.from(associated));
  decipher.setAuthTag(bytes.subarray(-authTagLength));
  return Buffer.concat([decipher.update(bytes.subarray(0, -authTagLength)), decipher.final()]);
}
