// Puts what `init` was told into files: all of them or none. A key that is there already is never replaced:
// with it would go every backup it opens.

import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { parseConfiguration } from '../domain/configuration/parse.ts';
import { formatProblem } from '../domain/configuration/problem.ts';
import { HoldfastError, wordsOf } from '../domain/errors.ts';
import { COPY, LOCAL } from './init-answers.ts';
import type { Answers, RepositoryAnswer, SecretAnswer } from './init-answers.ts';
import { isRepository } from './init-detect.ts';
import { configurationText, credentialName, databaseUrlName, secretFile } from './init-text.ts';

export interface Written {
  /** Absolute, as all of these. */
  configuration: string;
  /** What a person must keep a copy of. */
  keys: string[];
  /** Those of them that were there before. */
  kept: string[];
  /** Credentials and database addresses. */
  secrets: string[];
  /** The configuration that was in its place, under its new name. */
  before: string | null;
  /** Variables the configuration refers to and that are not set here. */
  unset: string[];
  warnings: string[];
}

export function refuseExisting(configuration: string, force: boolean): void {
  if (force || !existsSync(configuration)) return;
  throw new HoldfastError({
    code: 'request.conflict',
    message: `writing ${configuration} is refused`,
    cause: 'there is a configuration already',
    hint: 'use it (`holdfast validate`, `holdfast up`), name another place with --config, or replace it with --force',
  });
}

export function writeEverything(
  answers: Answers,
  configuration: string,
  force: boolean,
  environment: Readonly<Record<string, string | undefined>>,
): Written {
  refuseExisting(configuration, force);
  const folder = dirname(configuration);
  const text = configurationText(answers, folder);
  const { warnings } = parseConfiguration(text, { file: basename(configuration), folder });
  const files = [
    ...secretsOf(answers).flatMap(({ name, secret }) =>
      secret.kind === 'value' ? [{ name, content: secret.value, isKey: false }] : [],
    ),
    ...[keyOf(LOCAL, answers.repository, folder), answers.copy && keyOf(COPY, answers.copy, folder)],
  ].filter((file) => file !== null);

  const made: string[] = [];
  const kept: string[] = [];
  // No signal may end this half-way: it takes milliseconds.
  const hold = () => {};
  process.on('SIGINT', hold).on('SIGTERM', hold);
  try {
    mkdirSync(join(folder, 'keys'), { recursive: true, mode: 0o700 });
    for (const { name, content, isKey } of files) {
      const path = join(folder, secretFile(name));
      if (isKey && existsSync(path)) kept.push(path);
      else writeSecret(path, content, made);
    }
    // Last: with it there, everything it names is.
    const before = writeConfiguration(configuration, text, force);
    const paths = (wanted: boolean) =>
      files.filter(({ isKey }) => isKey === wanted).map(({ name }) => join(folder, secretFile(name)));
    return {
      configuration,
      keys: paths(true),
      kept,
      secrets: paths(false),
      before,
      unset: secretsOf(answers).flatMap(({ secret }) =>
        secret.kind === 'env' && !environment[secret.name] ? [secret.name] : [],
      ),
      warnings: warnings.map(formatProblem),
    };
  } catch (error) {
    for (const path of made) rmSync(path, { force: true });
    if (error instanceof HoldfastError) throw error;
    throw new HoldfastError({
      code: 'usage',
      message: `writing the configuration into ${folder} failed`,
      cause: wordsOf(error),
      hint: 'nothing was left behind; name a folder this user may write to with --config FOLDER/holdfast.yaml',
    });
  } finally {
    process.off('SIGINT', hold).off('SIGTERM', hold);
  }
}

interface SecretFile {
  name: string;
  content: string;
  isKey: boolean;
}

function secretsOf({ assets, repository, copy }: Answers): { name: string; secret: SecretAnswer }[] {
  return [
    ...assets.flatMap((asset) =>
      asset.type === 'postgres' ? [{ name: databaseUrlName(asset.name), secret: asset.url }] : [],
    ),
    ...[{ name: LOCAL, of: repository }, ...(copy ? [{ name: COPY, of: copy }] : [])].flatMap(
      ({ name, of }) =>
        of.credentials.map(({ variable, value }) => ({
          name: credentialName(name, variable),
          secret: value,
        })),
    ),
  ];
}

/** 256 bits. What opens a repository that exists is asked for, or was put in its place before. */
function keyOf(name: string, { url, password }: RepositoryAnswer, folder: string): SecretFile {
  const file = secretFile(`${name}.key`);
  const opensExisting = isAbsolute(url) && isRepository(url);
  if (opensExisting && password === null && !existsSync(join(folder, file))) {
    throw new HoldfastError({
      code: 'request.conflict',
      message: `using ${url} as a repository is not possible yet`,
      cause: `it is one already, and its key is not in ${join(folder, file)}`,
      hint: `write its password there (mode 0600) and run this again, or choose another place with --repository`,
    });
  }
  if (password !== null && existsSync(join(folder, file))) {
    throw new HoldfastError({
      code: 'request.conflict',
      message: `writing the password of ${url} is refused`,
      cause: `there is a key already in ${join(folder, file)}`,
      hint: 'move that file away if it is not needed (keep it: it may open another repository), then run this again',
    });
  }
  return { name: `${name}.key`, content: password ?? randomBytes(32).toString('base64url'), isKey: true };
}

function writeSecret(path: string, content: string, made: string[]): void {
  const isNew = !existsSync(path);
  const temporary = `${path}.new`;
  rmSync(temporary, { force: true });
  made.push(temporary);
  writeFileSync(temporary, `${content}\n`, { mode: 0o600, flag: 'wx', flush: true });
  renameSync(temporary, path);
  if (isNew) made.push(path);
}

function writeConfiguration(path: string, text: string, force: boolean): string | null {
  const temporary = `${path}.new`;
  try {
    writeFileSync(temporary, text, { flush: true });
    // Whatever the umask: there is no secret in it, and others may want to read what is protected.
    chmodSync(temporary, 0o644);
    refuseExisting(path, force);
    const before = existsSync(path) ? `${path}.before` : null;
    if (before) renameSync(path, before);
    renameSync(temporary, path);
    return before;
  } finally {
    rmSync(temporary, { force: true });
  }
}
