import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { addBusiness } from './add-business.ts';
import type { Settings } from './with-app.ts';

test('a file whose taxpayer id, country or dialect its authority does not know registers nothing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'muhuri-business-'));
  const file = join(folder, 'business.json');
  const given = JSON.parse(
    await readFile(new URL('../../business.example.json', import.meta.url), 'utf8'),
  );
  const refusal = async (business: object) => {
    await writeFile(
      file,
      JSON.stringify({ ...given, business: { ...given.business, ...business } }),
    );
    // It is refused before any server is opened: there are no settings for one.
    return addBusiness({} as Settings, file).catch((error: Error) => error.message);
  };
  expect(await refusal({ tin_number: '12345' })).toContain('business.tin_number');
  expect(await refusal({ country: 'YY' })).toContain('business.country');
  await rm(folder, { recursive: true });
});
