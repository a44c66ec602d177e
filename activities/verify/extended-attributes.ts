// Extended attributes through getfattr, which prints names with \n, \r and \ as octal and everything else as
// its bytes, values in hexadecimal, and an entry only if it has any.
import { createHash } from 'node:crypto';
import { HoldfastError } from '../../domain/errors.ts';
import { lastWords, runCommand } from '../run-command.ts';
import type { Step } from '../step.ts';
import { readLines } from './byte-lines.ts';
import type { RawPath } from './raw-path.ts';

export interface AttributesOfPath {
  /** Absolute. */
  path: RawPath;
  attributes: Map<string, string>;
}

/**
 * Attributes of the absolute paths in `pathsFile` (each ended by NUL), in their order; paths without any are
 * not mentioned. One xargs over the whole list, so that a million files cost a thousand short processes.
 */
export async function* readAttributes(
  getfattr: string,
  pathsFile: string,
  outputFile: string,
  step: Step,
): AsyncGenerator<AttributesOfPath> {
  const args = ['-0', '-a', pathsFile, '--', getfattr, ...getfattrOptions(), '--'];
  const result = await runCommand({ tool: 'getfattr', file: 'xargs', args, stdoutFile: outputFile }, step);
  // 123: some getfattr ended with an error of its own, for example because a file vanished under it.
  if (result.exitCode !== 0 && !(result.exitCode === 123 && onlyGone(result.stderr))) {
    throw new HoldfastError({
      code: 'tool.failed',
      message: 'reading extended attributes failed',
      cause: lastWords(result.stderr) || `getfattr ended with ${result.exitCode}`,
      hint: 'check that the account can read the files, and that getfattr is the one of the package attr',
    });
  }
  yield* parseAttributes(readLines(outputFile));
}

export function getfattrOptions(): string[] {
  return ['-h', '-d', '-m', '-', '-e', 'hex', '--absolute-names'];
}

export async function* parseAttributes(lines: AsyncIterable<string>): AsyncGenerator<AttributesOfPath> {
  let current: AttributesOfPath | null = null;
  for await (const line of lines) {
    if (line === '') continue;
    if (line.startsWith('# file: ')) {
      if (current) yield current;
      current = { path: unescapeOctal(line.slice('# file: '.length)), attributes: new Map() };
      continue;
    }
    const equals = line.indexOf('=');
    const [name, value] = equals < 0 ? [line, ''] : [line.slice(0, equals), line.slice(equals + 1)];
    current?.attributes.set(unescapeOctal(name), value);
  }
  if (current) yield current;
}

/** Two digests: what anybody may restore, and the name spaces that only root can write. */
export function digestsOfAttributes(attributes: ReadonlyMap<string, string>): {
  xattrs: string;
  privilegedXattrs: string;
} {
  const names = [...attributes.keys()].sort();
  const digest = (kept: string[]) => {
    if (kept.length === 0) return '-';
    const text = kept.map((name) => `${name}\0${attributes.get(name)}\n`).join('');
    return createHash('sha256').update(text, 'latin1').digest('hex');
  };
  return {
    xattrs: digest(names.filter((name) => !isPrivileged(name))),
    privilegedXattrs: digest(names.filter(isPrivileged)),
  };
}

function isPrivileged(name: string): boolean {
  return name.startsWith('security.') || name.startsWith('trusted.');
}

function unescapeOctal(word: string): string {
  return word.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}

function onlyGone(stderr: string): boolean {
  return stderr.split('\n').every((line) => line === '' || line.endsWith(': No such file or directory'));
}
