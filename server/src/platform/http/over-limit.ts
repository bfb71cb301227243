import { setTimeout as delay } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { Context as HonoContext, MiddlewareHandler } from 'hono';
import { AppError } from '../app-error.ts';
import { problemAnswer } from './problem-response.ts';

export type Spent = { limit: number; left: number; resetSeconds: number; dayLeft: number | null };

/**
 * No body that says it is above so many bytes, which the HTTP parser holds a client to. One that
 * does not say is counted while it is read.
 */
export function limitOf(maxSize: number): MiddlewareHandler {
  return async (c, next) =>
    Number(c.req.header('content-length') ?? 0) > maxSize ? tooLarge(c) : next();
}

/**
 * What was sent is taken off the wire, bounded, before it is refused: a caller still writing would
 * see a broken connection instead.
 */
async function tooLarge(c: HonoContext): Promise<Response> {
  let bytes = 0;
  const body = c.req.raw.body;
  if (body && !body.locked)
    for await (const part of body) if ((bytes += part.byteLength) > 10 << 20) break;
  return problemAnswer(c, { code: 'too_large' });
}

/**
 * Tokens that were over their limit a moment ago, until when. They are turned away before anything
 * is read, so that whoever floods costs the others next to nothing. Only a token that was found to
 * be real stands here: a made-up one learns nothing from it.
 */
const overLimit = new LRUCache<string, number>({ max: 10_000 });

export async function stillLimited(token: string): Promise<void> {
  const seconds = Math.ceil(((overLimit.get(token) ?? 0) - performance.now()) / 1000);
  if (seconds <= 0) return;
  // A caller that waits for its answer before it calls again is slowed down by a late one; one that
  // does not gets no more than these held open.
  if (heldBack < heldBackMost) {
    heldBack++;
    await delay(heldBackMs).finally(() => heldBack--);
  }
  throw new AppError('rate_limited', { retry_after_s: seconds });
}

const heldBackMs = 250;
const heldBackMost = 200;
let heldBack = 0;

export async function limited<T>(token: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AppError && error.code === 'rate_limited') {
      // Looked at again soon: a limit that was raised, or another process's, must not be waited
      // for.
      overLimit.set(
        token,
        performance.now() + Math.min(2, Number(error.problem.retry_after_s)) * 1000,
      );
    }
    throw error;
  }
}
