import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { said } from '../start-server.ts';

export const median = (values: number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;
export const spread = (values: number[]): string =>
  `${Math.min(...values).toFixed(0)}–${Math.max(...values).toFixed(0)}`;

type Row = { name: string; value: string; aim: string };
/** Everything said so far, for the table that is kept. */
export const rows: Row[] = [];
export const line = (name: string, value: string, aim = ''): void => {
  rows.push({ name, value, aim });
  console.log(`${name.padEnd(58)} ${value.padStart(24)}   ${aim}`);
};

export type Cpu = { ours: number; postgres: number };

/** CPU spent so far, in ms: of this process, and of PostgreSQL with all that serve a connection. */
export function cpuOf(postgres: { pid: number }): Cpu {
  const { user, system } = process.cpuUsage();
  return {
    ours: (user + system) / 1_000,
    postgres:
      [postgres.pid, ...childrenOf(postgres.pid)].reduce((sum, pid) => sum + ticksOf(pid), 0) * 10,
  };
}

/** CPU that another process has spent so far, in ms. */
export const cpuOfProcess = (pid: number): number => ticksOf(pid) * 10;

/**
 * What a process has used, with the children it has seen end; in hundredths of a second, as the
 * kernel counts.
 */
function ticksOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields.slice(11, 15).reduce((sum, each) => sum + Number(each), 0);
  } catch {
    return 0;
  }
}

/**
 * Proportional set size of a process and its children, in MB: what it costs the machine, shared
 * pages counted once.
 */
export function memoryOf(pid: number): number {
  const own =
    Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0) /
    1024;
  return childrenOf(pid).reduce((sum, child) => sum + memoryOf(child), own);
}

function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) => {
    try {
      return readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8')
        .trim()
        .split(' ')
        .filter(Boolean)
        .map(Number);
    } catch {
      return [];
    }
  });
}

/** Starts a program and answers once it has said the word, with how long that took. */
export async function startAndWait(
  args: string[],
  word: RegExp,
  environment: Record<string, string> = {},
): Promise<{ child: ChildProcess; found: string; ms: number }> {
  const started = performance.now();
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
  });
  return { child, found: await said(child, word), ms: performance.now() - started };
}
