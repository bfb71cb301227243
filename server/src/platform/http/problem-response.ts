import { describeProblem, type StoredProblem } from '@muhuri/shared/problems';
import type { Context as HonoContext } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { AppError } from '../app-error.ts';
import type { Log } from '../log.ts';

export function failure(c: HonoContext, error: Error, log: Log): Response {
  if (error instanceof AppError) {
    if (error.cause)
      log.warn(
        { request_id: c.get('requestId' as never), code: error.code, cause: String(error.cause) },
        'problem',
      );
    return problemAnswer(c, error.problem);
  }
  log.error(
    { request_id: c.get('requestId' as never), error: error.stack ?? String(error) },
    'unexpected',
  );
  return problemAnswer(c, { code: 'internal', request_id: c.get('requestId' as never) });
}

export function problemAnswer(c: HonoContext, stored: StoredProblem): Response {
  if (typeof stored.retry_after_s === 'number')
    c.header('retry-after', String(stored.retry_after_s));
  const problem = describeProblem(translateNested(stored, languageOf(c)), languageOf(c));
  return c.body(JSON.stringify(problem), problem.status as ContentfulStatusCode, {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
  });
}

const translateNested = (stored: StoredProblem, language: string): StoredProblem =>
  Array.isArray(stored.findings)
    ? {
        ...stored,
        findings: (stored.findings as StoredProblem[]).map((each) =>
          describeProblem(each, language),
        ),
      }
    : stored;

export const languageOf = (c: HonoContext) =>
  (/^[a-z]{2}/i.exec(c.req.header('accept-language') ?? '')?.[0] ?? 'en').toLowerCase();
