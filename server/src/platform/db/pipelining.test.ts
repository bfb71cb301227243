import { expect, test } from 'vitest';
import { withPipelining } from './pipelining.ts';

type Said = { name: string; text: string };
const sale = 'select * from receipt where id = $1';
const oldPlan = Object.assign(new Error('cached plan must not change result type'), {
  code: '0A000',
  routine: 'RevalidateCachedQuery',
});

/** A connection of a server's pool whose database refuses what `isOld` says of it. */
function connected(isOld: (asked: Said) => boolean) {
  const said: Said[] = [];
  const client = {
    query: (asked: unknown, _values?: unknown) => {
      said.push(asked as Said);
      return isOld(asked as Said)
        ? Promise.reject(oldPlan)
        : Promise.resolve({ command: 'SELECT', rowCount: 0, rows: [] });
    },
    end: async () => {},
    release: () => {},
    on: () => {},
    processID: 1,
    connection: { stream: { cork: () => {}, uncork: () => {}, destroy: () => {}, on: () => {} } },
  };
  withPipelining({
    prepares: true,
    connectMs: 1,
    graceMs: 1,
    statementMs: () => Number.POSITIVE_INFINITY,
  })({
    Client: Object,
    options: {},
    on: (_, run) => run(client),
  });
  return { said, ask: (text: string) => client.query(text, ['x']) as Promise<unknown> };
}

test('what was prepared before a change is prepared anew by another name and in other words, as a pooler keeps one for each text', async () => {
  // As a pooler does it: whatever name a client gives it, one statement for each text.
  const { said, ask } = connected(({ text }) => text === sale);
  await expect(ask(sale)).rejects.toBe(oldPlan);
  await ask(sale);
  await ask(sale);
  expect(said[0]?.text).toBe(sale);
  expect(said[1]?.text).toMatch(/^\/\*[\w-]+\*\/ select \* from receipt where id = \$1$/);
  expect(said[1]?.name).not.toBe(said[0]?.name);
  expect(said[2], 'and stays so').toEqual(said[1]);
});

test('no two servers, nor one that was begun anew, come to the same words: what another prepared may be old as well', async () => {
  const words = async () => {
    const { said, ask } = connected(({ text }) => text === sale);
    await ask(sale).catch(() => {});
    await ask(sale);
    return said[1]?.text;
  };
  expect(await words()).not.toBe(await words());
});
