import { parentPort } from 'node:worker_threads';
import { AppError } from './app-error.ts';
import type { ThreadMessage } from './bounded-worker.ts';

type Call = { module: string; name: string; args: unknown[] };

const say = (said: ThreadMessage, moved: ArrayBuffer[] = []): void =>
  parentPort?.postMessage(said, moved);

/**
 * The other side of a bounded worker: calls what it is told to, one call after the other. What is
 * not caught here ends this thread.
 */
parentPort?.on('message', (call: Call) => void answer(call));

async function answer({ module, name, args }: Call): Promise<void> {
  try {
    const found = (await import(module)) as Record<string, (...args: unknown[]) => unknown>;
    say({ is: 'loaded' });
    const result = await found[name]?.(...args);
    say({ is: 'done', result }, ownBytes(result));
  } catch (error) {
    const { message, stack } = error as Error;
    say({
      is: 'failed',
      problem: error instanceof AppError ? error.problem : null,
      message: String(message),
      stack: stack ?? '',
    });
  }
}

/** Bytes that are all of their memory are handed over instead of copied. */
function ownBytes(result: unknown): ArrayBuffer[] {
  if (
    !(result instanceof Uint8Array) ||
    !(result.buffer instanceof ArrayBuffer) ||
    result.byteLength !== result.buffer.byteLength
  )
    return [];
  return [result.buffer];
}
