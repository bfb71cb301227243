import { type ProblemCode, type StoredProblem, problems } from '@muhuri/shared/problems';

/**
 * A problem of the closed list, thrown by use cases. The cause is for the log; the person gets the
 * code's sentence.
 */
export class AppError extends Error {
  override name = 'AppError';
  readonly problem: StoredProblem;
  constructor(code: ProblemCode, extra: Omit<StoredProblem, 'code'> = {}, cause?: unknown) {
    super(problems[code].en[0], { cause });
    this.problem = { ...extra, code };
  }
  get code(): ProblemCode {
    return this.problem.code;
  }
}
