import { crc32, deflateSync } from 'node:zlib';

/**
 * Pictures by hand: right ones of every kind, and wrong ones as somebody who means harm writes
 * them.
 */
export type Shape = {
  width: number;
  height: number;
  bits: number;
  colourType: number;
  isInterlaced?: boolean;
};

export function chunk(type: string, body: Buffer, length = body.length): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(length >>> 0, 0);
  head.write(type, 4, 'latin1');
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(Buffer.concat([head.subarray(4), body])), 0);
  return Buffer.concat([head, body, sum]);
}

function header({ width, height, bits, colourType, isInterlaced = false }: Shape): Buffer {
  const body = Buffer.alloc(13);
  body.writeUInt32BE(width, 0);
  body.writeUInt32BE(height, 4);
  body.set([bits, colourType, 0, 0, isInterlaced ? 1 : 0], 8);
  return chunk('IHDR', body);
}

const samplesOf = (colourType: number) => ({ 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 })[colourType] as number;
const adam7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** Rows without filter, where each sample is asked for by its place. */
function rows(shape: Shape, sampleAt: (x: number, y: number, sample: number) => number): Buffer {
  const { width, height, bits, colourType, isInterlaced } = shape;
  const samples = samplesOf(colourType);
  const parts: Buffer[] = [];
  for (const [x0, y0, right, down] of isInterlaced ? adam7 : ([[0, 0, 1, 1]] as const)) {
    if (x0 >= width) continue;
    for (let y = y0; y < height; y += down) {
      const row = Buffer.alloc(
        1 + Math.ceil((Math.ceil((width - x0) / right) * samples * bits) / 8),
      );
      let bit = 8;
      for (let x = x0; x < width; x += right)
        for (let sample = 0; sample < samples; sample++, bit += bits) {
          const value = sampleAt(x, y, sample);
          if (bits === 16) row.writeUInt16BE(value, bit >> 3);
          else row[bit >> 3] = (row[bit >> 3] as number) | (value << (8 - bits - (bit & 7)));
        }
      parts.push(row);
    }
  }
  return Buffer.concat(parts);
}

const start = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const end = chunk('IEND', Buffer.alloc(0));
const small: Shape = { width: 10, height: 10, bits: 8, colourType: 6 };

const pngOf = (...chunks: Buffer[]): Buffer => Buffer.concat([start, ...chunks, end]);

export function png(
  shape: Shape,
  sampleAt: (x: number, y: number, sample: number) => number,
  ...before: Buffer[]
): Buffer {
  return pngOf(
    header(shape),
    ...before,
    chunk('IDAT', deflateSync(rows(shape, sampleAt), { level: 9 })),
  );
}

export const goodPng = png(small, (x, y, sample) => (sample === 3 ? 255 : (x * 20 + y * 5) & 255));

const smallRows = rows(small, () => 0);
const withFilter = (filter: number) =>
  Buffer.from(smallRows.map((byte, at) => (at % 41 === 0 ? filter : byte)));

/**
 * Each of these ended or froze the process when a PDF library was let near it, or made it hold a
 * gigabyte.
 */
export const hostilePngs: Record<string, Buffer> = {
  'rows that are no zlib stream': pngOf(
    header(small),
    chunk('IDAT', Buffer.from('not a zlib stream')),
  ),
  'a filter that does not exist': pngOf(header(small), chunk('IDAT', deflateSync(withFilter(9)))),
  'a second header of 60000 by 60000': pngOf(
    header(small),
    header({ ...small, width: 60_000, height: 60_000 }),
    chunk('IDAT', deflateSync(smallRows)),
  ),
  'a chunk of length -12': pngOf(
    header(small),
    chunk('tEXt', Buffer.alloc(0), -12),
    chunk('IDAT', deflateSync(smallRows)),
  ),
  'rows that claim two gigabytes': pngOf(
    header(small),
    chunk('IDAT', deflateSync(smallRows), 0x7fffff00),
  ),
  'rows that unpack to far more than the header says': pngOf(
    header(small),
    chunk('IDAT', deflateSync(Buffer.alloc(50_000_000), { level: 9 })),
  ),
  'fewer rows than the header says': pngOf(
    header(small),
    chunk('IDAT', deflateSync(smallRows.subarray(41))),
  ),
  'a wrong checksum': Buffer.from(goodPng.map((byte, at) => (at === 45 ? byte ^ 1 : byte))),
  'no palette where one is needed': pngOf(
    header({ ...small, colourType: 3 }),
    chunk('IDAT', deflateSync(Buffer.alloc(110))),
  ),
  'a colour beyond the palette': png(
    { ...small, colourType: 3 },
    () => 9,
    chunk('PLTE', Buffer.alloc(6)),
  ),
  'more pixels than a receipt can use': png(
    { ...small, width: 1_500, height: 1_500, colourType: 0 },
    () => 0,
  ),
  'a compressed profile that unpacks to fifty megabytes, and no rows': pngOf(
    header(small),
    chunk(
      'iCCP',
      Buffer.concat([Buffer.from('x\0\0'), deflateSync(Buffer.alloc(50_000_000), { level: 9 })]),
    ),
  ),
  'an end within the header': goodPng.subarray(0, 30),
};

/** Valid, and dear: sixteen bits, interlaced, of 2000 by 2000. */
export const dearPng = (): Buffer =>
  png({ width: 2_000, height: 2_000, bits: 16, colourType: 6, isInterlaced: true }, () => 0x1234);
