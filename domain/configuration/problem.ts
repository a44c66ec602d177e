// What is wrong with a configuration and where: one shape for YAML errors, schema errors and broken rules.

import { HoldfastError } from '../errors.ts';
import { shownKey } from './shown-value.ts';

export type Path = readonly (string | number)[];

/** A problem found in the document's value, before it is known where that stands in the text. */
export interface Finding {
  path: Path;
  /** The key is at fault (unknown, repeated), not what stands behind it. */
  atKey?: boolean;
  /** The other place of a pair that can't both be: named in the message by its position. */
  firstAt?: Path;
  message: string;
  fix: string;
}

export interface Problem {
  file: string;
  line: number;
  column: number;
  /** `repositories[0].password`; empty for the whole document. */
  path: string;
  message: string;
  /** The value at fault as it may be shown: masked where it is a secret, null where showing it helps nobody. */
  value: string | null;
  fix: string;
}

/** All problems of a file at once, in the order of its lines. */
export class ConfigurationError extends HoldfastError {
  readonly problems: readonly Problem[];

  constructor(file: string, problems: readonly Problem[]) {
    super({
      code: 'configuration.invalid',
      message: `${file} has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}`,
      cause: problems.map(formatProblem).join('\n'),
      hint: 'correct the lines above, then run `holdfast validate`',
    });
    this.name = 'ConfigurationError';
    this.problems = problems;
  }
}

/** `holdfast.yaml:12:5 policies[0].repository: no repository has this name: "locl"`, and the fix below it. */
export function formatProblem(problem: Problem): string {
  const { file, line, column, path, message, value, fix } = problem;
  const where = `${file}:${line}:${column}${path && ` ${path}`}`;
  return `${where}: ${message}${value === null ? '' : `: ${value}`}\n  fix: ${fix}`;
}

export function formatPath(path: Path): string {
  return path
    .map((step, index) =>
      typeof step === 'number' ? `[${step}]` : `${index > 0 ? '.' : ''}${shownKey(step)}`,
    )
    .join('');
}
