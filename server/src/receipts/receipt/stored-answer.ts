import { cut, storable } from '@muhuri/shared/text';
import type { DeviceAnswer } from '../../ports/dialect/index.ts';

/**
 * An answer as it is kept: what can be read of it, and its bytes where the text is not exactly
 * them.
 */
export type KeptAnswer = { text: string; raw: Buffer | null };

const charactersMax = 20_000;
const bytesMax = 65_536;

/**
 * What is kept of an answer. It is evidence, so its bytes are what counts: where they are no text
 * that a table can hold (U+0000, another encoding, half a character, a mark of byte order), or more
 * than is shown, they are kept beside it, up to 64 KiB and one byte, which says that there was
 * more. The outcome of a send never depends on them.
 */
export function keptAnswer(answer: DeviceAnswer): KeptAnswer {
  const text = storable(cut(answer.body, charactersMax));
  const bytes = answer.bytes ?? Buffer.from(answer.body);
  return { text, raw: bytes.equals(Buffer.from(text)) ? null : bytes.subarray(0, bytesMax + 1) };
}

/**
 * Whether more came than is kept; of what was kept before that one byte was, exactly 64 KiB may be
 * the beginning of more.
 */
export const isCut = ({ raw }: KeptAnswer): boolean => raw !== null && raw.length >= bytesMax;

/** The bytes that came, of an answer as it is kept. */
export const bytesOf = ({ text, raw }: KeptAnswer): Buffer => raw ?? Buffer.from(text);
