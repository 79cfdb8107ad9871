// What is wrong with a configuration, and where. Every mistake found in one reading is kept, so that all can be shown at once.
// Kept true: reading a configuration, however hostile, fails with a ConfigError and nothing else.

export interface Position {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** In bytes, counted as nats-server does: from 0 on the first line, from 1 on the others. */
  readonly column: number;
}

export interface Problem {
  readonly at?: Position;
  readonly text: string;
}

export class ConfigError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(formatProblem).join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** `file:line:column: text`, or the text alone when the mistake has no place in a file. */
export function formatProblem(problem: Problem): string {
  if (problem.at === undefined) return problem.text;
  const { file, line, column } = problem.at;
  return `${file}:${line}:${column}: ${problem.text}`;
}
