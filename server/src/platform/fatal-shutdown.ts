import { type Log, redacted } from './log.ts';

/**
 * All that is left to a process whose state nobody can vouch for: to say why, end its work in
 * order, and be started again.
 */
export const shutdownMs = 60_000;

export type LastResort = {
  /** How the process ends its work once it has begun it. */
  closing(close: () => Promise<void>): void;
  /** Ends the work and the process, once; at the latest after a minute. */
  end(code: number): Promise<void>;
};

/**
 * Takes errors that nothing caught, wherever they come from. Without it Node prints them, secrets
 * and all, and cuts off what is under way.
 */
export function lastResort(log: Log): LastResort {
  let close = async (): Promise<void> => {};
  let ending: Promise<void> | null = null;

  const end = (code: number): Promise<void> => {
    process.exitCode = Math.max(code, Number(process.exitCode ?? 0));
    ending ??= (async () => {
      const deadline = setTimeout(() => {
        log.error({}, 'the process is ended before its work was');
        process.exit(1);
      }, shutdownMs);
      await close().catch((error: unknown) => log.error(described(error), 'closing failed'));
      clearTimeout(deadline);
      process.exit();
    })();
    return ending;
  };
  const take = (error: unknown, from: string): void => {
    log.error({ ...described(error), from }, 'an error nobody caught: the process ends');
    void end(1);
  };
  process.on('uncaughtException', (error, from) => take(error, from));
  process.on('unhandledRejection', (reason) => take(reason, 'unhandledRejection'));

  return {
    closing(how) {
      close = how;
    },
    end,
  };
}

function described(error: unknown): { error: string; code?: string } {
  const { stack, code } = (error ?? {}) as { stack?: unknown; code?: unknown };
  return {
    error: redacted(typeof stack === 'string' ? stack : String(error)),
    ...(typeof code === 'string' ? { code } : {}),
  };
}
