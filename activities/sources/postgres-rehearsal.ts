// Proves a dump: restores it into a scratch server, counts every table and asks the asset's own questions.

import { join } from 'node:path';
import type { SqlCheck } from '../../domain/configuration/types.ts';
import { HoldfastError } from '../../domain/errors.ts';
import type { IntegrityFigures } from '../../domain/evidence/record.ts';
import type { Manifest, ProofReport } from '../../domain/recovery-point.ts';
import type { Step } from '../step.ts';
import { readArchive, tryToRestore, type Archive } from './postgres-archive.ts';
import type { PostgresAddress } from './postgres-address.ts';
import { connect, type Connection } from './postgres-connection.ts';
import { quotedName } from './postgres-identifiers.ts';
import { packageOfExtension } from './postgres-extensions.ts';
import { withSandbox, type Sandbox } from './postgres-sandbox.ts';
import { countDifferences, countRows } from './postgres-tables.ts';
import { NO_FIGURES, type RestoredParts, type UseRehearsed } from './source.ts';

export interface Rehearsal {
  restored: RestoredParts;
  manifest: Manifest | null;
  checks: SqlCheck[];
  /** Reads the archive; the sandbox's own one restores it. */
  pgRestore: string;
  scratch: string;
  cache: string | null;
  use?: UseRehearsed | undefined;
}

type Check = ProofReport['checks'][number];

/** What the data fails is in the report; what keeps the rehearsal from taking place is thrown. */
export async function rehearseDump(rehearsal: Rehearsal, step: Step): Promise<ProofReport> {
  const archive = await readArchive(rehearsal.restored, rehearsal.pgRestore, step);
  const { scratch, cache } = rehearsal;
  const checks = await withSandbox({ major: archive.major, scratch, cache }, step, async (sandbox) => {
    const restore = await restoring(archive, sandbox, step);
    if (restore.some(({ ok }) => !ok)) return restore;
    const copy = await connect(databaseOf(sandbox.address), step);
    try {
      const found = await countRows(copy);
      const checks = [
        ...restore,
        countsCheck(found, rehearsal.manifest),
        ...(await sqlChecks(copy, rehearsal.checks)),
      ];
      const noted = rehearsal.manifest?.kind === 'postgres' ? rehearsal.manifest.tables : null;
      await rehearsal.use?.({
        report: { ok: checks.every(({ ok }) => ok), checks },
        expected: noted ? figuresOf(noted) : NO_FIGURES,
        found: figuresOf(found),
        place: { kind: 'url', url: urlOf(databaseOf(sandbox.address)) },
      });
      return checks;
    } finally {
      await copy.close();
    }
  });
  return { ok: checks.every(({ ok }) => ok), checks };
}

/** One check per question; each must answer with exactly one row whose first column is true. */
export async function sqlChecks(connection: Connection, checks: SqlCheck[]): Promise<Check[]> {
  const results: Check[] = [];
  for (const { sql } of checks) {
    await connection.query('begin transaction read only');
    const answer = await connection.query<Record<string, unknown>>(sql).then(
      (rows) => ({
        ok: rows.length === 1 && Object.values(rows[0] ?? {})[0] === true,
        detail: answerOf(rows),
      }),
      (error: unknown) => {
        if (error instanceof HoldfastError && !isAboutThisHost(error))
          return { ok: false, detail: error.cause };
        throw error;
      },
    );
    await connection.query('rollback');
    results.push({ name: sql, ...answer });
  }
  return results;
}

/** The server went away or its disk is full: nothing is said of the data, whoever was told of it. */
function isAboutThisHost({ code }: HoldfastError): boolean {
  return code === 'source.unreachable' || code === 'target.tooSmall';
}

const COPY = 'holdfast_rehearsal';

function databaseOf(address: PostgresAddress): PostgresAddress {
  return { ...address, database: COPY };
}

async function restoring(archive: Archive, sandbox: Sandbox, step: Step): Promise<Check[]> {
  const pgRestore = join(sandbox.binaries.folder, 'pg_restore');
  const server = await connect(sandbox.address, step);
  try {
    await refuseMissingExtensions(server, archive, sandbox.binaries.major);
    await createRoles(server, archive);
    const refusal = await restoreDatabase(server, archive, databaseOf(sandbox.address), pgRestore, step);
    if (refusal && isAboutThisHost(refusal)) throw refusal;
    if (refusal) return [{ name: 'restore', ok: false, detail: refusal.cause }];
    return [
      { name: 'restore', ok: true, detail: `restored into a scratch PostgreSQL ${sandbox.binaries.major}` },
    ];
  } finally {
    await server.close();
  }
}

async function refuseMissingExtensions(server: Connection, archive: Archive, major: number): Promise<void> {
  const available = await server.query<{ name: string }>('select name from pg_available_extensions');
  const names = new Set(available.map(({ name }) => name));
  const missing = archive.extensions.filter((extension) => !names.has(extension));
  if (missing.length === 0) return;
  throw new HoldfastError({
    code: 'tool.missing',
    message: 'the dump cannot be rehearsed on this host',
    cause: `not installed for PostgreSQL ${major}: the ${missing.length === 1 ? 'extension' : 'extensions'} ${missing.join(', ')}`,
    hint: `install what is missing, on Debian ${missing.map((name) => packageOfExtension(name, major)).join(', ')}`,
  });
}

async function createRoles(server: Connection, { globals }: Archive): Promise<void> {
  const own = await server.query<{ name: string }>('select current_user::text as name');
  const roles = globals.roles.filter(({ role }) => role !== own[0]?.name);
  for (const statement of roles.flatMap(({ statements }) => statements)) await server.query(statement);
  for (const { statement } of globals.memberships) await server.query(statement);
}

/**
 * Settings come last: one like default_transaction_read_only would keep the rows out. Returns what pg_restore
 * ended with, null when all went well.
 */
async function restoreDatabase(
  server: Connection,
  archive: Archive,
  address: PostgresAddress,
  pgRestore: string,
  step: Step,
): Promise<HoldfastError | null> {
  const { definition } = archive;
  await server.query(
    `create database ${quotedName(COPY)} with template template0 ${definition?.options ?? ''}`,
  );
  const refusal = await tryToRestore(archive, address, pgRestore, step);
  if (refusal) return refusal;
  for (const statement of definition?.properties(COPY) ?? []) await server.query(statement);
  return null;
}

function figuresOf(tables: Record<string, number>): IntegrityFigures {
  const counts = Object.values(tables);
  const rows = counts.reduce((sum, count) => sum + count, 0);
  return { ...NO_FIGURES, tables: counts.length, rows };
}

/** Of the sandbox, for those who use it: its account and password end with it. */
function urlOf({ host, port, user, password, database }: PostgresAddress): string {
  const login = `${encodeURIComponent(user)}:${encodeURIComponent(password ?? '')}`;
  return `postgresql://${login}@${host}:${port}/${database}?sslmode=disable`;
}

function countsCheck(found: Record<string, number>, manifest: Manifest | null): Check {
  const tables = Object.keys(found).length;
  if (manifest?.kind !== 'postgres') {
    return {
      name: 'rows',
      ok: true,
      detail: `${tables} tables restored; their rows were not counted at the backup`,
    };
  }
  const differences = countDifferences(manifest.tables, found);
  const rows = Object.values(found).reduce((sum, number) => sum + number, 0);
  if (differences.length === 0)
    return { name: 'rows', ok: true, detail: `${rows} rows in ${tables} tables, as at the backup` };
  const more = differences.length > 10 ? `; and ${differences.length - 10} more` : '';
  return { name: 'rows', ok: false, detail: differences.slice(0, 10).join('; ') + more };
}

function answerOf(rows: Record<string, unknown>[]): string {
  if (rows.length !== 1) return `it answered with ${rows.length} rows instead of one`;
  const [value] = Object.values(rows[0] ?? {});
  return value === true ? 'true' : `it answered ${JSON.stringify(value) ?? 'nothing'} instead of true`;
}
