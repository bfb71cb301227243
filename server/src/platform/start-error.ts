/** A start refused, with every reason. */
export class StartError extends Error {
  readonly problems: string[];
  constructor(problems: string[]) {
    super(`Muhuri does not start:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}
