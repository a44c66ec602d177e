import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../../domain/errors.ts';
import type { IntegrityFigures } from '../../domain/evidence/record.ts';
import type { Manifest, ProofReport, SqliteManifest } from '../../domain/recovery-point.ts';
import { resolveTool } from '../../tools/resolve.ts';
import type { Step } from '../step.ts';
import { digestOfFile } from '../verify/file-digest.ts';
import { databaseUri } from './sqlite-command.ts';
import { countTables, foreignKeyViolations, integrityProblems, type OpenDatabase } from './sqlite-facts.ts';
import { COMPANIONS } from './sqlite-files.ts';
import { privateCopy } from './sqlite-opening.ts';
import { NO_FIGURES, type RestoredParts, type UseRehearsed, type Workspace } from './source.ts';

type Check = ProofReport['checks'][number];

/** The restored file is byte for byte what was captured, and SQLite finds it sound and complete. */
export async function rehearseSqlite(
  restored: RestoredParts,
  manifest: Manifest | null,
  workspace: Workspace,
  step: Step,
  options: { sqlite3?: string },
  use?: UseRehearsed,
): Promise<ProofReport> {
  const expected = manifest?.kind === 'sqlite' ? manifest : null;
  const found = await findDatabase(restored, expected);
  if (typeof found === 'string') return { ok: false, checks: [{ name: 'file', ok: false, detail: found }] };
  const sqlite3 = options.sqlite3 ?? (await resolveTool('sqlite3')).path;
  // Raw files may have a log to be played back, which must not happen to the restored ones.
  const uri = found.raw
    ? await privateCopy(found.path, workspace.scratch, step)
    : databaseUri(found.path, 'immutable');
  const database = { sqlite3, uri };
  const figures: IntegrityFigures = { ...NO_FIGURES };
  const checks: Check[] = [await checkIntegrity(database, step)];
  if (checks[0]?.ok) {
    checks.push(await checkForeignKeys(database, step), await checkTables(database, expected, figures, step));
  }
  if (expected) checks.push(await checkContent(found.path, expected, figures, step));
  const report = { ok: checks.every(({ ok }) => ok), checks };
  await use?.({
    report,
    expected: expected ? figuresOf(expected) : NO_FIGURES,
    found: figures,
    place: { kind: 'path', path: found.path },
  });
  return report;
}

function figuresOf({ bytes, sha256, tables }: SqliteManifest): IntegrityFigures {
  return { ...NO_FIGURES, bytes, digest: sha256, ...totals(tables) };
}

function totals(tables: Record<string, number>): Pick<IntegrityFigures, 'tables' | 'rows'> {
  const counts = Object.values(tables);
  return { tables: counts.length, rows: counts.reduce((sum, count) => sum + count, 0) };
}

/** The database among the restored files, or why there is none. */
export async function findDatabase(
  restored: RestoredParts,
  manifest: SqliteManifest | null,
): Promise<{ path: string; raw: boolean } | string> {
  const folder = restored['database'];
  if (folder === undefined) return 'the recovery point has no part "database"';
  const names = await readdir(folder);
  const isCompanion = (name: string) =>
    COMPANIONS.some((suffix) => name.endsWith(suffix) && names.includes(name.slice(0, -suffix.length)));
  const databases = names.filter((name) => !isCompanion(name));
  const name = manifest ? databases.find((one) => one === manifest.fileName) : databases[0];
  if (name === undefined || databases.length !== 1) {
    return `expected ${manifest?.fileName ?? 'one database'}, found ${databases.join(', ') || 'nothing'}`;
  }
  return { path: join(folder, name), raw: names.length > 1 };
}

async function checkIntegrity(database: OpenDatabase, step: Step): Promise<Check> {
  const problems = await integrityProblems(database, step);
  const detail = problems.length === 0 ? 'ok' : problems.slice(0, 5).join('; ');
  return { name: 'integrity_check', ok: problems.length === 0, detail };
}

/** Violations never fail it: a copy identical to the original has the original's, and they are said. */
async function checkForeignKeys(database: OpenDatabase, step: Step): Promise<Check> {
  const violations = await foreignKeyViolations(database, step);
  const detail =
    violations === null
      ? 'could not be checked: the schema refers to something that is not there'
      : violations === 0
        ? 'ok'
        : `${violations} rows break a foreign key, as they did in the database when it was captured`;
  return { name: 'foreign_key_check', ok: true, detail };
}

async function checkTables(
  database: OpenDatabase,
  expected: SqliteManifest | null,
  figures: IntegrityFigures,
  step: Step,
): Promise<Check> {
  try {
    const { tables, notCounted } = await countTables(database, step);
    Object.assign(figures, totals(tables));
    const total = `${figures.tables} tables, ${figures.rows} rows`;
    const names = new Set([...Object.keys(tables), ...Object.keys(expected?.tables ?? {})]);
    const different = expected ? [...names].filter((name) => tables[name] !== expected.tables[name]) : [];
    const skipped = notCounted.length > 0 ? `; not counted: ${notCounted.join(', ')}` : '';
    if (different.length === 0) return { name: 'tables', ok: true, detail: total + skipped };
    const examples = different
      .slice(0, 10)
      .map(
        (name) => `${name}: expected ${expected?.tables[name] ?? 'none'}, found ${tables[name] ?? 'none'}`,
      );
    return { name: 'tables', ok: false, detail: examples.join('; ') };
  } catch (thrown) {
    if (!(thrown instanceof HoldfastError) || thrown.code !== 'source.invalid') throw thrown;
    return { name: 'tables', ok: false, detail: thrown.cause };
  }
}

async function checkContent(
  path: string,
  expected: SqliteManifest,
  figures: IntegrityFigures,
  step: Step,
): Promise<Check> {
  const sha256 = await digestOfFile(path, step);
  figures.digest = sha256;
  figures.bytes = (await stat(path)).size;
  const ok = sha256 === expected.sha256;
  const detail = ok
    ? `${sha256.slice(0, 16)}…: ${expected.bytes} bytes`
    : `expected ${expected.sha256}, found ${sha256}`;
  return { name: 'content', ok, detail };
}
