import fc from 'fast-check';
import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';
import { expect, test } from 'vitest';
import { pictureMax, reencodeImage } from './reencode-image.ts';
import { chunk, dearPng, goodPng, hostilePngs, png } from './reencode-image.samples.ts';

const pixelsOf = (bytes: Buffer) => PNG.sync.read(bytes).data;

test('a PNG of every kind of pixel, interlaced or not, is kept as the same picture in one plain form', () => {
  const kinds = [
    [0, 1],
    [0, 2],
    [0, 4],
    [0, 8],
    [0, 16],
    [2, 8],
    [2, 16],
    [3, 1],
    [3, 2],
    [3, 4],
    [3, 8],
    [4, 8],
    [4, 16],
    [6, 8],
    [6, 16],
  ] as const;
  for (const [colourType, bits] of kinds)
    for (const isInterlaced of [false, true]) {
      const most = 2 ** bits - 1;
      const colours = Array.from({ length: Math.min(256, most + 1) }, (_, i) => [
        (i * 37) & 255,
        (i * 91) & 255,
        (i * 53) & 255,
      ]);
      const valueAt = (x: number, y: number, sample: number) =>
        (x * 3 + y * 5 + sample * 7) % (most + 1);
      const palette = colourType === 3 ? [chunk('PLTE', Buffer.from(colours.flat()))] : [];
      const given = png(
        { width: 19, height: 11, bits, colourType, isInterlaced },
        valueAt,
        ...palette,
      );
      const kept = reencodeImage(given);
      expect(kept.kind).toBe('png');
      const read = pixelsOf(kept.bytes);
      const scaled = (value: number) =>
        bits === 16 ? (value * 255) / most : Math.round((value * 255) / most);
      for (let y = 0; y < 11; y++)
        for (let x = 0; x < 19; x++) {
          const value = (sample: number) => scaled(valueAt(x, y, sample));
          const grey = [value(0), value(0), value(0)];
          const expected = {
            0: [...grey, 255],
            2: [value(0), value(1), value(2), 255],
            3: [...(colours[valueAt(x, y, 0)] ?? []), 255],
            4: [...grey, value(1)],
            6: [value(0), value(1), value(2), value(3)],
          }[colourType];
          const found = [...read.subarray((y * 19 + x) * 4, (y * 19 + x) * 4 + 4)];
          for (const [sample, each] of found.entries())
            expect(
              Math.abs(each - (expected[sample] as number)),
              `${colourType}/${bits}`,
            ).toBeLessThanOrEqual(1);
        }
    }
});

test('what was kept is kept the same when it is given again, and nothing of the file but its pixels', () => {
  const secret = Buffer.from('text that somebody hid');
  const kept = reencodeImage(
    Buffer.concat([
      png({ width: 9, height: 9, bits: 8, colourType: 2 }, (x) => x, chunk('tEXt', secret)),
      secret,
    ]),
  );
  expect(kept.bytes.includes(secret)).toBe(false);
  expect(reencodeImage(kept.bytes).bytes.equals(kept.bytes)).toBe(true);
});

test('a JPEG is read whole and written anew; a large one is halved until it can be kept', () => {
  const data = Buffer.alloc(900 * 1_000 * 4);
  for (let at = 0; at < data.length; at++) data[at] = (at * 2_654_435_761) >>> 24;
  const file = Buffer.from(jpeg.encode({ width: 900, height: 1_000, data }, 1).data);
  expect(file.length).toBeLessThan(pictureMax.bytes);
  const kept = reencodeImage(file);
  expect(kept.kind).toBe('jpeg');
  expect(kept.bytes.length).toBeLessThanOrEqual(pictureMax.bytes);
  expect(jpeg.decode(kept.bytes)).toMatchObject({ width: 450, height: 500 });
});

test.for(Object.entries(hostilePngs))('a PNG with %s is refused', ([, file]) => {
  expect(() => reencodeImage(file)).toThrow(expect.objectContaining({ code: 'image_refused' }));
});

test('a valid picture with more pixels than a receipt can use is refused before one of them is unpacked', () => {
  const file = dearPng();
  // Of this thread's own time: how long others keep it waiting says nothing.
  const began = process.threadCpuUsage();
  expect(() => reencodeImage(file)).toThrow(expect.objectContaining({ code: 'image_refused' }));
  expect(process.threadCpuUsage(began).user).toBeLessThan(100_000);
});

test('a file changed anywhere is a picture or is refused, never anything else', () => {
  const data = Buffer.alloc(24 * 24 * 4, 90);
  const photo = Buffer.from(jpeg.encode({ width: 24, height: 24, data }, 60).data);
  const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(fc.constantFrom(goodPng, photo), edits, fc.nat(40), (file, places, cut) => {
      const changed = Buffer.from(file.subarray(0, file.length - (cut > 30 ? cut : 0)));
      for (const [place, value] of places) changed[place % changed.length] = value;
      try {
        expect(reencodeImage(changed).bytes.length).toBeLessThanOrEqual(pictureMax.bytes);
      } catch (error) {
        expect(error).toMatchObject({ code: 'image_refused' });
      }
    }),
    { numRuns: 150 },
  );
});
