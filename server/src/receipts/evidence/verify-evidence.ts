import { fingerprintOf, isSignedBy } from '../../platform/evidence-signer.ts';
import type { Dialects } from '../../ports/dialect/index.ts';
import { contentChecks, type NamedCheck, packChecks, signingSendsOf } from './evidence-checks.ts';
import type { EvidencePack, SignedPack } from './evidence-pack.ts';

export type Check = { what: string; holds: boolean; note?: string };

/** Papers that should be among the prints, and the keys that may have signed the pack. */
type Given = { pdfs?: Buffer[]; fingerprints?: string[]; anyKey?: boolean };

/**
 * Checks an evidence pack with nothing but itself: who vouches for it, that request, answer,
 * signature, code, trail and papers fit each other. `pdfs`: papers that should be among its prints;
 * `fingerprints`: of the keys that may have signed it. A pack that somebody else has made up and
 * signed fits in itself just as well: without a named key nothing is proven, unless it is said that
 * any key will do.
 */
export function verifyEvidence(
  file: unknown,
  ports: { dialects: Dialects; version: string },
  given: Given = {},
): Check[] {
  if (!isSignedPack(file)) return [{ what: 'is an evidence pack', holds: false }];
  const checks = make(fileChecks, { file, given });
  const pack = JSON.parse(file.pack) as EvidencePack;
  if (pack.format !== 'muhuri-evidence/1')
    return [
      ...checks,
      { what: 'has a form this version knows', holds: false, note: String(pack.format) },
    ];
  checks.push(...make(packChecks, pack));
  const dialect = ports.dialects.all().find(({ identity }) => identity.key === pack.device.dialect);
  if (!dialect)
    return [
      ...checks,
      { what: 'is of an authority this version knows', holds: false, note: pack.device.dialect },
    ];
  const { version } = ports;
  const { pdfs = [] } = given;
  const content = { pack, dialect, signing: signingSendsOf(pack), version, pdfs };
  return [...checks, ...make(contentChecks, content)];
}

const isSignedPack = (file: unknown): file is SignedPack => {
  const signed = file as SignedPack | null | undefined;
  return [signed?.pack, signed?.public_key, signed?.signature].every(
    (each) => typeof each === 'string',
  );
};

const make = <Subject>(checks: NamedCheck<Subject>[], subject: Subject): Check[] =>
  checks.flatMap(({ what, of }) =>
    [of(subject)].flat().flatMap((result) => {
      if (!result) return [];
      const { holds, note } = result;
      return [{ what, holds, ...(note ? { note } : {}) }];
    }),
  );

/** Who vouches for the pack. */
const fileChecks: NamedCheck<{ file: SignedPack; given: Given }>[] = [
  {
    what: 'the pack is as it was signed',
    of: ({ file }) => ({
      holds: isSignedBy(file.public_key, file.pack, file.signature),
      note: `key ${fingerprintOf(file.public_key)}`,
    }),
  },
  {
    what: 'the key is the one that was named',
    of: ({ file, given: { fingerprints = [] } }) =>
      fingerprints.length > 0
        ? { holds: fingerprints.includes(fingerprintOf(file.public_key)) }
        : null,
  },
  {
    what: 'nobody has said whose key this is',
    of: ({ given: { fingerprints = [], anyKey } }) =>
      fingerprints.length > 0 || anyKey
        ? null
        : { holds: false, note: 'name it with --key, or say --any-key' },
  },
];
