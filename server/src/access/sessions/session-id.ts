import { sha256 } from '../../platform/digest.ts';

/** The owner of an operator's sessions; every other owner is the id of a business. */
export const operator = 'operator';

const tokenShape = /^(biz_[0-9a-f]{32}|operator)\.[A-Za-z0-9_-]{43}$/;
const refreshShape = /^rnw\.(biz_[0-9a-f]{32})\.([A-Za-z0-9_-]{16})\.([A-Za-z0-9_-]{43})$/;

/** Splits `<owner>.<rest>`, as tokens and stored ids are written. */
export function split(text: string): [owner: string, rest: string] {
  const dot = text.indexOf('.');
  return dot < 0 ? ['', ''] : [text.slice(0, dot), text.slice(dot + 1)];
}

export const isToken = (text: string): boolean => tokenShape.test(text);

/** The parts of a refresh token: whose it is, the sessions it renews, and its secret. */
export type RefreshToken = { owner: string; family: string; secret: string };

/** Reads a refresh token; null for anything else. */
export function parseRefreshToken(text: string): RefreshToken | null {
  const [, owner, family, secret] = refreshShape.exec(text) ?? [];
  return owner && family && secret ? { owner, family, secret } : null;
}

export const formatRefreshToken = ({ owner, family, secret }: RefreshToken): string =>
  `rnw.${owner}.${family}.${secret}`;

/** Returns the id under which a token's session is stored: `<owner>.<sha256 of the secret>`. */
export function storedId(token: string): string {
  const [owner, secret] = split(token);
  return `${owner}.${sha256(secret)}`;
}
