import type { Problem } from '@muhuri/shared/problems';

/** A problem the server described, in the reader's language. */
export class ApiProblem extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.title);
    this.problem = problem;
  }
}

/** Whether the server says that this session has ended. */
export const isSessionOver = (error: unknown): error is ApiProblem =>
  error instanceof ApiProblem && ['not_signed_in', 'zoho_user_ended'].includes(error.problem.code);

/** The server could not be reached at all. */
export class Offline extends Error {
  override name = 'Offline';
}

/**
 * What a person has pressed is asked for although the panel is closed that very moment. Browsers
 * keep 64 KiB of what is under way so, of all together; what is longer is a picture, and whoever
 * chose it waits for it.
 */
const keptLengthMax = 8_000;

/**
 * One call of the API with a bearer token, never a cookie: an answer, a problem the server
 * described, or nobody there.
 */
export async function request(
  at: { server: string; language: string; token: string | null },
  method: string,
  path: string,
  body?: object,
): Promise<Response> {
  let answer: Response;
  const text = body ? JSON.stringify(body) : undefined;
  try {
    answer = await fetch(`${at.server}/api/v1${path}`, {
      method,
      credentials: 'omit',
      headers: {
        'accept-language': at.language,
        ...(at.token ? { authorization: `Bearer ${at.token}` } : {}),
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      ...(text ? { body: text } : {}),
      keepalive: method !== 'GET' && (text?.length ?? 0) <= keptLengthMax,
    });
  } catch {
    throw new Offline();
  }
  if (answer.ok) return answer;
  const problem = (await answer.json().catch(() => null)) as Problem | null;
  if (!problem?.code) throw new Offline();
  throw new ApiProblem(problem);
}
