import type { Secrets } from '../config.ts';
import { evidenceSignerFrom } from '../platform/evidence-signer.ts';

/** Prints the fingerprint of the key that evidence is signed with. */
export function showEvidenceKey({ masterKey }: Secrets): void {
  console.info(evidenceSignerFrom(masterKey).fingerprint);
}
