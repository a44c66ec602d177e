// How much lies below a folder, by `du`: quick, without what is excluded taken off.

import { HoldfastError } from '../../domain/errors.ts';
import { lastWords, runCommand } from '../run-command.ts';
import type { Step } from '../step.ts';

/** Bytes of the files, not of the blocks they take. What may not be read is left out. */
export async function sizeOfTree(path: string, step: Step): Promise<number> {
  const args = ['--summarize', '--bytes', '--dereference-args', '--', path];
  const result = await runCommand({ tool: 'du', file: 'du', args }, step);
  const bytes = /^(\d+)\s/.exec(result.stdout)?.[1];
  if (bytes !== undefined) return Number(bytes);
  throw new HoldfastError({
    code: 'source.missing',
    message: `the size of ${path} could not be found out`,
    cause: lastWords(result.stderr),
    hint: 'check that the path exists, that its disk is mounted, and that the worker may enter it',
  });
}
