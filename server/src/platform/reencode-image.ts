import { crc32, inflateSync } from 'node:zlib';
import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';
import { AppError } from './app-error.ts';

/** Pixels in rows, four bytes each: red, green, blue, opacity. */
type Pixels = { width: number; height: number; data: Buffer };

export type Picture = { kind: 'png' | 'jpeg'; bytes: Buffer };

/** What is read: as much as a picture on a receipt can use. */
export const pictureMax = { bytes: 200_000, side: 2_000, pixels: 1_000_000 };
/** What is kept; larger ones are halved. A receipt shows a logo at most 47 mm wide. */
const keptPixels = 500_000;

/**
 * Reads a PNG or JPEG whole and writes it anew, so that not one byte of the file itself is kept. To
 * be called in a bounded worker, and trusted there with anything: every length, size and checksum
 * is compared with the file before a library sees it. Throws `image_refused`.
 */
export function reencodeImage(file: Uint8Array): Picture {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  try {
    if (bytes.length > pictureMax.bytes) throw new Error('too many bytes');
    return isPng(bytes)
      ? smallEnough(readPng(bytes), writePng)
      : smallEnough(readJpeg(bytes), writeJpeg);
  } catch (error) {
    throw new AppError('image_refused', {}, (error as Error).message);
  }
}

const ensure = (holds: boolean, what: string): void => {
  if (!holds) throw new Error(what);
};

function checkSize(width: number, height: number): void {
  const { side, pixels } = pictureMax;
  ensure(
    width >= 1 && height >= 1 && width <= side && height <= side && width * height <= pixels,
    `${width} by ${height} pixels`,
  );
}

// PNG (W3C, third edition)
// ----------------------------------------------------------------------------------------------------------

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const isPng = (bytes: Buffer): boolean => bytes.subarray(0, 8).equals(signature);

/** Bits a sample may have, and samples of a pixel, by colour type (section 11.2.1). */
const colourTypes: Record<number, { bits: number[]; samples: number }> = {
  0: { bits: [1, 2, 4, 8, 16], samples: 1 },
  2: { bits: [8, 16], samples: 3 },
  3: { bits: [1, 2, 4, 8], samples: 1 },
  4: { bits: [8, 16], samples: 2 },
  6: { bits: [8, 16], samples: 4 },
};

type Chunk = { type: string; body: Buffer; whole: Buffer };

/**
 * Every chunk up to the end of the picture; what follows it is nobody's business and is dropped.
 */
function chunksOf(bytes: Buffer): Chunk[] {
  const chunks: Chunk[] = [];
  for (let at = 8; chunks.at(-1)?.type !== 'IEND'; ) {
    ensure(at + 12 <= bytes.length, 'a chunk beyond the end');
    const length = bytes.readUInt32BE(at);
    ensure(length <= bytes.length - at - 12, 'a chunk longer than the file');
    const whole = bytes.subarray(at, at + 12 + length);
    const type = whole.toString('latin1', 4, 8);
    ensure(/^[A-Za-z]{4}$/.test(type), 'a chunk without a name');
    ensure(
      crc32(whole.subarray(4, 8 + length)) === whole.readUInt32BE(8 + length),
      'a wrong checksum',
    );
    chunks.push({ type, body: whole.subarray(8, 8 + length), whole });
    at += whole.length;
  }
  return chunks;
}

type Header = { width: number; height: number; bits: number; colourType: number };
type PngHeader = Header & { samples: number; isInterlaced: boolean; chunk: Chunk };

function readPng(bytes: Buffer): Pixels {
  const chunks = chunksOf(bytes);
  const header = headerOf(chunks);
  const { width, height } = header;
  checkOrder(chunks);
  const [palette, transparency] = [ofType(chunks, 'PLTE')[0], ofType(chunks, 'tRNS')[0]];
  checkColours(header, chunks);
  const rows = ofType(chunks, 'IDAT');
  const data = Buffer.concat(rows.map(({ body }) => body));
  checkRows(data, passesOf(width, height, header.isInterlaced), header.bits * header.samples);
  const end = ofType(chunks, 'IEND')[0];
  const needed = [header.chunk, palette, transparency, ...rows, end].flatMap((each) =>
    each ? [each.whole] : [],
  );
  const read = PNG.sync.read(Buffer.concat([signature, ...needed]), { checkCRC: true });
  ensure(
    read.width === width && read.height === height && read.data.length === width * height * 4,
    'another size than it says',
  );
  return { width, height, data: read.data };
}

const ofType = (chunks: Chunk[], type: string): Chunk[] =>
  chunks.filter((each) => each.type === type);

/** Reads the one header: its size and a kind of pixel that exists. */
function headerOf(chunks: Chunk[]): PngHeader {
  const headers = ofType(chunks, 'IHDR');
  const [header] = headers;
  if (!header || headers.length !== 1 || chunks[0] !== header || header.body.length !== 13)
    throw new Error('not one header');
  const [width, height] = [header.body.readUInt32BE(0), header.body.readUInt32BE(4)];
  const [bits, colourType, compression, filter, interlace] = header.body.subarray(8) as unknown as [
    number,
    number,
    number,
    number,
    number,
  ];
  checkSize(width, height);
  const kind = colourTypes[colourType];
  const samples = kind?.bits.includes(bits) ? kind.samples : 0;
  ensure(
    samples > 0 && compression === 0 && filter === 0 && interlace <= 1,
    'an unknown kind of pixel',
  );
  return { width, height, bits, colourType, samples, isInterlaced: interlace === 1, chunk: header };
}

/** A capital letter says that a reader must know the chunk; the others are left out. */
function checkOrder(chunks: Chunk[]): void {
  const critical = chunks.filter(({ type }) => /^[A-Z]/.test(type)).map(({ type }) => type);
  ensure(/^IHDR,(PLTE,)?(IDAT,)+IEND$/.test(critical.join()), 'chunks in a wrong order');
}

/** The palette has as many colours as its kind of pixel can name, and opacities for no more. */
function checkColours({ bits, colourType }: Header, chunks: Chunk[]): void {
  const [palette] = ofType(chunks, 'PLTE');
  const transparencies = ofType(chunks, 'tRNS');
  const colours = (palette?.body.length ?? 0) / 3;
  ensure(
    Number.isInteger(colours) &&
      colours <= 256 &&
      (colourType !== 3 || (colours > 0 && colours <= 2 ** bits)),
    'a wrong palette',
  );
  const opacities = { 0: 2, 2: 6, 3: colours }[colourType] ?? 0;
  ensure(
    transparencies.length <= 1 && (transparencies[0]?.body.length ?? 0) <= opacities,
    'a wrong transparency',
  );
}

type Pass = { width: number; height: number };

/** One pass over all rows, or the seven of Adam7 (section 8.1). */
function passesOf(width: number, height: number, isInterlaced: boolean): Pass[] {
  if (!isInterlaced) return [{ width, height }];
  const steps = [
    [0, 0, 8, 8],
    [4, 0, 8, 8],
    [0, 4, 4, 8],
    [2, 0, 4, 4],
    [0, 2, 2, 4],
    [1, 0, 2, 2],
    [0, 1, 1, 2],
  ] as const;
  return steps
    .map(([x, y, right, down]) => ({
      width: Math.ceil((width - x) / right),
      height: Math.ceil((height - y) / down),
    }))
    .filter((pass) => pass.width > 0 && pass.height > 0);
}

/**
 * The rows unpack to exactly what the header says, never more, and each begins with a filter that
 * exists.
 */
function checkRows(data: Buffer, passes: Pass[], bitsPerPixel: number): void {
  const rowOf = ({ width }: Pass) => 1 + Math.ceil((width * bitsPerPixel) / 8);
  const length = passes.reduce((sum, pass) => sum + pass.height * rowOf(pass), 0);
  const rows = inflateSync(data, { maxOutputLength: length });
  ensure(rows.length === length, 'fewer rows than it says');
  let at = 0;
  for (const pass of passes)
    for (let row = 0; row < pass.height; row++, at += rowOf(pass))
      ensure((rows[at] as number) <= 4, 'a filter that does not exist');
}

function writePng({ width, height, data }: Pixels): Picture {
  const png = new PNG({ width, height });
  data.copy(png.data);
  let isOpaque = true;
  for (let at = 3; at < data.length && isOpaque; at += 4) isOpaque = data[at] === 255;
  return {
    kind: 'png',
    bytes: PNG.sync.write(png, {
      colorType: isOpaque ? 2 : 6,
      inputHasAlpha: true,
      deflateLevel: 9,
    }),
  };
}

// JPEG (ITU T.81)
// -------------------------------------------------------------------------------------------------------------------

/**
 * The frame's size and shape before a decoder allocates anything for it (B.2.2): one frame, and
 * every segment inside the file.
 */
function checkFrames(bytes: Buffer): void {
  ensure(bytes.length > 4 && bytes.readUInt16BE(0) === 0xffd8, 'neither PNG nor JPEG');
  let frames = 0;
  for (let at = 2; ; ) {
    ensure(at + 4 <= bytes.length && bytes[at] === 0xff, 'a segment beyond the end');
    const marker = bytes[at + 1] as number;
    // Fill bytes may stand before a marker.
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    ensure(
      marker >= 0xc0 && marker !== 0xd9 && (marker < 0xd0 || marker > 0xd8),
      'a marker out of place',
    );
    const length = bytes.readUInt16BE(at + 2);
    ensure(length >= 2 && at + 2 + length <= bytes.length, 'a segment longer than the file');
    if (marker === 0xda) break;
    if (isFrame(marker)) {
      frames += 1;
      checkFrame(bytes, at, marker, length);
    }
    at += 2 + length;
  }
  ensure(frames === 1, 'not one frame');
}

const isFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

/** One frame's size, samples and samplings. */
function checkFrame(bytes: Buffer, at: number, marker: number, length: number): void {
  ensure(marker <= 0xc2 && length >= 11, 'an unknown kind of frame');
  const [bits, height, width, components] = [
    bytes[at + 4],
    bytes.readUInt16BE(at + 5),
    bytes.readUInt16BE(at + 7),
    bytes[at + 9] as number,
  ];
  checkSize(width, height);
  ensure(
    bits === 8 && [1, 3, 4].includes(components) && length === 8 + 3 * components,
    'an unknown kind of pixel',
  );
  for (let each = 0; each < components; each++) {
    const sampling = bytes[at + 11 + 3 * each] as number;
    ensure(
      [1, 2, 4].includes(sampling >> 4) && [1, 2, 4].includes(sampling & 15),
      'a sampling that does not exist',
    );
  }
}

function readJpeg(bytes: Buffer): Pixels {
  checkFrames(bytes);
  const { width, height, data } = jpeg.decode(bytes, {
    maxResolutionInMP: 1,
    maxMemoryUsageInMB: 96,
    tolerantDecoding: false,
  });
  checkSize(width, height);
  ensure(data.length === width * height * 4, 'another size than it says');
  return { width, height, data };
}

const writeJpeg = (pixels: Pixels): Picture => ({
  kind: 'jpeg',
  bytes: Buffer.from(jpeg.encode(pixels, 90).data),
});

// Size
// ------------------------------------------------------------------------------------------------------------------------------

/** Halved until it is no larger than what may be given: what was kept can be given again. */
function smallEnough(pixels: Pixels, write: (pixels: Pixels) => Picture): Picture {
  let kept = pixels;
  while (kept.width * kept.height > keptPixels) kept = halved(kept);
  for (;;) {
    const picture = write(kept);
    if (picture.bytes.length <= pictureMax.bytes) return picture;
    kept = halved(kept);
  }
}

/** Every four pixels become one: their mean, where what is transparent adds no colour. */
function halved({ width, height, data }: Pixels): Pixels {
  const [across, down] = [Math.max(1, width >> 1), Math.max(1, height >> 1)];
  const half = Buffer.alloc(across * down * 4);
  for (let y = 0; y < down; y++)
    for (let x = 0; x < across; x++) {
      const sum = [0, 0, 0, 0];
      for (const [right, below] of [
        [0, 0],
        [1, 0],
        [0, 1],
        [1, 1],
      ] as const) {
        const at =
          (Math.min(height - 1, 2 * y + below) * width + Math.min(width - 1, 2 * x + right)) * 4;
        const opacity = data[at + 3] as number;
        for (let sample = 0; sample < 3; sample++)
          sum[sample] = (sum[sample] as number) + (data[at + sample] as number) * opacity;
        sum[3] = (sum[3] as number) + opacity;
      }
      const [red, green, blue, opacity] = sum as [number, number, number, number];
      const target = (y * across + x) * 4;
      for (const [sample, colour] of [red, green, blue].entries())
        half[target + sample] = opacity === 0 ? 0 : Math.round(colour / opacity);
      half[target + 3] = Math.round(opacity / 4);
    }
  return { width: across, height: down, data: half };
}
