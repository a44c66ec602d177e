// Finds, reads and understands the configuration file. Throws what a person can act on: a missing file, one
// that can't be read, or a ConfigurationError with everything that is wrong in it.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import { canonicalJson } from '../domain/canonical-json.ts';
import type { ParsedConfiguration } from '../domain/configuration/parse.ts';
import { parseConfiguration } from '../domain/configuration/parse.ts';
import type { Configuration } from '../domain/configuration/types.ts';
import { HoldfastError, wordsOf } from '../domain/errors.ts';

export interface ConfigurationFileChoice {
  /** `--config`. */
  option?: string | undefined;
  /** Looked up for `HOLDFAST_CONFIG`. */
  environment?: Readonly<Record<string, string | undefined>>;
  /** Where relative paths start; the working folder unless told. */
  from?: string;
}

export interface LoadedConfiguration extends ParsedConfiguration {
  /** Absolute. */
  path: string;
  digest: string;
}

export async function loadConfiguration(choice: ConfigurationFileChoice = {}): Promise<LoadedConfiguration> {
  const { path, shown, chosenBy } = findConfigurationFile(choice);
  const text = await readText(path, shown, chosenBy);
  const parsed = parseConfiguration(text, { file: shown, folder: dirname(path) });
  return { ...parsed, path, digest: configurationDigest(parsed.configuration) };
}

export interface FoundConfigurationFile {
  /** Absolute. */
  path: string;
  /** As messages name it: relative where that is shorter to read. */
  shown: string;
  chosenBy: '--config' | 'HOLDFAST_CONFIG' | 'default';
}

/** `--config`, else `HOLDFAST_CONFIG`, else `./holdfast.yaml`; an empty one counts as not given. */
export function findConfigurationFile(choice: ConfigurationFileChoice = {}): FoundConfigurationFile {
  const { option, environment = process.env, from = process.cwd() } = choice;
  const variable = environment['HOLDFAST_CONFIG'];
  const path = resolve(from, option || variable || 'holdfast.yaml');
  const near = relative(from, path);
  const shown = near.startsWith('..') || isAbsolute(near) || near === '' ? path : near;
  return { path, shown, chosenBy: option ? '--config' : variable ? 'HOLDFAST_CONFIG' : 'default' };
}

/** SHA-256 over the canonical JSON: equal for two files that mean the same, whatever their comments and order of keys. */
export function configurationDigest(configuration: Configuration): string {
  return createHash('sha256').update(canonicalJson(configuration)).digest('hex');
}

/** More than a thousand assets fit in; a backup file given by mistake does not. */
const largest = 4 * 2 ** 20;

async function readText(
  path: string,
  shown: string,
  chosenBy: FoundConfigurationFile['chosenBy'],
): Promise<string> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw new HoldfastError({
      code: 'configuration.invalid',
      message: `reading the configuration ${shown}${chosenBy === 'default' ? '' : ` (${chosenBy})`} failed`,
      cause: wordsOf(error),
      hint: hintFor((error as NodeJS.ErrnoException).code, chosenBy),
    });
  });
  const refuse = (cause: string, hint: string) =>
    new HoldfastError({
      code: 'configuration.invalid',
      message: `reading the configuration ${shown} failed`,
      cause,
      hint,
    });
  if (bytes.length > largest)
    throw refuse(`it has ${bytes.length} bytes`, 'is it another file? at most 4 MiB are read');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw refuse('it is not UTF-8 text', 'save it as UTF-8, or name another file with --config');
  }
}

function hintFor(code: string | undefined, chosenBy: FoundConfigurationFile['chosenBy']): string {
  switch (code) {
    case 'ENOENT':
      return chosenBy === 'default'
        ? 'run `holdfast init` to have one written, or name yours with --config or HOLDFAST_CONFIG'
        : `check the path given by ${chosenBy}; \`holdfast init\` writes a new one`;
    case 'EACCES':
      return 'let this user read the file and enter the folders above it';
    case 'EISDIR':
      return 'name the file itself, not the folder it is in';
    default:
      return 'check the file and the disk it is on';
  }
}
