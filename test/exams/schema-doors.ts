/** As much of a schema as is looked at: its kind, and what it is made of. */
type Def = {
  type: string;
  shape?: Record<string, Schema>;
  element?: Schema;
  innerType?: Schema;
  options?: Schema[];
  values?: unknown[];
  entries?: Record<string, unknown>;
  in?: Schema;
  valueType?: Schema;
};
export type Schema = { _zod: { def: Def }; safeParse(value: unknown): { success: boolean } };

/** A body or query that its schema takes, and every place in it where text stands or may stand. */
export type Sample = { value: unknown; places: (string | number)[][] };

const texts = [
  'x',
  'a name',
  '1',
  '00',
  '01',
  '100200900',
  '9'.repeat(18),
  'A'.repeat(11),
  'RW',
  '#1f6feb',
  '2026-11-20',
  '2026-11',
  '2026-11-20T10:00:00Z',
  'x@x.example',
  'nobody.new',
  'http://127.0.0.1:9/x',
  'long enough to be tried',
  '000000',
  'x'.repeat(43),
  'com',
  '80mm',
  '460000000055555',
  '1.00',
  '0',
  'A'.repeat(26),
  'A'.repeat(16),
  'RW2NTXU0000001',
  '08:00',
  'en',
];
const numbers = [1, 0, 5, 60, 99, 1440];

/**
 * Samples of a schema, one for each of its alternatives; throws where a text is asked for that none
 * of ours is: the exam has to be told of it.
 */
export function samplesOf(schema: Schema, path: (string | number)[] = []): Sample[] {
  const { def } = schema._zod;
  switch (def.type) {
    case 'object': {
      const fields = Object.entries(def.shape ?? {}).map(
        ([key, each]) => [key, samplesOf(each, [...path, key])] as const,
      );
      const most = Math.max(1, ...fields.map(([, found]) => found.length));
      const all = Array.from({ length: most }, (_, i) => {
        const chosen = fields.map(
          ([key, found]) => [key, found[Math.min(i, found.length - 1)] as Sample] as const,
        );
        return {
          value: Object.fromEntries(chosen.map(([key, each]) => [key, each.value])),
          places: chosen.flatMap(([, each]) => each.places),
        };
      });
      // What may be left out is left out where only that makes it whole; its places are tried all
      // the same.
      return all.map((each) =>
        schema.safeParse(each.value).success
          ? each
          : { ...each, value: needed(schema, def, each.value) },
      );
    }
    case 'array': {
      const [first] = samplesOf(def.element as Schema, [...path, 0]);
      return [{ value: [first?.value], places: first?.places ?? [] }];
    }
    case 'record': {
      const [first] = samplesOf(def.valueType as Schema, [...path, 'x']);
      return [{ value: { x: first?.value }, places: [...(first?.places ?? []), [...path, 'x']] }];
    }
    case 'union':
      return (def.options ?? []).flatMap((each) => samplesOf(each, path));
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'nonoptional':
    case 'readonly':
    case 'catch':
      return samplesOf(def.innerType as Schema, path);
    case 'pipe':
      return samplesOf(def.in as Schema, path);
    case 'literal':
      return [{ value: def.values?.[0], places: [path] }];
    case 'enum':
      return [{ value: Object.values(def.entries ?? {})[0], places: [path] }];
    case 'boolean':
      return [{ value: true, places: [path] }];
    case 'int':
    case 'number':
      return [
        { value: numbers.find((each) => schema.safeParse(each).success) ?? '1', places: [path] },
      ];
    case 'unknown':
    case 'any':
      return [{ value: 'x', places: [path] }];
    case 'string': {
      const found = texts.find((each) => schema.safeParse(each).success);
      if (found === undefined)
        throw new Error(`no sample for the text at ${path.join('.')}: give the exam one`);
      return [{ value: found, places: [path] }];
    }
    default:
      throw new Error(
        `a schema of the kind ${def.type} at ${path.join('.')}: tell the exam how it is made`,
      );
  }
}

function needed(schema: Schema, def: Def, value: unknown): unknown {
  const given = value as Record<string, unknown>;
  const isOptional = (each: Schema) => each.safeParse(undefined).success;
  const less = Object.fromEntries(
    Object.entries(given).filter(([key]) => !isOptional(def.shape?.[key] as Schema)),
  );
  return schema.safeParse(less).success ? less : given;
}
