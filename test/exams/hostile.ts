import fc from 'fast-check';

/**
 * What no door expects and every door gets: text that is no Unicode, that no table takes, that no
 * line holds, that reads in another direction, that is longer than anything, or that means
 * something to whoever is careless with it.
 */
const kinds: Record<string, string[]> = {
  'half a surrogate pair': [
    '\ud83d',
    'a\ud83d',
    '\ude00a',
    '\ude00\ud83d',
    `${'x'.repeat(49)}\ud83d`,
  ],
  'U+0000': ['\u0000', 'a\u0000', '\u0000a', 'a\u0000b', '%00'],
  controls: [
    '\u0001',
    'a\tb',
    'a\r\nb',
    'a\u000bb',
    'a\u000cb',
    '\u001b[31m',
    '\u007f',
    'a\u0085b',
    'a\u009fb',
    'a\u2028b\u2029c',
  ],
  'marks of direction': ['\u202eabc', 'a\u202db\u202c', '\u2066a\u2069', '\u200fa', 'a\u061cb'],
  'byte order marks': ['\ufeff', '\ufeffa', 'a\ufeffb', '\ufffe'],
  'nothing to be seen': ['', ' ', '\u00a0', '\u200b', '\u2060', '\u3164', '\u00ad'],
  overlong: [
    'x'.repeat(100_000),
    '😀'.repeat(5_000),
    `a${'\u0301'.repeat(4_000)}`,
    ' '.repeat(60_000),
  ],
  'words of somebody else': [
    '__proto__',
    'constructor',
    "' or 1=1 --",
    '%',
    '_',
    '\\',
    '"',
    '${x}',
    '{{x}}',
    '<b>',
    '=1+1',
    '../..',
    '%ff',
    '\\u0000',
    'NaN',
    '-0',
    '1e999',
  ],
  noncharacters: ['\uffff', '\ufdd0', '\u{10ffff}', '\u{1fffe}', '\ue000'],
};

export type Hostile = { kind: string; text: string };
const hostile: Hostile[] = Object.entries(kinds).flatMap(([kind, texts]) =>
  texts.map((text) => ({ kind, text })),
);

/**
 * As many of them as asked for, from a seed: each of the list first, then made-up ones of the same
 * stuff.
 */
export function hostileFrom(seed: number, count: number): Hostile[] {
  const unit = fc.oneof(
    fc.constantFrom(0, 9, 13, 0x85, 0xd83d, 0xde00, 0xfeff, 0x202e, 0x2028, 0x27, 0x5c),
    fc.nat(0xffff),
  );
  const made = fc.sample(fc.array(unit, { minLength: 1, maxLength: 30 }), {
    seed,
    numRuns: Math.max(1, count - hostile.length),
  });
  const all = [
    ...hostile,
    ...made.map((units) => ({ kind: 'made up', text: String.fromCharCode(...units) })),
  ];
  return Array.from(
    { length: count },
    (_, i) => all[(i + (seed % hostile.length)) % all.length] as Hostile,
  );
}

/** Bytes that are no UTF-8, as they come where another encoding was meant or nobody looked. */
export const hostileBytes: [kind: string, bytes: Buffer][] = [
  ['Latin-1', Buffer.from([0x63, 0x61, 0x66, 0xe9])],
  ['half a character', Buffer.from([0xf0, 0x9f, 0x98])],
  ['an overlong NUL', Buffer.from([0xc0, 0x80])],
  ['a surrogate in UTF-8', Buffer.from([0xed, 0xa0, 0xbd])],
  ['a byte that begins nothing', Buffer.from([0xff, 0xfe, 0xfd])],
  ['a bare NUL', Buffer.from([0x61, 0x00, 0x62])],
  ['a bare control', Buffer.from([0x61, 0x0b, 0x62])],
];

/**
 * A text as an address carries it, halves of pairs included, which the platform's own encoder
 * refuses.
 */
export const percent = (text: string): string =>
  Array.from(text, (character) =>
    character.isWellFormed()
      ? encodeURIComponent(character)
      : [
          0xe0 | (character.charCodeAt(0) >> 12),
          0x80 | ((character.charCodeAt(0) >> 6) & 0x3f),
          0x80 | (character.charCodeAt(0) & 0x3f),
        ]
          .map((byte) => `%${byte.toString(16).toUpperCase()}`)
          .join(''),
  ).join('');

/** Whether everything that is text within a value can be stored and stands on one line. */
export function unfit(value: unknown, path = ''): string | null {
  if (typeof value === 'string')
    return value.isWellFormed() && !/[\p{Cc}\u2028\u2029]/u.test(value) ? null : path || '.';
  if (typeof value !== 'object' || value === null || value instanceof Date) return null;
  for (const [key, each] of Object.entries(value)) {
    const found = unfit(key, `${path}.(key)`) ?? unfit(each, `${path}.${key}`);
    if (found) return found;
  }
  return null;
}

type Place = (string | number)[];

/** Every place within a value where a text, or what came as one, stands. */
export function textPlaces(value: unknown, path: Place = []): Place[] {
  if (typeof value === 'string' || typeof value === 'number') return [path];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) =>
    textPlaces(each, [...path, Array.isArray(value) ? Number(key) : key]),
  );
}

/**
 * The same value with something else in one place; what leads there is made where it is missing.
 */
export function withAt(value: unknown, [key, ...rest]: Place, put: unknown): unknown {
  if (key === undefined) return put;
  if (typeof key === 'number') {
    const list = Array.isArray(value) ? [...value] : [];
    list[key] = withAt(list[key], rest, put);
    return list;
  }
  return {
    ...(value as object | undefined),
    [key]: withAt((value as Record<string, unknown> | undefined)?.[key], rest, put),
  };
}
