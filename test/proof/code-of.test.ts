import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkout } from '../world.ts';
import { codeOf, filesOf } from './code-of.ts';
import { parts } from './parts.ts';

const size = { codes: ['924'], crashes: 1, seeds: 1 };

describe('what a part of the proof depends on', () => {
  test('is followed through every import, and through folders whose files are found and not named', () => {
    const files = filesOf(['test/proof/simulate-process.ts', 'server/src/dialects']);
    expect(files).toEqual(
      expect.arrayContaining([
        'server/src/receipts/lane/run-lane.ts',
        'shared/src/money.ts',
        'server/src/dialects/rw-vsdc/sale-request.ts',
      ]),
    );
    expect(files.filter((file) => file.startsWith('widget/'))).toEqual([]);
  });

  test.each(parts(size).map((part) => part.name))(
    '%s depends on the pipeline, its migrations and the simulated device',
    (name) => {
      const part = parts(size).find((each) => each.name === name);
      const files = filesOf(part?.entries ?? []);
      for (const file of [
        'server/src/receipts/lane/run-lane.ts',
        'server/src/migrations/0001-ground.ts',
        'test/authorities/rw-vsdc/simulator/index.ts',
      ])
        expect(files).toContain(file);
      expect(files.every((file) => existsSync(join(checkout, file)))).toBe(true);
    },
  );

  test('is another word as soon as one more file belongs to it', () => {
    expect(codeOf(['shared/src/ids.ts'])).not.toBe(
      codeOf(['shared/src/ids.ts', 'test/authorities/rw-vsdc/evidence.ts']),
    );
    expect(codeOf(['shared/src/ids.ts'])).toBe(codeOf(['shared/src/ids.ts']));
  });
});
