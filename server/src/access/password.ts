import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify(argon2);

// OWASP's minimum for Argon2id: 19 MiB, two passes, one lane.
const cost = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 };

/**
 * `argon2id$<memory>$<passes>$<salt>$<tag>`: the costs travel with the hash, so that they can be
 * raised later.
 */
export async function hashPassword(password: string): Promise<string> {
  const nonce = randomBytes(16);
  const tag = await derive('argon2id', {
    message: Buffer.from(password.normalize('NFKC')),
    nonce,
    ...cost,
  });
  return [
    'argon2id',
    cost.memory,
    cost.passes,
    nonce.toString('base64url'),
    tag.toString('base64url'),
  ].join('$');
}

/**
 * Takes as long for an unknown person as for a wrong password: pass `null` and the answer is no,
 * after the same work.
 */
export async function checkPassword(password: string, stored: string | null): Promise<boolean> {
  const [kind, memory, passes, salt, tag] = (stored ?? (await unknownPerson())).split('$');
  if (kind !== 'argon2id' || !salt || !tag) return false;
  const expected = Buffer.from(tag, 'base64url');
  const given = await derive('argon2id', {
    message: Buffer.from(password.normalize('NFKC')),
    nonce: Buffer.from(salt, 'base64url'),
    ...cost,
    memory: Number(memory),
    passes: Number(passes),
    tagLength: expected.length,
  });
  return timingSafeEqual(given, expected) && stored !== null;
}

let made: Promise<string> | undefined;
const unknownPerson = () => {
  made ??= hashPassword(randomBytes(16).toString('hex'));
  return made;
};
