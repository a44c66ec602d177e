// `init --yes`: the answers from options instead of questions. Secrets come from the environment and stay there.

import { resolve } from 'node:path';
import { parseDuration } from '../domain/duration.ts';
import { HoldfastError } from '../domain/errors.ts';
import { assetName, credentialsFor, databaseName } from './init-answers.ts';
import type { Answers, AssetAnswer, RepositoryAnswer } from './init-answers.ts';
import { detect } from './init-detect.ts';

export interface InitOptions {
  yes?: boolean;
  path?: string[];
  postgresUrlEnv?: string[];
  repository?: string;
  copy?: string;
  every?: string;
  proof?: string;
  force?: boolean;
  start?: boolean;
}

export interface Surroundings {
  /** Where relative paths on the command line start. */
  from: string;
  /** Where the configuration will be. */
  folder: string;
  environment: Readonly<Record<string, string | undefined>>;
}

export function answersFromOptions(options: InitOptions, around: Surroundings): Answers {
  const assets: AssetAnswer[] = [];
  const names = () => assets.map(({ name }) => name);
  for (const path of new Set((options.path ?? []).map((given) => resolve(around.from, given))))
    assets.push({ name: assetName(path, names()), type: detect(path), path });
  for (const name of new Set(options.postgresUrlEnv ?? [])) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      throw misused('--postgres-url-env', 'it takes the name of a variable, never the URL itself');
    assets.push({ name: databaseName(name, names()), type: 'postgres', url: { kind: 'env', name } });
  }
  if (assets.length === 0) {
    throw new HoldfastError({
      code: 'usage',
      message: '`init --yes` was not told what to protect',
      cause: 'neither --path nor --postgres-url-env is given',
      hint: 'add --path DIRECTORY_OR_SQLITE_FILE, --postgres-url-env NAME, or run it on a terminal without --yes',
    });
  }
  const every = options.every ?? '24h';
  if (parseDuration(every) === null)
    throw misused('--every', 'write it like 90m, 6h, 24h or 7d, longer than 0');
  return {
    assets,
    repository: repositoryAt(
      options.repository === undefined
        ? resolve(around.folder, 'backups')
        : place(options.repository, around.from),
      around,
    ),
    copy: options.copy === undefined ? null : repositoryAt(place(options.copy, around.from), around),
    every,
    proof: proofNamed(options.proof ?? 'proven'),
  };
}

/** A local path made absolute; a URL as it is. What is wrong with it is said when the configuration is checked. */
export function place(given: string, from: string): string {
  const path = given.replace(/^local:/, '');
  return given === '' || /^[A-Za-z][A-Za-z0-9+]*:/.test(path) || path.startsWith('~')
    ? given
    : resolve(from, path);
}

function repositoryAt(url: string, { environment }: Surroundings): RepositoryAnswer {
  const credentials = credentialsFor(url)
    .filter(({ variable, needed }) => needed || environment[variable])
    .map(({ variable }) => ({ variable, value: { kind: 'env' as const, name: variable } }));
  return { url, password: null, credentials };
}

function proofNamed(name: string): Answers['proof'] {
  if (name === 'stored' || name === 'verified' || name === 'proven') return name;
  throw misused('--proof', 'it is one of stored, verified, proven');
}

function misused(option: string, cause: string): HoldfastError {
  return new HoldfastError({
    code: 'usage',
    message: `reading ${option} failed`,
    cause,
    hint: '`holdfast init --help` shows what there is',
  });
}
