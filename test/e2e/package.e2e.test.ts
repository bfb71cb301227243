import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { checkout, startWorld } from '../world.ts';
import { openBrowser, openPanel, signIn } from './browser.ts';

// The widget's tools belong to its build and are no part of what tests may import by type.
const tool = async <T>(name: string) =>
  (await import(new URL(`../../widget/${name}.ts`, import.meta.url).href)) as T;
const { checkPackage } = await tool<{ checkPackage(root: string): string[] }>('check-package');
const { listZip } = await tool<{ listZip(zip: Buffer): { name: string; bytes(): Buffer }[] }>(
  'list-zip',
);
const folder = mkdtempSync(join(tmpdir(), 'muhuri-package-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const pack = (...ask: string[]) =>
  spawnSync(process.execPath, [join(checkout, 'widget/package.ts'), ...ask], {
    cwd: checkout,
    encoding: 'utf8',
  });

describe('the package for Zoho', () => {
  test('is packed by Zoho’s own tool with every file and no other, names the server, and runs in the page when taken out of its zip', async () => {
    const packed = pack('https://muhuri.test.example', '--as-built');
    expect(packed.status, packed.stderr).toBe(0);
    const entries = listZip(readFileSync(join(checkout, '.data/muhuri.zip'))).filter(
      (each) => !each.name.endsWith('/'),
    );
    expect(entries.map((each) => each.name)).toEqual(
      expect.arrayContaining([
        'plugin-manifest.json',
        'app/widget.html',
        'app/list.html',
        'app/translations/en.json',
      ]),
    );
    expect(
      entries.filter((each) => !each.name.startsWith('app/')).map((each) => each.name),
    ).toEqual(['plugin-manifest.json']);
    for (const each of entries) {
      const path = join(folder, each.name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, each.bytes());
    }
    expect(
      JSON.parse(readFileSync(join(folder, 'plugin-manifest.json'), 'utf8')).cspDomains[
        'connect-src'
      ],
    ).toEqual(['https://muhuri.test.example']);
    expect(readFileSync(join(folder, 'app/settings.js'), 'utf8')).toContain(
      'https://muhuri.test.example',
    );
    await using world = await startWorld({ withWidget: true, widgetApp: join(folder, 'app') });
    const browser = await openBrowser();
    try {
      const [business] = world.businesses;
      const document = world.zoho
        .documents()
        .find((each) => each.organization_id === business.organizationId && each.canSeal);
      const panel = await openPanel(
        browser,
        world,
        business.organizationId,
        'invoices',
        document?.id ?? '',
      );
      await signIn(panel, business.user);
      await panel.panel
        .getByText(document?.number ?? '')
        .first()
        .waitFor();
    } finally {
      await browser.close();
    }
  }, 60_000);

  test('is refused with a sentence for each thing that Zoho’s tool would pass or leave out', () => {
    const problemsOf = (change: (root: string, manifest: Record<string, any>) => void): string => {
      const root = mkdtempSync(join(folder, 'bad-'));
      cpSync(join(checkout, 'app'), join(root, 'app'), { recursive: true });
      const manifest = JSON.parse(readFileSync(join(checkout, 'plugin-manifest.json'), 'utf8'));
      change(root, manifest);
      writeFileSync(join(root, 'plugin-manifest.json'), JSON.stringify(manifest));
      return checkPackage(root).join('; ');
    };
    expect(problemsOf(() => {})).toBe('');
    const bad: [(root: string, manifest: Record<string, any>) => void, RegExp][] = [
      [(_, m) => (m.service = 'BOOKS'), /FINANCE/],
      [(_, m) => (m.storage = true), /key nobody knows: storage/],
      [
        (_, m) => (m.modules.widgets[0].location = 'invoice.detail.sidebar'),
        /invoice\.detail\.sidebar is not a place/,
      ],
      [
        (_, m) => (m.modules.widgets[0].url = '/app/nothing.html'),
        /nothing\.html is named in the manifest and missing/,
      ],
      [
        (_, m) => (m.modules.widgets[1].name = m.modules.widgets[0].name),
        /two widgets are called Muhuri/,
      ],
      [(_, m) => (m.cspDomains = {}), /cspDomains must name/],
      [(_, m) => (m.cspDomains['connect-src'] = ['http://muhuri.example']), /https addresses/],
      [(_, m) => m.locale.push('rw'), /rw\.json is named in the manifest and missing/],
      [
        (root) => writeFileSync(join(root, 'app/main.js.map'), '{}'),
        /would leave out main\.js\.map/,
      ],
      [
        (root) => writeFileSync(join(root, `app/${'x'.repeat(60)}.js`), ''),
        /refuses the file name/,
      ],
      [(root) => mkdirSync(join(root, 'app/v1.0')), /refuses the folder name v1\.0/],
      [
        (root) => writeFileSync(join(root, 'app/big.json'), 'x'.repeat(5_000_001)),
        /big\.json is too large/,
      ],
    ];
    for (const [change, sentence] of bad) expect(problemsOf(change)).toMatch(sentence);
    expect(pack('http://no.example', '--as-built').status).toBe(1);
  });
});
