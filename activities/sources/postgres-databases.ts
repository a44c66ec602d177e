// The databases of a server as a restore handles them: looked up, created, renamed, dropped by name.

import { setTimeout as pause } from 'node:timers/promises';
import { HoldfastError } from '../../domain/errors.ts';
import type { Step } from '../step.ts';
import type { PostgresAddress } from './postgres-address.ts';
import { connect, type Connection } from './postgres-connection.ts';
import { quotedName, quotedText } from './postgres-identifiers.ts';

/** A connection to the same server that leaves `target` free to be renamed. */
export async function connectBeside(
  address: PostgresAddress,
  target: string,
  step: Pick<Step, 'signal'>,
): Promise<Connection> {
  let refusal: unknown;
  for (const database of ['postgres', 'template1'].filter((name) => name !== target)) {
    try {
      return await connect({ ...address, database }, step);
    } catch (error) {
      refusal = error;
      if (!(error instanceof HoldfastError) || !['source.missing', 'source.forbidden'].includes(error.code))
        throw error;
    }
  }
  throw refusal;
}

export async function existingDatabases(server: Connection, names: string[]): Promise<Set<string>> {
  const rows = await server.query<{ name: string }>(
    'select datname::text as name from pg_database where datname = any($1)',
    [names],
  );
  return new Set(rows.map(({ name }) => name));
}

/** What belongs to a database itself and no dump of its content brings back; applied by `applyProperties`. */
export interface DatabaseProperties {
  allowConnections: boolean;
  statements: { kind: 'owner' | 'grant' | 'setting' | 'limit' | 'comment'; before: string; after: string }[];
}

export async function propertiesOf(server: Connection, database: string): Promise<DatabaseProperties | null> {
  const [row] = await server.query<{
    oid: string;
    owner: string;
    allow: boolean;
    connections: number;
    comment: string | null;
    granted: boolean;
  }>(
    `select oid::text, pg_get_userbyid(datdba)::text as owner, datallowconn as allow, datconnlimit as connections,
            shobj_description(oid, 'pg_database') as comment, datacl is not null as granted
       from pg_database where datname = $1`,
    [database],
  );
  if (!row) return null;
  const grants = await server.query<{ grantee: string; privilege: string; grantable: boolean }>(
    `select case grantee when 0 then 'PUBLIC' else quote_ident(pg_get_userbyid(grantee)) end as grantee,
            privilege_type as privilege, is_grantable as grantable
       from pg_database, aclexplode(datacl) where oid = $1`,
    [row.oid],
  );
  const settings = await server.query<{ role: string | null; setting: string }>(
    `select case setrole when 0 then null else quote_ident(pg_get_userbyid(setrole)) end as role, unnest(setconfig) as setting
       from pg_db_role_setting where setdatabase = $1`,
    [row.oid],
  );
  const owner = quotedName(row.owner);
  const statements: DatabaseProperties['statements'] = [
    { kind: 'owner', before: 'alter database ', after: ` owner to ${owner}` },
    { kind: 'limit', before: 'alter database ', after: ` connection limit ${row.connections}` },
  ];
  if (row.granted) {
    statements.push({ kind: 'grant', before: 'revoke all on database ', after: ` from public, ${owner}` });
    for (const { grantee, privilege, grantable } of grants) {
      const option = grantable ? ' with grant option' : '';
      statements.push({
        kind: 'grant',
        before: `grant ${privilege} on database `,
        after: ` to ${grantee}${option}`,
      });
    }
  }
  for (const { role, setting } of settings) {
    const before = role === null ? 'alter database ' : `alter role ${role} in database `;
    statements.push({ kind: 'setting', before, after: ` set ${assignment(setting)}` });
  }
  if (row.comment !== null) {
    statements.push({
      kind: 'comment',
      before: 'comment on database ',
      after: ` is ${quotedText(row.comment)}`,
    });
  }
  return { allowConnections: row.allow, statements };
}

export async function applyProperties(
  server: Connection,
  database: string,
  properties: DatabaseProperties,
): Promise<void> {
  for (const { before, after } of properties.statements) {
    await server.query(`${before}${quotedName(database)}${after}`);
  }
}

/** Ends every connection to it and lets none in, until `allowConnections`. */
export async function endConnections(server: Connection, database: string): Promise<void> {
  await server.query(`alter database ${quotedName(database)} with allow_connections false`);
  const deadline = Date.now() + 20_000;
  for (;;) {
    const [row] = await server.query<{ left: string }>(
      `select count(pg_terminate_backend(pid)) as left from pg_stat_activity where datname = $1 and backend_type = 'client backend'`,
      [database],
    );
    if (Number(row?.left) === 0) return;
    if (Date.now() > deadline) {
      throw new HoldfastError({
        code: 'target.inUse',
        message: `${row?.left} connections to database ${database} could not be ended`,
        cause: 'they were told to end 20 s ago',
        hint: 'stop the programs that use it, then commit again',
      });
    }
    await pause(50);
  }
}

export async function allowConnections(
  server: Connection,
  database: string,
  allowed: boolean,
): Promise<void> {
  await server.query(`alter database ${quotedName(database)} with allow_connections ${allowed}`);
}

/** All or nothing: no moment without a database under the target's name. */
export async function renameDatabases(
  server: Connection,
  renames: [from: string, to: string][],
  target: { name: string; allowConnections: boolean },
): Promise<void> {
  await server.query('begin');
  for (const [from, to] of renames) {
    await server.query(`alter database ${quotedName(from)} rename to ${quotedName(to)}`);
  }
  await allowConnections(server, target.name, target.allowConnections);
  await server.query('commit');
}

export async function dropDatabase(server: Connection, database: string): Promise<void> {
  if (!(await existingDatabases(server, [database])).has(database)) return;
  await endConnections(server, database);
  await server.query(`drop database if exists ${quotedName(database)}`);
}

export function databaseOn(address: PostgresAddress, database: string): PostgresAddress {
  return { ...address, database };
}

/** pg_db_role_setting holds `name=value`; lists of names are kept quoted already, as `set` wants them. */
function assignment(setting: string): string {
  const split = setting.indexOf('=');
  const name = setting.slice(0, split);
  const value = setting.slice(split + 1);
  const words = name.split('.').map(quotedName).join('.');
  return `${words} to ${LISTS_OF_NAMES.has(name.toLowerCase()) && value !== '' ? value : quotedText(value)}`;
}

const LISTS_OF_NAMES = new Set([
  'search_path',
  'temp_tablespaces',
  'local_preload_libraries',
  'session_preload_libraries',
  'shared_preload_libraries',
  'unix_socket_directories',
  'createrole_self_grant',
]);
