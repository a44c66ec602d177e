// Rows per table: what a dump must bring back.

import type { Connection } from './postgres-connection.ts';
import { quotedName } from './postgres-identifiers.ts';

/** One statement for so many tables: ten thousand tables are fifty round trips, not ten thousand. */
const TABLES_A_STATEMENT = 200;

interface Table {
  oid: string;
  schema: string;
  name: string;
}

export interface CountOptions {
  /**
   * Counts in short transactions that see this exported snapshot, instead of in the connection's own
   * one: the locks of thousands of tables are then not held all at once beside pg_dump's.
   */
  snapshot?: string;
}

/**
 * Rows of every table whose rows a dump carries, by `schema.table` (quoted as SQL would where it must be).
 * Not those of views, materialised views (filled anew by a restore), foreign tables and extensions.
 */
export async function countRows(
  connection: Connection,
  options: CountOptions = {},
): Promise<Record<string, number>> {
  const tables = await inSnapshot(connection, options, () => listTables(connection));
  const counts: Record<string, number> = {};
  for (let first = 0; first < tables.length; first += TABLES_A_STATEMENT) {
    const batch = tables.slice(first, first + TABLES_A_STATEMENT);
    const rows = await inSnapshot(connection, options, () =>
      connection.query<{ table: string; rows: string }>(countStatement(batch)),
    );
    for (const row of rows) counts[row.table] = Number(row.rows);
  }
  return counts;
}

/** Differences in words, at most as many as fit a reader; empty when everything is equal. */
export function countDifferences(expected: Record<string, number>, found: Record<string, number>): string[] {
  const names = [...new Set([...Object.keys(expected), ...Object.keys(found)])].sort();
  return names
    .filter((name) => expected[name] !== found[name])
    .map((name) => {
      if (found[name] === undefined) return `${name} is missing (${expected[name]} rows)`;
      if (expected[name] === undefined) return `${name} should not be there (${found[name]} rows)`;
      return `${name} has ${found[name]} rows instead of ${expected[name]}`;
    });
}

/** In a query over pg_class c and pg_namespace n. */
export const DUMPED_TABLES = `c.relkind = 'r' and c.relpersistence <> 't'
  and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_(toast|temp)'
  and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')`;

async function listTables(connection: Connection): Promise<Table[]> {
  return connection.query<Table & object>(
    `select c.oid::text as oid, n.nspname as schema, c.relname as name
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where ${DUMPED_TABLES} order by 2, 3`,
  );
}

/** `only`: a child's rows are its own; quote_ident in the result keeps names with dots apart. */
function countStatement(tables: Table[]): string {
  return tables
    .map(({ schema, name, oid }) => {
      const table = `${quotedName(schema)}.${quotedName(name)}`;
      return `select (select quote_ident(n.nspname) || '.' || quote_ident(c.relname) from pg_class c
        join pg_namespace n on n.oid = c.relnamespace where c.oid = ${Number(oid)}) as table, (select count(*) from only ${table}) as rows`;
    })
    .join(' union all ');
}

async function inSnapshot<T>(
  connection: Connection,
  options: CountOptions,
  work: () => Promise<T>,
): Promise<T> {
  if (options.snapshot === undefined) return work();
  await connection.query('begin transaction isolation level repeatable read, read only');
  await connection.query(`set transaction snapshot '${options.snapshot.replaceAll("'", "''")}'`);
  const result = await work();
  await connection.query('commit');
  return result;
}
