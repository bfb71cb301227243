import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';

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
    rollupOptions: { input: 'pages.html', output: { entryFileNames: 'pages.js', chunkFileNames: 'pages-[name].js', assetFileNames: 'pages[extname]' } },
  },
});

const manifest = JSON.parse(readFileSync(join(root, 'plugin-manifest.json'), 'utf8')) as {
  service: string;
  modules: { widgets: { name: string; location: string; url: string; logo: string }[] };
  cspDomains: { 'connect-src': string[] };
};
const server = manifest.cspDomains['connect-src'][0] ?? '';
writeFileSync(join(app, 'settings.js'), `window.muhuri=${JSON.stringify({ server, hosts: [] })};\n`);

const problems: string[] = [];
const locations = ['invoice.details.sidebar', 'creditnote.details.sidebar', 'plugin.globalfields'];
for (const widget of manifest.modules.widgets) {
  if (!locations.includes(widget.location)) problems.push(`${widget.location} is not a place of Zoho Books we know`);
  for (const file of [widget.url, widget.logo]) if (!existsSync(join(root, file))) problems.push(`${file} is named in the manifest and missing`);
}
if (!server.startsWith('https://')) problems.push('cspDomains must name the https address of the server');
const allowed = /\.(?:jpe?g|png|gif|svg|css|woff2?|ttf|js|json|txt|md|html)$/;
for (const entry of readdirSync(app, { withFileTypes: true, recursive: true })) {
  const path = join(entry.parentPath, entry.name);
  if (entry.isDirectory()) {
    if (!/^[A-Za-z0-9_$-]*$/.test(entry.name)) problems.push(`the packer refuses the folder name ${entry.name}`);
  } else if (!allowed.test(entry.name) || entry.name.length > 50) problems.push(`the packer would drop ${entry.name}`);
  else if (statSync(path).size > 5_000_000) problems.push(`${entry.name} is too large for the packer`);
}
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.exitCode = problems.length > 0 ? 1 : 0;
