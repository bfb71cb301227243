import { day, time } from '@muhuri/shared/contract/dates';
import { AppError } from '../app-error.ts';

export type Cursor = { at: string; id: string };

/** Where the next page begins: the last row's time and id, opaque to callers. */
export const cursorOf = (at: Date, id: string): string =>
  Buffer.from(JSON.stringify([at.toISOString(), id])).toString('base64url');

/**
 * Anybody can make one up: its moment is looked at like any other that is given, before the
 * database is asked about it.
 */
export function readCursor(text: string | undefined): Cursor | null {
  if (text === undefined) return null;
  try {
    const [at, id] = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as [
      string,
      string,
    ];
    if (
      typeof id === 'string' &&
      /^[a-z]{3}_[0-9a-z]{8,40}$/.test(id) &&
      time.safeParse(at).success &&
      new Date(at).toISOString() === at
    )
      return { at, id };
  } catch {
    // Falls through to the same answer.
  }
  throw new AppError('malformed', { field: 'cursor', reason: 'not one of ours' });
}

/**
 * The same for lists in the order of a document's own day; `key` tells rows of one document apart.
 */
export const dayCursorOf = (day: string, documentId: string, key: string): string =>
  Buffer.from(JSON.stringify([day, documentId, key])).toString('base64url');

export function readDayCursor(text: string | undefined): (Cursor & { key: string }) | null {
  if (text === undefined) return null;
  try {
    const [at, id, key] = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as [
      string,
      string,
      string,
    ];
    const isKey = typeof key === 'string' && /^[a-z]{1,20}\/[0-9a-z_]{0,60}$/.test(key);
    if (isKey && typeof id === 'string' && /^\d{1,25}$/.test(id) && day.safeParse(at).success)
      return { at, id, key };
  } catch {
    // Falls through to the same answer.
  }
  throw new AppError('malformed', { field: 'cursor', reason: 'not one of ours' });
}
