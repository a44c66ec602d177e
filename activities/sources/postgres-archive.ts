// A dump in pg_dump's custom format, as pg_restore reads it. Reading runs nothing of it; restoring runs
// everything in it, in the server it is restored to.

import { readdir, readFile, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { HoldfastError } from '../../domain/errors.ts';
import { lastWords, runCommand } from '../run-command.ts';
import type { Step } from '../step.ts';
import { databaseArgument, toolEnvironment, type PostgresAddress } from './postgres-address.ts';
import { toolFailure } from './postgres-connection.ts';
import {
  namesIn,
  readDatabaseDefinition,
  readGlobals,
  type DatabaseDefinition,
  type Globals,
} from './postgres-statements.ts';
import type { RestoredParts } from './source.ts';

export interface Archive {
  file: string;
  /** Major version of the server the dump was made from. */
  major: number;
  extensions: string[];
  definition: DatabaseDefinition | null;
  /** Every name in its statements, among them those of the roles it needs. */
  mentioned: Set<string>;
  globals: Globals;
}

/** `pgRestore`: the executable. A file that is no dump, or a broken one, is `proof.failed`. */
export async function readArchive(restored: RestoredParts, pgRestore: string, step: Step): Promise<Archive> {
  const file = await fileOfPart(restored, 'dump');
  const list = await readWith(pgRestore, ['--list', '--', file], file, step);
  const schema = await readWith(pgRestore, ['--create', '--schema-only', '--file=-', '--', file], file, step);
  const [, major] = /^;\s+Dumped from database version: (\d+)/m.exec(list) ?? [];
  const globals =
    restored['globals'] === undefined ? '' : await readFile(await fileOfPart(restored, 'globals'), 'utf8');
  return {
    file,
    major: Number(major ?? 0),
    extensions: [...list.matchAll(/^\d+; 3079 \d+ EXTENSION - (.*) $/gm)].map(([, name = '']) => name),
    definition: readDatabaseDefinition(schema),
    mentioned: namesIn(schema),
    globals: readGlobals(globals),
  };
}

/** Restores into an existing, empty database. Stops at the first error. */
export async function restoreArchive(
  archive: Archive,
  address: PostgresAddress,
  pgRestore: string,
  step: Step,
): Promise<void> {
  const refusal = await tryToRestore(archive, address, pgRestore, step);
  if (refusal) throw refusal;
}

/**
 * The same, returning what pg_restore itself ended with; null when all went well. Thrown is what kept it from
 * coming to an end of its own.
 */
export async function tryToRestore(
  archive: Archive,
  address: PostgresAddress,
  pgRestore: string,
  step: Step,
): Promise<HoldfastError | null> {
  const result = await runCommand(
    {
      tool: 'pg_restore',
      file: pgRestore,
      args: restoreArguments(archive.file, address.database),
      env: toolEnvironment(address),
      onStdoutLine: () => undefined,
    },
    step,
  );
  return result.exitCode === 0 ? null : toolFailure(firstWords(result.stderr), address, 'tool.failed');
}

/**
 * Not in a single transaction: the locks of ten thousand tables would not fit into the server's table of
 * them. A half-restored database is dropped by its name instead.
 */
export function restoreArguments(file: string, database: string): string[] {
  const jobs = Math.min(4, availableParallelism());
  return [
    '--exit-on-error',
    '--no-password',
    '--no-tablespaces',
    `--jobs=${jobs}`,
    databaseArgument('--dbname', database),
    '--',
    file,
  ];
}

/** The first error is the cause; what follows is pg_restore's workers being sent home. */
function firstWords(stderr: string): string {
  return stderr.trim().split('\n').slice(0, 8).join('\n').slice(0, 1500);
}

/** A part is restored as a folder that holds its one file. */
async function fileOfPart(restored: RestoredParts, part: string): Promise<string> {
  const folder = restored[part];
  if (folder === undefined) throw damaged(part, 'the recovery point has no such part');
  if ((await stat(folder)).isFile()) return folder;
  const names = await readdir(folder);
  const [name] = names;
  if (name === undefined || names.length > 1)
    throw damaged(part, `one file was expected in it, and ${names.length} are there`);
  return join(folder, name);
}

async function readWith(pgRestore: string, args: string[], file: string, step: Step): Promise<string> {
  const result = await runCommand({ tool: 'pg_restore', file: pgRestore, args }, step);
  if (result.exitCode === 0) return result.stdout;
  const words = lastWords(result.stderr);
  if (/unsupported version/.test(words)) {
    throw new HoldfastError({
      code: 'source.versionTooNew',
      message: `the dump ${file} was made by a newer pg_dump than this pg_restore reads`,
      cause: words,
      hint: 'install the PostgreSQL client of the version that made the dump',
    });
  }
  throw damaged('dump', words);
}

function damaged(part: string, cause: string): HoldfastError {
  return new HoldfastError({
    code: 'proof.failed',
    message: `the ${part} of the recovery point cannot be read`,
    cause,
    hint: 'restore from another copy or an earlier recovery point, and verify this one',
  });
}
