import { AppError } from '../platform/app-error.ts';

let common: Promise<Set<string>> | undefined;

/** The fifty thousand passwords people choose most, loaded when the first password is set. */
const commonPasswords = () => {
  common ??= import('@zxcvbn-ts/language-common').then(
    (module) =>
      new Set(
        (module as unknown as { dictionary: Record<string, string[]> }).dictionary[
          'passwords-common'
        ],
      ),
  );
  return common;
};

/**
 * Length is what counts (at least twelve, by the contract); beyond that a password may not be a
 * common one, a common one with a tail or said twice, one character or two repeated, or made of
 * what everybody knows about its owner.
 */
export async function checkNewPassword(
  password: string,
  known: string[],
  field = 'password',
): Promise<void> {
  const lower = password.normalize('NFKC').toLowerCase();
  const list = await commonPasswords();
  const core = lower.replace(/[^a-z]+$/, '').replace(/^[^a-z]+/, '');
  const half = lower.slice(0, Math.floor(lower.length / 2));
  const isCommon =
    [lower, core].some((each) => each.length > 3 && list.has(each)) ||
    (half + half === lower && list.has(half));
  const isPlain =
    new Set(lower).size < 4 ||
    /^(?:0?123456789+0*1?2?3?4?|abcdefghijkl.*|qwertyuiop.*)$/.test(lower);
  const names = known
    .flatMap((each) => each.toLowerCase().split(/[@.\s_-]+/))
    .filter((each) => each.length > 3);
  const isOwn = names.some((name) => lower.replaceAll(name, '').length < 6);
  if (isCommon || isPlain || isOwn) throw new AppError('password_weak', { field });
}
