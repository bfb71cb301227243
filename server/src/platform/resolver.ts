import type { LookupOptions } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { isIP, type LookupFunction } from 'node:net';
import { LRUCache } from 'lru-cache';
import { openFairQueue } from './fair-queue.ts';
import { withTimeout } from './with-timeout.ts';

type Address = { address: string; family: 4 | 6 };

/** `unknown`: there is no such name. `silent`: nobody said so in time. */
type Answer = { is: 'found'; addresses: Address[] } | { is: 'unknown' } | { is: 'silent' };

export type NameResolver = {
  /**
   * Every address of a name, those of IPv4 first. Whoever asks has a share of its own: a name
   * server that stays silent holds up its own lookups and nobody else's. Answers within the
   * deadline, always.
   */
  find(name: string, asker: string): Promise<Answer>;
  /** The same for connections of our own, as `net.connect` wants it. */
  lookup: LookupFunction;
};

export type ResolverSettings = {
  /** Name servers instead of the machine's own, `address:port`. */
  servers: string[] | null;
  hostsFile: string;
  resolverFile: string;
  /**
   * For one question to one server; for the whole; between the first family's answer and giving up
   * on the other, in ms.
   */
  questionMs: number;
  deadlineMs: number;
  graceMs: number;
  /** How long an answer holds, and how long a refusal or a silence does, in ms. */
  keptMs: number;
  missKeptMs: number;
  underWayMax: number;
  waitingMax: number;
};

const isWindows = process.platform === 'win32';

const defaultResolverSettings: ResolverSettings = {
  servers: null,
  hostsFile: isWindows ? 'C:\\Windows\\System32\\drivers\\etc\\hosts' : '/etc/hosts',
  resolverFile: '/etc/resolv.conf',
  questionMs: 2_000,
  deadlineMs: 3_000,
  graceMs: 300,
  keptMs: 60_000,
  missKeptMs: 3_000,
  underWayMax: 2,
  waitingMax: 50,
};

const keptMax = 2_000;
const none: Answer = { is: 'unknown' };
const silent: Answer = { is: 'silent' };

/**
 * Names by questions of our own to the name servers. The system's own lookup knows no time-out and
 * runs in the few threads that files and compression use too: one silent name server stopped every
 * lookup of the process, whoever asked.
 */
export function openNameResolver(instead: Partial<ResolverSettings> = {}): NameResolver {
  const settings = { ...defaultResolverSettings, ...instead };
  const local = localNames(settings);
  const { ask, keptOf } = answers(settings, local);
  const shares = openFairQueue({
    atOnce: settings.underWayMax,
    lineMost: settings.waitingMax,
    waitMs: settings.deadlineMs,
  });

  // The whole deadline, the wait for a turn among it: whoever asks too much at once waits for
  // itself.
  const inShare = (name: string, asker: string): Promise<Answer> =>
    withTimeout(
      shares(asker, async () => keptOf(name) ?? ask(name)).catch(() => silent),
      settings.deadlineMs,
      silent,
    );

  const find: NameResolver['find'] = async (given, asker) => {
    const name = given.toLowerCase().replace(/\.$/, '');
    const family = isIP(name);
    if (family)
      return { is: 'found', addresses: [{ address: name, family: family === 6 ? 6 : 4 }] };
    if (name === 'localhost' || name.endsWith('.localhost'))
      return { is: 'found', addresses: loopback };
    return (await local.hosts(name)) ?? keptOf(name) ?? inShare(name, asker);
  };

  return {
    find,
    lookup: (name, options, done) =>
      void find(name, `own connection to ${name}`).then((answer) =>
        tell(name, answer, options, done),
      ),
  };
}

/** Asks the name servers once per name, whoever else asks meanwhile; the answer is kept for all. */
function answers(settings: ResolverSettings, local: Local) {
  const kept = new LRUCache<string, { answer: Answer; until: number }>({ max: keptMax });
  const underWay = new Map<string, Promise<Answer>>();
  const keep = (name: string, answer: Answer): Answer => {
    const keptMs = answer.is === 'found' ? settings.keptMs : settings.missKeptMs;
    kept.set(name, { answer, until: performance.now() + keptMs });
    return answer;
  };
  return {
    ask(name: string): Promise<Answer> {
      const known = underWay.get(name);
      if (known) return known;
      const asked = askServers(name, settings, local)
        .then((answer) => keep(name, answer))
        .finally(() => underWay.delete(name));
      underWay.set(name, asked);
      return asked;
    },
    keptOf(name: string): Answer | null {
      const known = kept.get(name);
      return known && known.until > performance.now() ? known.answer : null;
    },
  };
}

/** Tells a connection of our own what was found, as `net.connect` wants it. */
function tell(
  name: string,
  answer: Answer,
  { family, all }: LookupOptions,
  done: Parameters<LookupFunction>[2],
): void {
  const found =
    answer.is === 'found'
      ? answer.addresses.filter((each) => !family || each.family === family)
      : [];
  const [first] = found;
  if (!first)
    done(
      Object.assign(new Error(`${name}: ${answer.is}`), {
        code: answer.is === 'silent' ? 'EAI_AGAIN' : 'ENOTFOUND',
      }),
      '',
    );
  else if (all) done(null, found);
  else done(null, first.address, first.family);
}

const loopback: Address[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

type Local = { hosts(name: string): Promise<Answer | null>; suffixes(): Promise<string[]> };

/**
 * What this machine says of names: its hosts file, and the suffixes it tries for a name without a
 * dot. Read again after a while.
 */
function localNames({ hostsFile, resolverFile, keptMs }: ResolverSettings): Local {
  const cached = <T>(path: string, read: (lines: string[][]) => T): (() => Promise<T>) => {
    let last: Promise<T> | null = null;
    let until = 0;
    return () => {
      if (last && performance.now() < until) return last;
      until = performance.now() + keptMs;
      last = readFile(path, 'utf8')
        .catch(() => '')
        .then((text) =>
          read(text.split('\n').map((line) => (line.split(/[#;]/)[0] ?? '').trim().split(/\s+/))),
        );
      return last;
    };
  };
  const hosts = cached(hostsFile, (lines) => {
    const found = new Map<string, Address[]>();
    for (const [address = '', ...names] of lines) {
      const family = isIP(address);
      for (const name of family ? names : [])
        found.set(name.toLowerCase(), [
          ...(found.get(name.toLowerCase()) ?? []),
          { address, family: family === 6 ? 6 : 4 },
        ]);
    }
    return found;
  });
  const suffixes = cached(
    resolverFile,
    (lines) =>
      lines.findLast(([word]) => word === 'search' || word === 'domain')?.slice(1, 4) ?? [],
  );
  return {
    async hosts(name) {
      const addresses = (await hosts()).get(name);
      return addresses ? { is: 'found', addresses: ofFour(addresses) } : null;
    },
    suffixes,
  };
}

const ofFour = (addresses: Address[]): Address[] =>
  addresses.toSorted((a, b) => a.family - b.family);

/**
 * A name without a dot is a name of this network: it is tried with the network's suffixes first, as
 * the system does.
 */
async function askServers(name: string, settings: ResolverSettings, local: Local): Promise<Answer> {
  const names = name.includes('.')
    ? [name]
    : [...(await local.suffixes()).map((suffix) => `${name}.${suffix}`), name];
  const resolver = new Resolver({ timeout: settings.questionMs, tries: 1 });
  if (settings.servers) resolver.setServers(settings.servers);
  const all = async (): Promise<Answer> => {
    let last: Answer = none;
    for (const each of names) {
      last = await askOne(resolver, each, settings.graceMs);
      if (last.is === 'found') break;
    }
    return last;
  };
  const answer = await withTimeout(all(), settings.deadlineMs, silent);
  resolver.cancel();
  return answer;
}

/** Both families at once. Once one has answered with addresses, the other has a moment left. */
async function askOne(resolver: Resolver, name: string, graceMs: number): Promise<Answer> {
  const isSilent = (error: NodeJS.ErrnoException) =>
    !['ENOTFOUND', 'ENODATA', 'EBADNAME', 'EBADQUERY', 'EFORMERR'].includes(error.code ?? '');
  const familyOf = (family: 4 | 6, asked: Promise<string[]>): Promise<Answer> =>
    asked.then(
      (found) => ({ is: 'found', addresses: found.map((address) => ({ address, family })) }),
      (error: NodeJS.ErrnoException) => ({ is: isSilent(error) ? 'silent' : 'unknown' }),
    );
  const both = [familyOf(4, resolver.resolve4(name)), familyOf(6, resolver.resolve6(name))];
  const first = await Promise.race(
    both.map(async (each) =>
      (await each).is === 'found' ? each : Promise.all(both).then(([four]) => four as Answer),
    ),
  );
  const answers = await Promise.all(
    both.map((each) => (first.is === 'found' ? withTimeout(each, graceMs, silent) : each)),
  );
  const addresses = answers.flatMap((each) => (each.is === 'found' ? each.addresses : []));
  if (addresses.length > 0) return { is: 'found', addresses };
  return answers.some((each) => each.is === 'silent') ? silent : none;
}
