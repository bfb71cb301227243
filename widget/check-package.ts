import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What Zoho's packer refuses, silently leaves out, or never looks at (tried with
 * zoho-extension-toolkit 1.0.24). Its own validation passes a manifest with an unknown place, a
 * missing page and a missing logo.
 */
type Widget = {
  name?: unknown;
  location?: unknown;
  url?: unknown;
  logo?: unknown;
  widget_type?: unknown;
  popup?: unknown;
  allowed_features?: unknown;
};

const places = [
  'invoice.details.sidebar',
  'invoice.list.sidebar',
  'invoice.bulkaction.button',
  'creditnote.details.sidebar',
  'creditnote.list.sidebar',
  'application.allpages.sidebar',
  'plugin.globalfields',
];
const manifestKeys = [
  'service',
  'locale',
  'whiteListedDomains',
  'cspDomains',
  'modules',
  'config',
  'usedConnections',
];
const widgetKeys = ['name', 'location', 'url', 'logo', 'widget_type', 'popup', 'allowed_features'];
const packed = /\.(?:jpe?g|png|gif|svg|css|woff2?|ttf|eot|webm|js|mp3|mp4|json|txt|md|xml|html)$/;
const bytesMax = 5_000_000;
/** The packer counts translation files twice towards its 250. */
const filesMax = 240;
const perPlaceMax = 10;

/** Every sentence is a reason not to publish; none: the package is sound. */
export function checkPackage(root: string): string[] {
  const problems: string[] = [];
  const say = (problem: string) => void problems.push(problem);
  const manifest = JSON.parse(readFileSync(join(root, 'plugin-manifest.json'), 'utf8')) as Record<
    string,
    unknown
  >;
  for (const key of Object.keys(manifest))
    if (!manifestKeys.includes(key)) say(`the manifest has a key nobody knows: ${key}`);
  if (manifest.service !== 'FINANCE') say('the service of Zoho Books is FINANCE');
  const locales = manifest.locale as string[] | undefined;
  if (!Array.isArray(locales) || !locales.includes('en'))
    say('the manifest must name the locale en');
  for (const locale of locales ?? [])
    if (!existsSync(join(root, `app/translations/${locale}.json`)))
      say(`app/translations/${locale}.json is named in the manifest and missing`);
  checkWidgets(
    root,
    ((manifest.modules as { widgets?: Widget[] } | undefined)?.widgets ?? []) as Widget[],
    say,
  );
  checkDomains(manifest.cspDomains, say);
  checkFiles(join(root, 'app'), say);
  return problems;
}

function checkWidgets(root: string, widgets: Widget[], say: (problem: string) => void): void {
  if (widgets.length === 0) say('the manifest names no widget');
  for (const widget of widgets) {
    for (const key of Object.keys(widget))
      if (!widgetKeys.includes(key)) say(`a widget has a key nobody knows: ${key}`);
    if (typeof widget.name !== 'string' || widget.name === '') say('a widget has no name');
    if (!places.includes(String(widget.location)))
      say(`${String(widget.location)} is not a place of Zoho Books we know`);
    for (const file of [widget.url, widget.logo])
      if (typeof file !== 'string' || !file.startsWith('/app/') || !existsSync(join(root, file)))
        say(`${String(file)} is named in the manifest and missing`);
  }
  const names = widgets.map((each) => each.name);
  for (const name of new Set(names))
    if (names.filter((each) => each === name).length > 1)
      say(`two widgets are called ${String(name)}`);
  for (const place of places)
    if (widgets.filter((each) => each.location === place).length > perPlaceMax)
      say(`more than ten widgets at ${place}`);
}

function checkDomains(domains: unknown, say: (problem: string) => void): void {
  const connect = (domains as { 'connect-src'?: unknown } | undefined)?.['connect-src'];
  if (!Array.isArray(connect) || connect.length === 0)
    return say('cspDomains must name the address of the server, or the panel cannot reach it');
  if (connect.length > 10 || new Set(connect).size !== connect.length)
    say('cspDomains takes ten addresses at most, each once');
  for (const each of connect)
    if (!/^https:\/\/[a-z0-9.-]+(?::\d+)?$/.test(String(each)))
      say(`cspDomains takes https addresses without a path: ${String(each)}`);
}

function checkFiles(app: string, say: (problem: string) => void): void {
  const entries = readdirSync(app, { withFileTypes: true, recursive: true });
  for (const entry of entries) {
    if (entry.isDirectory()) {
      if (!/^[A-Za-z0-9_$-]*$/.test(entry.name))
        say(`the packer refuses the folder name ${entry.name}`);
      continue;
    }
    if (!packed.test(entry.name)) say(`the packer would leave out ${entry.name}`);
    if (!/^[A-Za-z0-9_.$-]{1,50}$/.test(entry.name))
      say(`the packer refuses the file name ${entry.name}`);
    if (statSync(join(entry.parentPath, entry.name)).size > bytesMax)
      say(`${entry.name} is too large for the packer`);
  }
  if (entries.filter((entry) => !entry.isDirectory()).length > filesMax)
    say('there are too many files for the packer');
}
