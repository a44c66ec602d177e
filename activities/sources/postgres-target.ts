// Where a restore goes: the asset's own database, or a new one beside it on the same server.

import { readFile, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { formatBytes } from '../../domain/bytes.ts';
import { HoldfastError } from '../../domain/errors.ts';
import type { Step } from '../step.ts';
import { describeAddress, type PostgresAddress } from './postgres-address.ts';
import type { Connection } from './postgres-connection.ts';
import { connectBeside, databaseOn, propertiesOf } from './postgres-databases.ts';
import { NAME_BYTES } from './postgres-identifiers.ts';
import type { RestoreTarget } from './source.ts';

export function targetOf(address: PostgresAddress, to: string | null): RestoreTarget {
  const location = to ?? address.database;
  if (location === '' || location.includes('\0') || Buffer.byteLength(location) > NAME_BYTES) {
    throw refusal(
      'usage',
      `${JSON.stringify(location)} cannot be the name of a database`,
      `a name has 1 to ${NAME_BYTES} bytes`,
      'choose another name for `--to`',
    );
  }
  if (['template0', 'template1'].includes(location)) {
    throw refusal(
      'usage',
      `${location} cannot be restored over`,
      'PostgreSQL makes every new database from it',
      'restore beside it with `--to`',
    );
  }
  if (to === address.database) {
    throw refusal(
      'usage',
      `${to} is the asset's own database`,
      '`--to` names a new database beside it',
      'leave `--to` out to restore in place',
    );
  }
  const description = `database ${describeAddress(databaseOn(address, location))}`;
  return { description, inPlace: to === null, location };
}

/** Changes nothing on the server. */
export async function checkDatabaseTarget(
  address: PostgresAddress,
  target: RestoreTarget,
  bytes: number,
  step: Step,
): Promise<void> {
  const server = await connectBeside(address, target.location, step);
  try {
    const there = await propertiesOf(server, target.location);
    if (there && !target.inPlace) {
      throw refusal(
        'target.notEmpty',
        `${target.description} exists already`,
        'a restore beside the asset makes a new database',
        'name another one with `--to`, or drop that one first',
      );
    }
    await checkRights(server, target, there !== null);
    await checkSpace(server, address, target, bytes, step);
  } finally {
    await server.close();
  }
}

async function checkRights(server: Connection, target: RestoreTarget, exists: boolean): Promise<void> {
  const [row] = await server.query<{ role: string; creates: boolean; owns: boolean; ends: boolean }>(
    `select current_user::text as role, r.rolsuper or r.rolcreatedb as creates,
            r.rolsuper or exists (select from pg_database where datname = $1 and pg_has_role(datdba, 'USAGE')) as owns,
            r.rolsuper or pg_has_role('pg_signal_backend', 'USAGE') as ends
       from pg_roles r where rolname = current_user`,
    [target.location],
  );
  const role = row?.role ?? '';
  if (!row?.creates) {
    throw refusal(
      'target.readOnly',
      `${role} may not create databases, which a restore to ${target.description} needs`,
      'it is neither superuser nor has CREATEDB',
      `\`alter role ${role} createdb\`, or let the asset's url name a role that has it`,
    );
  }
  if (exists && !row.owns) {
    throw refusal(
      'target.readOnly',
      `${role} may not rename ${target.description}, which a restore in place needs`,
      'it does not own that database',
      "let the asset's url name the database's owner or a superuser, or restore beside it with `--to`",
    );
  }
  if (exists && !row.ends) {
    throw refusal(
      'target.readOnly',
      `${role} may not end the connections of others to ${target.description}`,
      'it is neither superuser nor a member of pg_signal_backend',
      `\`grant pg_signal_backend to ${role}\``,
    );
  }
}

/** Seen only when the server's files lie on this host and can be read. */
async function checkSpace(
  server: Connection,
  address: PostgresAddress,
  target: RestoreTarget,
  bytes: number,
  step: Step,
) {
  const folder = await localDataFolder(server, address);
  if (folder === null) {
    step.say(
      'info',
      `free space on the server of ${target.description} cannot be seen from here; the restore needs ${formatBytes(bytes)} there`,
    );
    return;
  }
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize > bytes * 1.1) return;
  throw refusal(
    'target.tooSmall',
    `${target.description} does not fit beside what is there`,
    `${formatBytes(bytes)} are needed, ${formatBytes(bavail * bsize)} are free in ${folder}`,
    'free space there, then prepare the restore again',
  );
}

async function localDataFolder(server: Connection, address: PostgresAddress): Promise<string | null> {
  if (!/^(localhost|127\.|::1|\/)/.test(address.host)) return null;
  const [row] = await server
    .query<{ folder: string | null; port: string }>(
      "select current_setting('data_directory', true) as folder, current_setting('port') as port",
    )
    .catch(() => []);
  // A server in a container has a path of its own: the lock file tells whether this folder is the one.
  if (!row?.folder || row.folder.startsWith('/proc/')) return null;
  const lock = await readFile(join(row.folder, 'postmaster.pid'), 'utf8').catch(() => '');
  return lock.split('\n')[3] === row.port ? row.folder : null;
}

function refusal(code: HoldfastError['code'], message: string, cause: string, hint: string): HoldfastError {
  return new HoldfastError({ code, message, cause, hint });
}
