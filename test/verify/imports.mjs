// Who may import whom. A chapter may use only the chapters before it in the story.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { cruise } from 'dependency-cruiser';
import { story } from './story.mjs';

/** The rooms of receipts/, in their own reading order. */
const rooms = ['sale', 'receipt', 'prepare', 'paper', 'lane', 'create', 'settlement', 'evidence'];
const feature = `^server/src/(?:${story.join('|')})/`;
const dialect = '^server/src/dialects/[^/]+/';
const words = ['^server/src/model/', '^server/src/ports/', '^shared/'];
const tests = '\\.test\\.tsx?$';
const never = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

/** In a list in reading order, whatever stands later may import what stands earlier, never the reverse. */
const looksBackOnly = (folder, order, comment) =>
  order
    .slice(0, -1)
    .map((name, i) =>
      never(
        `${name}-looks-back-only`,
        comment,
        { path: `${folder}${name}/`, pathNot: tests },
        { path: `${folder}(?:${order.slice(i + 1).join('|')})/` },
      ),
    );

const forbidden = [
  never('no-cycles', 'A loop hides which way data flows.', {}, { circular: true }),
  never(
    'everything-resolves',
    'An import the checker cannot follow is one it cannot judge.',
    {},
    { couldNotResolve: true },
  ),
  never(
    'shared-is-a-leaf',
    'The contract must build alone.',
    { path: '^shared/', pathNot: tests },
    { pathNot: ['^shared/', 'node_modules/(?:\\.pnpm/)?(?:zod|big\\.js|@types)'] },
  ),
  never(
    'widget-knows-only-shared',
    'The browser learns of the server through the contract.',
    { path: '^widget/' },
    { path: '^(?:server|test)/' },
  ),
  never(
    'server-never-sees-widget',
    'The server does not know who calls it.',
    { path: '^server/src', pathNot: tests },
    { path: '^(?:widget|test)/' },
  ),
  never(
    'model-is-pure',
    'Rules must run with nothing plugged in.',
    { path: '\\.model\\.ts$' },
    { pathNot: ['\\.model\\.ts$', '^shared/', '^server/src/context\\.ts$'] },
  ),
  never(
    'ports-are-words',
    'A port states a need; it does nothing.',
    { path: '^server/src/ports/' },
    { pathNot: [...words, '^server/src/context\\.ts$'] },
  ),
  never(
    'context-is-words',
    'The context is types.',
    { path: '^server/src/context\\.ts$' },
    { path: '^server/src/', pathNot: '^server/src/platform/db' },
  ),
  ...looksBackOnly('^server/src/', story, 'Later chapters know earlier ones, not the reverse.'),
  ...looksBackOnly(
    '^server/src/receipts/',
    rooms,
    'A room of receipts/ uses the rooms before it: a sale is known before its receipt, a send before what people say of it.',
  ),
  never(
    'use-the-front-door',
    'Another chapter is its index.ts, or a model.',
    { path: `^server/src/(${story.join('|')})/`, pathNot: tests },
    { path: feature, pathNot: ['^server/src/$1/', '/index\\.ts$', '\\.model\\.ts$'] },
  ),
  never(
    'features-ask-ports',
    'Ask a port; app.ts decides who answers.',
    { path: feature, pathNot: tests },
    { path: '^server/src/(?:vsdc|zoho|webhook-sender|dialects|dialect-kit)/' },
  ),
  never(
    'edges-are-thin',
    'A route calls the use case it was given.',
    { path: '\\.routes\\.ts$' },
    { path: ['\\.store\\.ts$', '^server/src/ports/'] },
  ),
  never(
    'only-app-opens-chapters',
    'A chapter composes itself once; app.ts says in which order.',
    { path: '^server/', pathNot: '^server/src/app\\.ts$' },
    { path: '^server/src/[^/]+/chapter\\.ts$' },
  ),
  never(
    'chapter-mounts-its-own-edges',
    'The routes of a chapter are mounted where it composes itself.',
    { path: '^server/', pathNot: '^server/src/[^/]+/chapter\\.ts$' },
    { path: '\\.routes\\.ts$' },
  ),
  never(
    'chapter-mounts-no-other-edges',
    'The routes of another chapter are mounted by that one.',
    { path: '^server/src/([^/]+)/chapter\\.ts$' },
    { path: '\\.routes\\.ts$', pathNot: '^server/src/$1/' },
  ),
  never(
    'orm-stays-in-persistence',
    'The ORM stays behind stores.',
    {
      path: '^server/src/',
      pathNot: ['^server/src/platform/db', '^server/src/migrations/', '\\.entity\\.ts$'],
    },
    { path: '@mikro-orm/' },
  ),
  never(
    'ink-stays-in-print',
    'One folder draws.',
    { path: '^server/src/', pathNot: '^server/src/receipts/paper/' },
    { path: 'node_modules/(?:\\.pnpm/)?(?:pdfkit|qrcode|fontkit|subset-font)' },
  ),
  never(
    'dialects-are-islands',
    'One authority, one folder.',
    { path: '^server/src/dialects/([^/]+)/', pathNot: tests },
    {
      pathNot: [
        '^server/src/dialects/$1/',
        '^server/src/dialect-kit/',
        ...words,
        'node_modules/(?:\\.pnpm/)?zod',
      ],
    },
  ),
  never(
    'kit-knows-no-country',
    'What sisters share.',
    { path: '^server/src/dialect-kit/', pathNot: tests },
    { pathNot: ['^server/src/dialect-kit/', ...words, 'node_modules/(?:\\.pnpm/)?zod'] },
  ),
  never(
    'no-dialect-by-name',
    'The registry finds folders; nobody spells one.',
    { path: '^(?:server|widget)/', pathNot: [dialect, tests] },
    { path: dialect },
  ),
  never(
    'adapters-know-no-feature',
    'An adapter speaks our words outwards.',
    { path: '^server/src/(vsdc|zoho)/', pathNot: tests },
    {
      path: '^server/src/',
      pathNot: ['^server/src/$1/', '^server/src/platform/', '^server/src/context\\.ts$', ...words],
    },
  ),
  never(
    'platform-knows-no-domain',
    'Tools without opinions about tax.',
    { path: '^server/src/platform/' },
    { path: '^server/src/', pathNot: '^server/src/(?:platform/|context\\.ts$)' },
  ),
  never(
    'only-app-composes',
    'One place builds things.',
    {
      path: '^server/src/',
      pathNot: ['^server/src/(?:main|app)\\.ts$', '^server/src/cli/', tests],
    },
    { path: '^server/src/(?:main|app|config)\\.ts$' },
  ),
  never(
    'simulators-are-strangers',
    'Two readings of a specification check each other only if neither copies.',
    { path: ['^test/simulators/', '^test/authorities/[^/]+/simulator/'] },
    { path: '^(?:server|shared)/' },
  ),
  never(
    'source-never-imports-tests',
    'Tests import the source, not the reverse.',
    { pathNot: [tests, '^test/'] },
    { path: tests },
  ),
  never(
    'ui-is-dumb',
    'Buttons know nothing of receipts.',
    { path: '^widget/src/ui/' },
    { path: '^widget/src/', pathNot: '^widget/src/ui/' },
  ),
  never(
    'one-file-knows-zoho-sdk',
    'The panel asks host.ts; a shell answers.',
    { path: '^widget/src/', pathNot: ['^widget/src/(?:pages/)?main\\.tsx$', '^widget/src/host/'] },
    { path: '^widget/src/host/', pathNot: '/host\\.ts$' },
  ),
];

const sources = ['shared/src', 'server/src', 'widget/src', 'test'];
const count = (folder) =>
  readdirSync(folder, { withFileTypes: true, recursive: true }).filter(
    (e) =>
      e.isFile() && /\.tsx?$/.test(e.name) && !join(e.parentPath, e.name).includes('node_modules'),
  ).length;
const expected = sources.reduce((sum, folder) => sum + count(folder), 0);

const { output } = await cruise(sources, {
  ruleSet: { forbidden },
  validate: true,
  tsPreCompilationDeps: true,
  doNotFollow: { path: 'node_modules' },
  exclude: { path: 'node_modules/(?!\\.pnpm)' },
  enhancedResolveOptions: {
    exportsFields: ['exports'],
    conditionNames: ['import', 'types', 'default'],
    extensions: ['.ts', '.tsx', '.mjs', '.js', '.json'],
  },
});
const looked = output.modules.filter(
  (module) =>
    /^(?:shared|server|widget|test)\//.test(module.source) && /\.tsx?$/.test(module.source),
).length;
for (const each of output.summary.violations)
  console.error(`${each.rule.name}: ${each.from} → ${each.to}`);
if (looked < expected)
  console.error(
    `looked at ${looked} of ${expected} files: a checker that does not look passes everything`,
  );
process.exit(output.summary.violations.length > 0 || looked < expected ? 1 : 0);
