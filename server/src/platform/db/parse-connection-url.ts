/**
 * A PostgreSQL address in parts. `?host=/a/folder` names the folder of a Unix socket, as
 * PostgreSQL's own clients have it.
 */
export type Connection = {
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
  ssl: boolean;
};

export function parseConnectionUrl(address: string): Connection {
  const url = new URL(address);
  return {
    host: url.searchParams.get('host') ?? url.hostname,
    port: Number(url.port || 5432),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: decodeURIComponent(url.pathname.slice(1)),
    ssl: ['require', 'verify-ca', 'verify-full'].includes(url.searchParams.get('sslmode') ?? ''),
  };
}

/**
 * A connection whose other side is gone without a word, while nothing is said on it, is found out
 * within half a minute instead of two hours.
 */
export const keptAlive = { keepAlive: true, keepAliveInitialDelayMillis: 10_000 };
