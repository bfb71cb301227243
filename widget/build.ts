import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';
import { checkPackage } from './check-package.ts';
import { en } from './src/i18n/en.ts';
import { fr } from './src/i18n/fr.ts';

/** Builds the panel into `app/` as Zoho's packer wants it, and checks what the packer would not. */
const root = join(import.meta.dirname, '..');
const app = join(root, 'app');

const configFile = join(import.meta.dirname, 'vite.config.ts');
await build({ configFile });
// Our own pages, built apart: the panel's first load carries nothing of them.
await build({
  configFile,
  build: {
    emptyOutDir: false,
    rollupOptions: {
      input: 'pages.html',
      output: {
        entryFileNames: 'pages.js',
        chunkFileNames: 'pages-[name].js',
        assetFileNames: 'pages[extname]',
      },
    },
  },
});

const manifest = JSON.parse(readFileSync(join(root, 'plugin-manifest.json'), 'utf8')) as {
  cspDomains: { 'connect-src': string[] };
};
const server = manifest.cspDomains['connect-src'][0] ?? '';
writeFileSync(
  join(app, 'settings.js'),
  `window.muhuri=${JSON.stringify({ server, hosts: [] })};\n`,
);

// The same pages beside Zoho's list of invoices, beginning with the list, or with what was chosen
// there. The SDK comes first, as in the panel.
const pages = readFileSync(join(app, 'pages.html'), 'utf8');
const sdk = '<script src="https://js.zohostatic.com/zohofinance/v1/zf_sdk.js"></script>';
for (const [name, begin] of Object.entries({ list: '#/documents', bulk: '#/documents/chosen' })) {
  const beside = pages
    .replace(
      '<title>',
      `<meta name="begin" content="${begin}" />\n    <meta name="beside" content="zoho-books" />\n    <title>`,
    )
    .replace('</title>', `</title>\n    ${sdk}`);
  writeFileSync(join(app, `${name}.html`), beside);
}
// Zoho's own place for words; the panel carries its own besides, because reading them back is not
// there everywhere.
mkdirSync(join(app, 'translations'), { recursive: true });
for (const [language, words] of Object.entries({ en, fr }))
  writeFileSync(join(app, `translations/${language}.json`), `${JSON.stringify(words, null, 2)}\n`);

const problems = checkPackage(root);
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.exitCode = problems.length > 0 ? 1 : 0;
