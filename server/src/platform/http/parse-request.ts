import { bodyKbOf, type Endpoint } from '@muhuri/shared/contract/index';
import { clean, cut, firstNul, mapStrings } from '@muhuri/shared/text';
import type { Context as HonoContext } from 'hono';
import { z } from 'zod';
import { AppError } from '../app-error.ts';

/**
 * People's own text: U+0000, which nobody types, is refused with the field it stands in; half of a
 * surrogate pair, as an editor leaves it that cuts an emoji in two, becomes U+FFFD. Other controls
 * are the field's: it may refuse them, and what it lets pass comes in as blanks.
 */
export function readable(value: unknown, where: 'body' | 'query' | 'path'): unknown {
  if (!isWithin(value, depthMost))
    throw malformed(where, `it is nested deeper than ${depthMost} levels`);
  const nul = firstNul(value);
  if (nul !== null) throw malformed(nul || where, 'it holds the character U+0000');
  return mapStrings(value, (text) => text.toWellFormed());
}

const depthMost = 64;

/**
 * Names of fields are the caller's own where they are wrong: no answer, log or sentence grows with
 * them.
 */
const malformed = (field: string, reason: string): AppError =>
  new AppError('malformed', { field: cut(field, namedMost), reason: cut(reason, namedMost) });
const namedMost = 300;

/** Whether a value is nested no deeper than that. */
const isWithin = (value: unknown, levels: number): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (levels > 0 && Object.values(value).every((each) => isWithin(each, levels - 1)));

/** Passwords and tokens are compared, never shown or printed: they stay as they were given. */
const isSecret = (key: string) => /password|secret|token/.test(key);

/**
 * Tabs, line breaks and other controls of a text that its field let pass, as blanks: it goes into
 * tables of one line each and on paper. A text of nothing else is none.
 */
function onOneLine(value: unknown, path = ''): unknown {
  if (typeof value === 'string') {
    const text = clean(value);
    if (text !== value && text.trim() === '')
      throw malformed(path, 'it holds nothing but control characters');
    return text;
  }
  if (typeof value !== 'object' || value === null) return value;
  const within = (key: string | number, each: unknown) =>
    onOneLine(each, path === '' ? String(key) : `${path}.${key}`);
  if (Array.isArray(value)) return value.map((each, i) => within(i, each));
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, isSecret(key) ? each : within(key, each)]),
  );
}

export function parse(schema: z.ZodType, value: unknown, where: 'body' | 'query'): unknown {
  // A list would be said to lack the fields of an object, which nobody who sent one looks for.
  if (
    schema instanceof z.ZodObject &&
    (typeof value !== 'object' || value === null || Array.isArray(value))
  )
    throw new AppError('malformed', {
      field: where,
      reason: `the ${where} is ${Array.isArray(value) ? 'a list' : JSON.stringify(value).slice(0, 20)}, not an object`,
    });
  const parsed = schema.safeParse(value);
  if (parsed.success) return onOneLine(parsed.data);
  const issue = parsed.error.issues[0];
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const field = [...(issue?.path ?? []), ...(unknown === undefined ? [] : [unknown])].join('.');
  throw malformed(field || where, issue?.message ?? 'malformed');
}

/**
 * The body. One in chunks does not say how long it is: it is counted while it is read, which begins
 * only here, where its caller is known and has a share of the memory for it. What goes beyond is
 * taken off the wire, bounded, but not kept.
 */
export async function bodyOf(c: HonoContext, endpoint: Endpoint): Promise<Buffer<ArrayBuffer>> {
  if (c.req.header('transfer-encoding') === undefined)
    return Buffer.from(await c.req.arrayBuffer());
  const most = bodyKbOf(endpoint) * 1024;
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of c.req.raw.body ?? []) {
    bytes += part.byteLength;
    if (bytes <= most) parts.push(part);
    if (bytes > 10 << 20) break;
  }
  if (bytes > most) throw new AppError('too_large');
  return Buffer.concat(parts);
}

/**
 * What was sent; a client that hung up, or was dropped for being slow, sent half of it, and that is
 * nobody's fault here.
 */
export async function arrived<T>(body: Promise<T>): Promise<T> {
  try {
    return await body;
  } catch (error) {
    if (error instanceof Error && (error.name === 'AbortError' || error.message === 'aborted'))
      throw new AppError('malformed', { field: 'body', reason: 'it did not arrive whole' });
    throw error;
  }
}

export function jsonOf(raw: string): unknown {
  if (raw === '') return {};
  let body: unknown;
  try {
    body = JSON.parse(raw.replace(/^\ufeff/, ''));
  } catch {
    throw new AppError('malformed', { field: 'body', reason: `the body is ${nameOfForm(raw)}` });
  }
  return readable(body, 'body');
}

/** What was sent instead of JSON, as far as it shows. */
function nameOfForm(raw: string): string {
  if (/^\s*--\S+\r?\n/.test(raw)) return 'multipart, not JSON';
  return /^[\w.%[\]+-]+=/.test(raw) ? 'a form, not JSON' : 'not JSON';
}
