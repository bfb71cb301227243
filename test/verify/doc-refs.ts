import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** What a text says exists, and the line it says so in. */
export type Reference = {
  kind: 'link' | 'file' | 'folder' | 'command';
  to: string;
  line: number;
};

const endings = 'tsx?|mjs|json|md|txt|css|html|svg|png|yaml';
/** A link of Markdown, without its anchor; addresses elsewhere are not ours to follow. */
const link = /\]\((?!\w+:|#)([^)#\s]+)[^)]*\)/g;
/** `lane/next-step.ts`, or a source file by its bare name; a placeholder is neither. */
const path = new RegExp(
  `(?<![\\w./:@*<>{}-])((?:[\\w.-]+/)+[\\w.-]+\\.(?:${endings}))(?![\\w/])`,
  'g',
);
const name = /(?<![\w./:@*<>{}-])([\w-]+(?:\.[\w-]+)*\.(?:tsx?|mjs|md))(?![\w/])/g;
const folder = /`((?:server|shared|widget|test|\.github)(?:\/[\w.-]+)+\/?)`/g;
/** A folder beside the text, or above it. */
const beside = /`(\.{1,2}\/[\w./-]+)`/g;
const command = /(?:npm run|npx pnpm) ([a-z][\w:-]*)/g;
const patterns: [Reference['kind'], RegExp][] = [
  ['file', path],
  ['file', name],
  ['folder', folder],
  ['command', command],
  ['link', beside],
  ['link', link],
];

/** Every reference in a text. In Markdown, what is fenced is a text like any other. */
export function referencesIn(text: string): Reference[] {
  const found = new Map<string, Reference>();
  for (const [at, line] of text.split('\n').entries())
    for (const [kind, pattern] of patterns)
      for (const [, to = ''] of line.matchAll(pattern))
        found.set(`${at} ${to}`, { kind, to, line: at + 1 });
  return [...found.values()];
}

/** What a reference may lead to: every file of the project by its path, and every command. */
export type Known = { root: string; files: string[]; commands: string[] };

/**
 * A file may be named from the top, from where the text stands, or by its last folders, as long as
 * there is one that ends so.
 */
export function exists({ kind, to }: Reference, from: string, known: Known): boolean {
  if (kind === 'command') return known.commands.includes(to);
  const near = normalize(join(dirname(from), to));
  if (kind === 'link') return existsSync(join(known.root, near));
  if (kind === 'folder') return existsSync(join(known.root, to));
  return known.files.some((file) => file === to || file === near || file.endsWith(`/${to}`));
}
