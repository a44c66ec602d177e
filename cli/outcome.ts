// How every command ends: data on standard output, everything else on standard error, an exit code. With
// `--json` exactly one object on standard output, whatever happened; after a failure it has `error`.

import type { Command } from 'commander';
import { asHoldfastError, exitCodeOf, formatError } from '../domain/errors.ts';
import type { ErrorContract } from '../domain/errors.ts';
import type { Service } from './service.ts';
import { printable } from './printable.ts';

export interface Outcome {
  /** What `--json` prints. */
  data: object;
  /** The same for a person; made only when it is wanted. */
  text?: () => string | Promise<string>;
  error?: ErrorContract;
  /** For the reader of an error: where to look. */
  trailer?: string[];
  /** What follows from `error` unless told. */
  exitCode?: number;
}

/** What a command is called with besides its own arguments. */
export interface Call {
  json: boolean;
  /** `--config`. */
  config: string | undefined;
  /** The running service; `service.unreachable` when there is none. */
  service: () => Promise<Service>;
  /** For the person waiting. */
  say: (line: string) => void;
}

export interface GlobalOptions {
  json?: boolean;
  config?: string;
}

/** Makes a commander action of a command's work: `.action(does(async (call, policy, options) => …))`. */
export function does<Arguments extends unknown[]>(
  work: (call: Call, ...given: Arguments) => Promise<Outcome>,
): (...given: unknown[]) => Promise<void> {
  return async (...given) => {
    const command = given.at(-1) as Command;
    const options = command.optsWithGlobals<GlobalOptions>();
    const json = options.json === true;
    const call: Call = {
      json,
      config: options.config,
      service: async () => (await import('./service.ts')).openService(options.config),
      say: (line) => void process.stderr.write(`${line}\n`),
    };
    // Commander hands over each argument, then the options, then the command.
    const words = [...given.slice(0, -2), options] as Arguments;
    await finish(await work(call, ...words).catch(failed), json);
  };
}

export async function finish(outcome: Outcome, json: boolean): Promise<void> {
  process.exitCode = outcome.exitCode ?? (outcome.error ? exitCodeOf(outcome.error.code) : 0);
  if (json) {
    const { data, error } = outcome;
    process.stdout.write(`${JSON.stringify(error ? { ...data, error } : data)}\n`);
    return;
  }
  const text = await outcome.text?.();
  if (text) process.stdout.write(`${text}\n`);
  if (outcome.error) {
    process.stderr.write(`${printable(formatError(outcome.error, outcome.trailer), { lines: true })}\n`);
  }
}

export function failed(thrown: unknown): Outcome {
  const error = asHoldfastError(thrown, 'the command failed');
  const problems = (thrown as { problems?: unknown }).problems;
  return { data: problems ? { problems } : {}, error: error.toContract() };
}
