// What a commit would do to the target. Reads only.

import { HoldfastError } from '../../domain/errors.ts';
import type { Impact, TableChange } from '../../domain/restore.ts';
import type { Step } from '../step.ts';
import { readArchive, type Archive } from './postgres-archive.ts';
import { describeAddress, type PostgresAddress } from './postgres-address.ts';
import { connect, type Connection } from './postgres-connection.ts';
import { connectBeside, databaseOn, existingDatabases } from './postgres-databases.ts';
import { packageOfExtension } from './postgres-extensions.ts';
import { planRoles } from './postgres-roles.ts';
import type { Swap } from './postgres-swap.ts';
import { countRows } from './postgres-tables.ts';
import type { RestoreOrder } from './source.ts';

/** Refuses, too, what could only fail after the commit: an older server, a missing extension. */
export async function impactOfRestore(
  address: PostgresAddress,
  order: RestoreOrder,
  pgRestoreFor: Swap['pgRestoreFor'],
  step: Step,
): Promise<Impact> {
  const target = databaseOn(address, order.target.location);
  const server = await connectBeside(address, target.database, step);
  try {
    const pgRestore = await pgRestoreFor(server.serverVersion);
    const archive = await readArchive(order.restored, pgRestore, step);
    checkVersion(server, archive, target);
    await checkExtensions(server, archive, target);
    const exists = (await existingDatabases(server, [target.database])).has(target.database);
    const before = exists ? await countNow(target, step) : {};
    const after = order.manifest?.kind === 'postgres' ? order.manifest : null;
    return {
      files: null,
      tables: after && tableChanges(before, after.tables),
      bytes: after?.bytes ?? 0,
      stops: [],
      starts: [],
      warnings: [
        ...(exists ? await connectionWarnings(server, target) : []),
        ...(await roleWarnings(server, archive)),
        ...(after
          ? []
          : ['rows were not counted at the backup, so what the tables will hold cannot be said']),
      ],
    };
  } finally {
    await server.close();
  }
}

async function countNow(target: PostgresAddress, step: Step): Promise<Record<string, number>> {
  const connection = await connect(target, step);
  try {
    await connection.query('begin transaction isolation level repeatable read, read only');
    return await countRows(connection);
  } finally {
    await connection.close();
  }
}

function tableChanges(before: Record<string, number>, after: Record<string, number>): TableChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names.map((table) => ({ table, before: before[table] ?? null, after: after[table] ?? null }));
}

async function connectionWarnings(server: Connection, target: PostgresAddress): Promise<string[]> {
  const [row] = await server.query<{ open: string }>(
    "select count(*) as open from pg_stat_activity where datname = $1 and backend_type = 'client backend'",
    [target.database],
  );
  const open = Number(row?.open ?? 0);
  return open === 0
    ? []
    : [`${counted(open, 'connection')} to ${target.database} would be ended at the moment of the swap`];
}

async function roleWarnings(server: Connection, archive: Archive): Promise<string[]> {
  const { create, leave } = await planRoles(server, archive);
  const created = create.map(({ role, superuser }) => (superuser ? `${role} (a superuser)` : role));
  return [
    ...(created.length > 0
      ? [`${counted(created.length, 'role')} would be created: ${created.join(', ')}`]
      : []),
    ...(leave.length > 0
      ? [
          `${counted(leave.length, 'role')} of the backup's server would not be created, as the database does not mention them: ${leave.join(', ')}`,
        ]
      : []),
  ];
}

function counted(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

function checkVersion(server: Connection, archive: Archive, target: PostgresAddress): void {
  const major = Math.floor(server.serverVersion / 10_000);
  if (major >= archive.major) return;
  throw new HoldfastError({
    code: 'source.versionTooNew',
    message: `a dump of PostgreSQL ${archive.major} cannot be restored as ${describeAddress(target)}`,
    cause: `that server is PostgreSQL ${major}`,
    hint: `restore to a server of version ${archive.major} or newer`,
  });
}

async function checkExtensions(server: Connection, archive: Archive, target: PostgresAddress): Promise<void> {
  const available = await server.query<{ name: string }>('select name from pg_available_extensions');
  const names = new Set(available.map(({ name }) => name));
  const missing = archive.extensions.filter((extension) => !names.has(extension));
  if (missing.length === 0) return;
  const major = Math.floor(server.serverVersion / 10_000);
  throw new HoldfastError({
    code: 'target.readOnly',
    message: `the server of ${describeAddress(target)} lacks extensions the dump needs`,
    cause: `not available there: ${missing.join(', ')}`,
    hint: `install them on the server, on Debian ${missing.map((name) => packageOfExtension(name, major)).join(', ')}`,
  });
}
