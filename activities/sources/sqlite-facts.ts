// What can be asked of an SQLite file: is it sound, what is in its tables.
import { HoldfastError } from '../../domain/errors.ts';
import { lastWords } from '../run-command.ts';
import type { Step } from '../step.ts';
import { query, runSqlite, sqliteFailure } from './sqlite-command.ts';

export interface OpenDatabase {
  sqlite3: string;
  uri: string;
}

/** Empty when sound. A file too damaged for the question is an answer too. */
export async function integrityProblems(database: OpenDatabase, step: Step): Promise<string[]> {
  try {
    const lines = await query(database, 'PRAGMA integrity_check(20)', step);
    return lines.length === 1 && lines[0] === 'ok' ? [] : lines;
  } catch (thrown) {
    if (thrown instanceof HoldfastError && thrown.code === 'source.invalid') return [thrown.cause];
    throw thrown;
  }
}

/** Rows that refer to nothing; null when the schema itself keeps SQLite from telling. */
export async function foreignKeyViolations(database: OpenDatabase, step: Step): Promise<number | null> {
  const sql = 'SELECT count(*) FROM pragma_foreign_key_check';
  const result = await runSqlite({ ...database, commands: [sql] }, step);
  return result.exitCode === 0 ? Number(result.stdout.trim()) : null;
}

export interface TableCounts {
  tables: Record<string, number>;
  /** Tables that could not be counted, with the reason: a virtual table whose module is not there. */
  notCounted: string[];
}

export async function countTables(database: OpenDatabase, step: Step): Promise<TableCounts> {
  const names = (await query(database, LIST_TABLES, step)).map((hex) =>
    Buffer.from(hex, 'hex').toString('utf8'),
  );
  const counts: TableCounts = { tables: {}, notCounted: [] };
  if (names.length === 0) return counts;
  const script = names
    .map((name, index) => `SELECT ${index}, count(*) FROM main.${quoted(name)};\n`)
    .join('');
  const result = await runSqlite({ ...database, script }, step);
  for (const line of result.stdout.split('\n')) {
    const [, index, count] = /^(\d+)\|(\d+)$/.exec(line) ?? [];
    const name = index === undefined ? undefined : names[Number(index)];
    if (name !== undefined) counts.tables[name] = Number(count);
  }
  const missing = names.filter((name) => !Object.hasOwn(counts.tables, name));
  // One table that cannot be read is no reason to say nothing of the others; a damaged file is.
  if (missing.length > 0 && /malformed|not a database|I\/O error|locked/.test(result.stderr)) {
    throw sqliteFailure(result, 'counting the rows of an SQLite database');
  }
  const why = lastWords(result.stderr).split('\n')[0] ?? '';
  counts.notCounted = missing.map((name) => (why ? `${name} (${why})` : name));
  return counts;
}

/** Names in hexadecimal: they may hold any character. */
const LIST_TABLES =
  "SELECT hex(name) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
