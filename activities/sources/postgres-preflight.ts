// Looks before a dump: does the server answer, are the programs new enough, may everything be read?

import { HoldfastError } from '../../domain/errors.ts';
import { findPostgresBinaries, type PostgresBinaries } from '../hosts/postgres-binaries.ts';
import { describeAddress, type PostgresAddress } from './postgres-address.ts';
import type { Connection } from './postgres-connection.ts';
import { DUMPED_TABLES } from './postgres-tables.ts';

/** Those of the server's own version, else the next newer ones: pg_dump refuses a newer server. */
export async function clientFor(
  serverVersion: number,
  address: PostgresAddress,
  find: () => Promise<PostgresBinaries[]> = findPostgresBinaries,
): Promise<PostgresBinaries> {
  const major = Math.floor(serverVersion / 10_000);
  const installed = await find();
  const fitting = installed.filter((binaries) => binaries.major >= major).at(-1);
  if (fitting) return installed.find((binaries) => binaries.major === fitting.major) ?? fitting;
  const [newest] = installed;
  const hint = `install a client at least as new: on Debian \`apt-get install postgresql-client-${major}\``;
  if (!newest) {
    throw new HoldfastError({
      code: 'tool.missing',
      message: `database ${describeAddress(address)} cannot be dumped`,
      cause: 'pg_dump was not found on this host',
      hint,
    });
  }
  throw new HoldfastError({
    code: 'source.versionTooNew',
    message: `the server of database ${describeAddress(address)} is PostgreSQL ${major}, the newest pg_dump here is ${newest.major}`,
    cause: `pg_dump ${newest.major} refuses a server of version ${major}`,
    hint,
  });
}

/** Everything pg_dump reads; with row security in force it would miss rows, so that is refused too. */
export async function checkReadable(connection: Connection, address: PostgresAddress): Promise<void> {
  const refused = await connection.query<{ what: string }>(UNREADABLE);
  if (refused.length === 0) return;
  const shown = refused.slice(0, SHOWN).map(({ what }) => what);
  if (refused.length > SHOWN) shown.push('and more');
  throw new HoldfastError({
    code: 'source.forbidden',
    message: `${address.user} may not read everything in database ${describeAddress(address)}`,
    cause: `not readable: ${shown.join(', ')}`,
    hint: `grant it: \`grant pg_read_all_data to ${address.user}\` (PostgreSQL 14 and newer); for row security \`alter role ${address.user} bypassrls\``,
  });
}

const SHOWN = 20;

const UNREADABLE = `
  select 'schema ' || quote_ident(nspname) as what from pg_namespace n
   where nspname not in ('pg_catalog', 'information_schema') and nspname !~ '^pg_(toast|temp)'
     and not has_schema_privilege(oid, 'USAGE')
     and not exists (select from pg_depend d where d.classid = 'pg_namespace'::regclass and d.objid = n.oid and d.deptype = 'e')
  union all
  select quote_ident(n.nspname) || '.' || quote_ident(c.relname)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where ${DUMPED_TABLES} and not has_table_privilege(c.oid, 'SELECT')
  union all
  select quote_ident(n.nspname) || '.' || quote_ident(c.relname) || ' (row security)'
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where ${DUMPED_TABLES} and row_security_active(c.oid)
  union all
  select 'sequence ' || quote_ident(n.nspname) || '.' || quote_ident(c.relname)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relkind = 'S' and c.relpersistence <> 't' and n.nspname not in ('pg_catalog', 'information_schema')
     and n.nspname !~ '^pg_(toast|temp)' and not case c.relkind when 'S' then has_sequence_privilege(c.oid, 'SELECT') end
   limit ${SHOWN + 1}`;
