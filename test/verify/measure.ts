import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from 'oxc-parser';

/** One function of a file, however it is written. */
export type MeasuredFunction = {
  /** Its own name, or "callback in" the function around it. */
  name: string;
  line: number;
  /** From its first line to its last, both counted; a signature over several lines counts too. */
  lines: number;
  parameters: number;
  complexity: number;
  /** Whether it has braces or a name: `(row) => row.id` handed to `map` is an expression. */
  isWritten: boolean;
};

export type MeasuredFile = {
  path: string;
  lines: number;
  /** Lines on which nothing but a comment stands. */
  commentLines: number;
  /** How long each line is that is not empty. */
  widths: number[];
  functions: MeasuredFunction[];
};

type Node = { type: string; start: number; end: number; [key: string]: unknown };

/**
 * What is counted as a way through, as the usual linters do: `if`, `?:`, `case` (not `default`),
 * `&&`, `||`, `??` and their assignments, `?.`, a value by default, every loop, and `catch`. A
 * function inside another one is counted for itself.
 */
const branches = new Set([
  'IfStatement',
  'ConditionalExpression',
  'LogicalExpression',
  'ForStatement',
  'ForInStatement',
  'ForOfStatement',
  'WhileStatement',
  'DoWhileStatement',
  'CatchClause',
  'AssignmentPattern',
]);
const functions = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);
const isBranch = (node: Node) =>
  branches.has(node.type) ||
  (node.optional === true && /^(?:Member|Call)Expression$/.test(node.type)) ||
  (node.type === 'SwitchCase' && node.test !== null) ||
  (node.type === 'AssignmentExpression' && /^(?:&&|\|\||\?\?)=$/.test(node.operator as string));

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';

/** The files of one package that go out: tests, their samples and declarations are left out. */
export function filesOf(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !/\.(?:test|samples?|d)\.tsx?$/.test(path))
    .sort();
}

export function measureFile(path: string): MeasuredFile {
  return measureText(path, readFileSync(path, 'utf8'));
}

export function measureText(path: string, text: string): MeasuredFile {
  const { program, comments, errors } = parseSync(path, text);
  const [error] = errors;
  if (error) throw new Error(`${path} cannot be read: ${error.message}`);
  const lines = text.replace(/\n$/, '').split('\n');
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  const lineAt = (offset: number) => starts.findLastIndex((start) => start <= offset) + 1;

  const bare = text.split('');
  for (const { start, end } of comments)
    for (let at = start; at < end; at += 1) if (bare[at] !== '\n') bare[at] = ' ';
  const bareLines = bare.join('').split('\n');

  const found: MeasuredFunction[] = [];
  /** `around` is the function that the node stands in; its name is what a callback is named by. */
  const walk = (node: Node, name: string | null, around: MeasuredFunction | null): void => {
    let inside = around;
    if (functions.has(node.type) && node.body) {
      const own = ((node.id as Node | null)?.name as string | undefined) ?? name;
      const line = lineAt(node.start);
      inside = {
        name: own ?? `callback in ${around?.name.replace(/^callback in /, '') ?? 'the file'}`,
        line,
        lines: lineAt(node.end - 1) - line + 1,
        parameters: (node.params as Node[]).length,
        complexity: 1,
        isWritten: own !== null || (node.body as Node).type === 'BlockStatement',
      };
      found.push(inside);
    }
    if (inside && isBranch(node)) inside.complexity += 1;
    for (const [key, value] of Object.entries(node)) {
      if (key === 'type') continue;
      for (const child of Array.isArray(value) ? value : [value])
        if (isNode(child)) walk(child, nameGivenBy(node, key), inside);
    }
  };
  walk(program as unknown as Node, null, null);

  return {
    path,
    lines: lines.length,
    commentLines: lines.filter(
      (line, at) => line.trim() !== '' && (bareLines[at] as string).trim() === '',
    ).length,
    widths: lines.filter((line) => line.trim() !== '').map((line) => line.length),
    functions: found,
  };
}

/** A function that is the value of a name, a property or a method is called by it. */
function nameGivenBy(node: Node, key: string): string | null {
  if (node.type === 'VariableDeclarator' && key === 'init') return nameOf(node.id);
  if (
    key === 'value' &&
    (node.type === 'Property' ||
      node.type === 'MethodDefinition' ||
      node.type === 'PropertyDefinition')
  )
    return nameOf(node.key);
  return null;
}

function nameOf(node: unknown): string | null {
  if (!isNode(node)) return null;
  if (node.type === 'Identifier') return node.name as string;
  return node.type === 'Literal' ? String(node.value) : null;
}

/** The value that a share of all values does not exceed. */
export function atShare(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}
