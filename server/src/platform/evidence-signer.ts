import { createPrivateKey, createPublicKey, hkdfSync, sign, verify } from 'node:crypto';
import { sha256 } from './digest.ts';

/** Signs evidence packs, so that anyone can verify later that they were not altered. */
export type EvidenceSigner = {
  /** Names the key: what a verifier compares with what the operator says. */
  fingerprint: string;
  publicKey: string;
  sign(text: string): string;
};

// An Ed25519 key in PKCS #8 is this prefix and 32 bytes (RFC 8410).
const prefix = Buffer.from('302e020100300506032b657004220420', 'hex');

/**
 * A key of its own made from the master key: nothing more to keep, and nothing of the master key to
 * be learnt from it.
 */
export function evidenceSignerFrom(masterKey: Buffer): EvidenceSigner {
  const seed = Buffer.from(hkdfSync('sha256', masterKey, '', 'muhuri evidence', 32));
  const privateKey = createPrivateKey({
    key: Buffer.concat([prefix, seed]),
    format: 'der',
    type: 'pkcs8',
  });
  const publicKey = createPublicKey(privateKey)
    .export({ format: 'der', type: 'spki' })
    .toString('base64url');
  return {
    fingerprint: fingerprintOf(publicKey),
    publicKey,
    sign: (text) => sign(null, Buffer.from(text), privateKey).toString('base64url'),
  };
}

export const fingerprintOf = (publicKey: string): string => sha256(publicKey).slice(0, 32);

export function isSignedBy(publicKey: string, text: string, signature: string): boolean {
  try {
    const key = createPublicKey({
      key: Buffer.from(publicKey, 'base64url'),
      format: 'der',
      type: 'spki',
    });
    return verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64url'));
  } catch {
    return false;
  }
}
