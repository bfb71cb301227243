import { z } from 'zod';
import type { DeviceAnswer } from '../ports/dialect.ts';

/** The envelope every system of the family answers with, HTTP 200 even for a refusal. */
const envelope = z.looseObject({
  resultCd: z.union([z.string(), z.number()]).transform((code) => String(code).padStart(3, '0')),
  resultMsg: z
    .string()
    .nullish()
    .transform((text) => text ?? ''),
  data: z.unknown(),
});

export type Envelope = { code: string; text: string; data: unknown };

/**
 * The envelope, or null where the answer is none (HTML of a web server without its VSDC, half a body, a status of its own). Numbers
 * arrive as their source text, so that no counter or amount passes through a binary float.
 */
export function readEnvelope(answer: DeviceAnswer): Envelope | null {
  if (answer.status !== 200) return null;
  const parsed = envelope.safeParse(parseExactly(answer.body));
  return parsed.success ? { code: parsed.data.resultCd, text: parsed.data.resultMsg, data: parsed.data.data } : null;
}

type Reviver = (key: string, value: unknown, context: { source: string }) => unknown;

export function parseExactly(text: string): unknown {
  const keepSource: Reviver = (_key, value, context) => (typeof value === 'number' ? context.source : value);
  try {
    return JSON.parse(text, keepSource as (key: string, value: unknown) => unknown);
  } catch {
    return null;
  }
}

/** A decimal as a JSON number with exactly its digits (`9450`, `1441.53`): the devices want numbers, not text. */
export const number = (amount: string): unknown =>
  (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(amount.includes('.') ? amount.replace(/\.?0+$/, '') : amount);

/** Cut to the length of a field: one long name would refuse the whole sale. Counts characters, not halves of them. */
export const cut = (text: string, length: number): string => [...text].slice(0, length).join('');
