import { type ChildProcess, spawn } from 'node:child_process';
import type { Overrides } from '@muhuri/server/app';
import { checkout, type World } from './world.ts';

type How = {
  instead?: Overrides;
  told?: Parameters<World['settingsOf']>[0];
  /** For its Node. */
  flags?: string[];
  isQuiet?: boolean;
};

/**
 * A server of a world in a process of its own, so that it can be killed. Fails where the process
 * ends before it is up.
 */
export async function startServer(
  world: Pick<World, 'settingsOf'>,
  how: How = {},
): Promise<{ child: ChildProcess; url: string }> {
  const { config, secrets } = world.settingsOf(how.told);
  const keys = {
    masterKey: secrets.masterKey.toString('base64'),
    previousMasterKey: secrets.previousMasterKey?.toString('base64') ?? null,
  };
  const instead = {
    keepUpMs: 3_600_000,
    governor: { perMinute: 1e6, zohoPerMinute: 1e6, blockSecondsMax: 0 },
    ...how.instead,
  };
  const told = JSON.stringify({ config, secrets: { ...secrets, ...keys }, instead });
  const child = spawn(
    process.execPath,
    [...(how.flags ?? []), 'test/scenarios/server-process.ts', told],
    {
      cwd: checkout,
      stdio: ['ignore', 'pipe', how.isQuiet ? 'ignore' : 'inherit'],
    },
  );
  return { child, url: await said(child, /up (\S+)/) };
}

/** What a process says of itself, once it has said it. */
export const said = (child: ChildProcess, word: RegExp): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.on('data', (part: Buffer) => {
      text += part.toString();
      const found = word.exec(text)?.[1];
      if (found) resolve(found);
    });
    child.once('exit', (code) =>
      reject(new Error(`a process ended with ${code} before it was up`)),
    );
  });
