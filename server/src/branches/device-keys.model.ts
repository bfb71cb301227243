/** Who a device is: keys that were given to another one would open nothing here. */
type Identity = { serial: string; environment: string; dialect: string };

/** Says whether a device's row now names another device than the one that was asked. */
export const isRenamed = (known: Identity, asked: Identity): boolean =>
  known.serial !== asked.serial ||
  known.environment !== asked.environment ||
  known.dialect !== asked.dialect;

/**
 * Keys as they are kept, decrypted (null if there are none), and when the device was asked for them;
 * null if a person typed them in.
 */
export type KeptKeys = { keys: unknown; askedAt: Date | null };

/** Says whether two sets of keys are the same, as after a commit whose answer was lost. */
export const isSame = (one: unknown, other: unknown): boolean =>
  JSON.stringify(one) === JSON.stringify(other);

/**
 * Decides where keys go that a device has given and that are not kept already. Asked twice, the keys
 * of the later question hold; the keys of another device, or of an earlier question, are set aside
 * and never dropped.
 */
export function placeOfKeys(
  kept: KeptKeys,
  given: { askedAt: Date; isAnother: boolean },
): 'aside' | 'in_place' {
  const isEarlier = kept.keys !== null && kept.askedAt !== null && kept.askedAt > given.askedAt;
  return given.isAnother || isEarlier ? 'aside' : 'in_place';
}
