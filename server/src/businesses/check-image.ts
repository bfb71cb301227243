import { AppError } from '../platform/app-error.ts';

const bytesMax = 200_000;
const sideMax = 2_000;

/**
 * Whether a data URL is what it says: a PNG or JPEG by its own bytes, of a size a receipt can carry. Nothing that could hold script (SVG)
 * or more pixels than memory is let near the PDF library.
 */
export function checkImage(dataUrl: string, field: string): void {
  const [, kind, body] = /^data:image\/(png|jpeg);base64,([A-Za-z0-9+/]+={0,2})$/.exec(dataUrl) ?? [];
  const bytes = Buffer.from(body ?? '', 'base64');
  const size = kind === 'png' ? pngSize(bytes) : kind === 'jpeg' ? jpegSize(bytes) : null;
  if (!size || bytes.length > bytesMax || size.width < 1 || size.height < 1 || size.width > sideMax || size.height > sideMax)
    throw new AppError('image_refused', { field });
}

type Size = { width: number; height: number } | null;

function pngSize(bytes: Buffer): Size {
  const isPng = bytes.subarray(0, 8).equals(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]));
  if (!isPng || bytes.length < 45 || bytes.toString('latin1', 12, 16) !== 'IHDR' || bytes.toString('latin1', bytes.length - 8, bytes.length - 4) !== 'IEND')
    return null;
  return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
}

/** The frame header says the size (ITU T.81, B.2.2). */
function jpegSize(bytes: Buffer): Size {
  if (bytes.length < 4 || bytes[0] !== 0xff || bytes[1] !== 0xd8 || bytes[2] !== 0xff) return null;
  for (let at = 2; at + 9 < bytes.length; ) {
    if (bytes[at] !== 0xff) return null;
    const marker = bytes[at + 1] as number;
    if (marker >= 0xc0 && marker <= 0xc2) return { height: bytes.readUInt16BE(at + 5), width: bytes.readUInt16BE(at + 7) };
    if (marker === 0xda) return null;
    at += 2 + bytes.readUInt16BE(at + 2);
  }
  return null;
}
