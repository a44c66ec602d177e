// Where PostgreSQL's programs are on this host. Distributions keep each major version in a folder of its
// own and off the PATH, several side by side.

import { execFile } from 'node:child_process';
import { access, constants, readdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { HoldfastError } from '../../domain/errors.ts';

export interface PostgresBinaries {
  major: number;
  /** `server_version_num` of the programs, for example 150018. */
  version: number;
  /** The folder that holds initdb, postgres, pg_dump … */
  folder: string;
}

/** Every installation with a pg_dump, newest first. Empty when there is none. */
export async function findPostgresBinaries(): Promise<PostgresBinaries[]> {
  const folders = [
    ...(await versionFolders('/usr/lib/postgresql', /^\d+$/)),
    ...(await versionFolders('/usr', /^pgsql-\d+$/)),
    ...(process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder.startsWith('/')),
  ];
  const found = await Promise.all([...new Set(folders)].map(inspectFolder));
  return found.filter((binaries) => binaries !== null).sort((one, other) => other.version - one.version);
}

/** The newest installation that can also run a server; `major` when a folder of data demands that one. */
export async function postgresServerBinaries(major?: number): Promise<PostgresBinaries> {
  for (const binaries of await findPostgresBinaries()) {
    if (major !== undefined && binaries.major !== major) continue;
    if (await isExecutable(join(binaries.folder, 'initdb'))) return binaries;
  }
  throw new HoldfastError({
    code: 'tool.missing',
    message: `a PostgreSQL${major === undefined ? '' : ` ${major}`} server could not be found on this host`,
    cause: 'no folder with initdb and postgres in /usr/lib/postgresql, /usr/pgsql-* or on the PATH',
    hint: `install it: on Debian \`apt-get install postgresql${major === undefined ? '' : `-${major}`}\``,
  });
}

async function versionFolders(parent: string, name: RegExp): Promise<string[]> {
  const names = await readdir(parent).catch(() => []);
  return names.filter((entry) => name.test(entry)).map((entry) => join(parent, entry, 'bin'));
}

async function inspectFolder(folder: string): Promise<PostgresBinaries | null> {
  const dump = join(folder, 'pg_dump');
  if (!(await isExecutable(dump))) return null;
  // Debian's pg_dump on the PATH is a script that picks a version by rules of its own; pg_lsclusters of the
  // same package lies beside it, and beside no real one.
  if (await isExecutable(join(folder, 'pg_lsclusters'))) return null;
  const said = await promisify(execFile)(dump, ['--version']).catch(() => null);
  const [, major, minor] = /\(PostgreSQL\) (\d+)(?:\.(\d+))?/.exec(said?.stdout ?? '') ?? [];
  if (major === undefined) return null;
  return { major: Number(major), version: Number(major) * 10_000 + Number(minor ?? 0), folder };
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
