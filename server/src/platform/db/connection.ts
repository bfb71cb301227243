/** A connection of the driver, as far as we speak with it. */
export type Client = {
  query(text: unknown, values?: unknown, ...rest: unknown[]): unknown;
  end(): Promise<void>;
  /** Gives it back to the pool, or has the pool forget it. */
  release(isGone?: boolean): void;
  on(event: 'notice', run: (notice: Notice) => void): void;
  processID: number | null;
  connection: {
    stream: {
      cork(): void;
      uncork(): void;
      destroy(error: Error): void;
      on(event: 'data', run: () => void): void;
    };
  };
};
export type Result = { command: string };
export type Notice = { code?: string; message?: string; routine?: string };

type PoolOf<C> = {
  Client: C;
  options: object;
  on(event: 'connect', run: (client: Client) => void): void;
};
export type Pool = PoolOf<new (config: object) => object>;

export type Waits = {
  prepares: boolean;
  /**
   * How long PostgreSQL may take to let somebody in, and how much longer than a statement may take
   * it is waited for.
   */
  connectMs: number;
  graceMs: number;
  /** How long a statement that is said now may take. */
  statementMs(): number;
};

/**
 * A commit whose answer is awaited, and how whoever waits for it is told that they do so no longer.
 */
export type Committing = {
  answer: Promise<Result>;
  limitMs: number;
  giveUp(error: Error): void;
  isOnlyHere: boolean;
};

/** One connection in pipeline mode, and what is known of its answers. */
export type Line = {
  client: Client;
  pool: Pool;
  waits: Waits;
  /** The driver's own `query`. */
  raw(text: unknown, values?: unknown, ...rest: unknown[]): Promise<unknown>;
  /** How many answers are awaited. */
  waiting: number;
  /** Until when nothing at all may be heard while an answer is awaited. */
  silence: NodeJS.Timeout | undefined;
  isHeard: boolean;
  isCorked: boolean;
  committing: Committing | null;
  /** PostgreSQL is still at its commit: the connection keeps its place until that is answered. */
  isHeld: boolean;
};

/** Takes over the connection of a pool; nothing is said on it yet. */
export function lineOf(client: Client, pool: Pool, waits: Waits): Line {
  const line: Line = {
    client,
    pool,
    waits,
    raw: client.query.bind(client) as Line['raw'],
    waiting: 0,
    silence: undefined,
    isHeard: true,
    isCorked: false,
    committing: null,
    isHeld: false,
  };
  client.connection.stream.on('data', () => {
    line.isHeard = true;
    line.silence?.refresh();
  });
  return line;
}
