import type { Context } from '../../context.ts';
import { AppError } from '../app-error.ts';
import { sha256 } from '../digest.ts';
import type { IdempotencyKeys, RequestOutcome } from './idempotency.store.ts';
import { type Call, FileResponse, type Given, type Route, WithStatus } from './route.ts';

/** A request that its caller may send again under the same key. */
export type KeyedRequest = {
  route: Route;
  call: Call;
  ctx: Context;
  key: string;
  path: string;
  /** The body as it came: the same key goes with the same bytes. */
  raw: string;
  given: Given;
};

/**
 * Answers a repeated key as before. For receipts the document itself is the key, so those answer
 * with their present state.
 */
export async function answerOnce(
  request: KeyedRequest,
  idempotency: IdempotencyKeys,
): Promise<unknown> {
  const { route, call, ctx, key, given } = request;
  if (key.length > 200) throw new AppError('malformed', { field: 'Idempotency-Key' });
  const name = `${route.endpoint.method} ${request.path}`;
  const seen = await idempotency.remember(ctx, name, key, sha256(request.raw));
  if (seen.is === 'conflict') throw new AppError('idempotency_conflict');
  if (route.endpoint.path === '/receipts') {
    if (seen.is === 'new') await idempotency.end(ctx, name, key, { is: 'done' });
    return route.handle(
      Object.create(call, { isReplay: { value: seen.is !== 'new' } }) as Call,
      given,
    );
  }
  if (seen.is === 'under_way') throw new AppError('idempotency_under_way', { retry_after_s: 1 });
  if (seen.is === 'lost') throw new AppError('idempotency_unknown');
  if (seen.is === 'ended') return repeat(seen.ending);
  return runAndKeep(request, (outcome) => idempotency.end(ctx, name, key, outcome));
}

/** Runs the request and keeps how it ended, for whoever sends it again. */
async function runAndKeep(
  { route, call, given }: KeyedRequest,
  keep: (outcome: RequestOutcome) => Promise<void>,
): Promise<unknown> {
  let result: unknown;
  try {
    result = await route.handle(call, given);
  } catch (error) {
    // What was refused is refused again, without another try: some of it may have been done before
    // it was.
    await keep({ is: 'refused', problem: problemOf(error, call) });
    throw error;
  }
  await keep(outcomeOf(route, result));
  return result;
}

const problemOf = (error: unknown, call: Call) =>
  error instanceof AppError
    ? error.problem
    : { code: 'internal' as const, request_id: call.requestId };

/** What is kept of an answer; of a secret or a file only that it was given. */
function outcomeOf(route: Route, result: unknown): RequestOutcome {
  if (route.endpoint.answersSecret || result instanceof FileResponse) return { is: 'done' };
  return { is: 'answered', response: result instanceof WithStatus ? result.body : result };
}

function repeat(outcome: RequestOutcome): unknown {
  if (outcome.is === 'answered') return outcome.response;
  if (outcome.is === 'refused') throw new AppError(outcome.problem.code, outcome.problem);
  throw new AppError('idempotency_done');
}
