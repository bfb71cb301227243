import { z } from 'zod';

/**
 * Calendars begin with a year 0 and never end; what stores and compares days does not go along. No
 * document, key or person is of other centuries.
 */
const isUsual = (text: string) => /^(?:19|2\d)\d\d-/.test(text);
const between = 'must lie between 1900 and 2999';

/** A day such as `2026-11-20`. */
export const day = z.iso.date().refine(isUsual, between);
/** A moment with its offset, such as `2026-11-20T10:00:00Z`. */
export const time = z.iso.datetime({ offset: true }).refine(isUsual, between);
