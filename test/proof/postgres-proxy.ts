import { connect, createServer, type Server, type Socket } from 'node:net';
import { parseConnectionUrl } from '@muhuri/server/platform/db/parse-connection-url';

type CommitFault = {
  point: 'before_commit' | 'after_commit';
  fault: 'drop' | 'reset' | 'stall';
};

export type PostgresProxy = {
  /** The same address, through here. */
  through(url: string): string;
  /**
   * Breaks the commit of the next transaction of which this is true, by what went over the wire for
   * it; once.
   */
  break(isIt: (said: string) => boolean, how: CommitFault): { done(): boolean };
  /** Keeps from whoever commits the next such transaction that it has, until it is let go. */
  hold(isIt: (said: string) => boolean): { done(): boolean; letGo(): void };
  /**
   * PostgreSQL is gone from the commit of the next such transaction on, which it never hears of:
   * for everybody who comes through here, until it is back.
   */
  away(isIt: (said: string) => boolean): { done(): boolean; back(): void };
  /**
   * PostgreSQL falls silent from the commit of the next such transaction on: nothing is refused and
   * nothing answered, for everybody who comes through here. Once it is back, it answers whoever
   * comes anew; those who were connected before hear nothing any more.
   */
  silent(isIt: (said: string) => boolean): { done(): boolean; back(): void };
  /**
   * Nothing more is to happen: what was asked for and has not come about is forgotten, and
   * PostgreSQL is there.
   */
  reset(): void;
  close(): Promise<void>;
};

type Held = { point: 'after_commit'; fault: 'hold'; letGo: Promise<void> };
type Rule = {
  isIt(said: string): boolean;
  how: CommitFault | Held | 'away' | 'silent';
  isUsed: boolean;
};

const stallMs = 1_500;
const commit = /(?:^|[^a-z ])commit\0/i;

/**
 * Stands between a server and PostgreSQL and loses the connection at the one moment that matters:
 * when a transaction commits. Before: PostgreSQL never hears of the commit. After: it has
 * committed, and whoever asked is never told.
 */
export async function startPostgresProxy(address: string): Promise<PostgresProxy> {
  const { host, port: targetPort } = parseConnectionUrl(address);
  const target = host.startsWith('/')
    ? { path: `${host}/.s.PGSQL.${targetPort}` }
    : { host, port: targetPort };
  const rules: Rule[] = [];
  const sockets = new Set<Socket>();
  let isAway = false;
  let isSilent = false;
  /** Whoever hears nothing any more. */
  const deaf = new WeakSet<Socket>();
  const upstreams = new WeakSet<Socket>();
  const server: Server = createServer((client) => {
    if (isSilent) {
      sockets.add(client);
      client.on('error', () => {}).on('close', () => sockets.delete(client));
      return;
    }
    if (isAway) {
      client.destroy();
      return;
    }
    const upstream = connect(target as { path: string });
    sockets.add(client).add(upstream);
    upstreams.add(upstream);
    let said = '';
    let afterCommit: CommitFault | Held | null = null;
    const end = (how: CommitFault['fault']) => {
      if (how === 'reset') client.resetAndDestroy();
      else client.destroy();
      upstream.destroy();
    };
    client.on('data', (part) => {
      if (deaf.has(client)) return;
      const text = part.toString('latin1');
      said += text;
      if (!commit.test(text)) {
        upstream.write(part);
        return;
      }
      const rule = rules.find((each) => !each.isUsed && each.isIt(said));
      said = '';
      if (!rule) {
        upstream.write(part);
        return;
      }
      rule.isUsed = true;
      if (rule.how === 'away') {
        isAway = true;
        for (const each of sockets) each.destroy();
      } else if (rule.how === 'silent') {
        isSilent = true;
        for (const each of sockets) deaf.add(each);
      } else if (rule.how.point === 'after_commit') {
        afterCommit = rule.how;
        upstream.write(part);
      } else if (rule.how.fault === 'stall') setTimeout(() => upstream.write(part), stallMs);
      else end(rule.how.fault);
    });
    upstream.on('data', (part) => {
      if (deaf.has(upstream)) return;
      if (!afterCommit) {
        client.write(part);
        return;
      }
      const how = afterCommit;
      if (!part.toString('latin1').includes('COMMIT\0')) client.write(part);
      else if (how.fault === 'hold') {
        afterCommit = null;
        void how.letGo.then(() => client.write(part));
      } else if (how.fault === 'stall') {
        afterCommit = null;
        setTimeout(() => client.write(part), stallMs);
      } else end(how.fault);
    });
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => one.destroy());
      one.on('close', () => {
        if (other === upstream || !deaf.has(other)) other.destroy();
        sockets.delete(one);
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    through(url) {
      const through = new URL(url);
      through.searchParams.delete('host');
      through.hostname = '127.0.0.1';
      through.port = String(port);
      return through.href;
    },
    break(isIt, how) {
      const rule = { isIt, how, isUsed: false };
      rules.push(rule);
      return { done: () => rule.isUsed };
    },
    hold(isIt) {
      let letGo = () => {};
      const held: Held = {
        point: 'after_commit',
        fault: 'hold',
        letGo: new Promise((resolve) => (letGo = resolve)),
      };
      const rule: Rule = { isIt, how: held, isUsed: false };
      rules.push(rule);
      return { done: () => rule.isUsed, letGo };
    },
    away(isIt) {
      const rule: Rule = { isIt, how: 'away', isUsed: false };
      rules.push(rule);
      return {
        done: () => rule.isUsed,
        back() {
          isAway = false;
        },
      };
    },
    reset() {
      rules.length = 0;
      isAway = false;
      isSilent = false;
    },
    silent(isIt) {
      const rule: Rule = { isIt, how: 'silent', isUsed: false };
      rules.push(rule);
      return {
        done: () => rule.isUsed,
        back() {
          isSilent = false;
          // What was begun there is rolled back; nobody is told.
          for (const each of sockets) if (deaf.has(each) && upstreams.has(each)) each.destroy();
        },
      };
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
