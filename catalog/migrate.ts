// Brings the catalogue's tables to this program's version, forward only, and keeps the role that the service
// runs as apart from the owner that may alter them. May run on several machines at once and at every start.

import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runner } from 'node-pg-migrate';
import { Client } from 'pg';
import { HoldfastError } from '../domain/errors.ts';
import { appendEvents } from './audit.ts';
import { clientSettings, connect, describeUrl, described, SCHEMA, type Query } from './connection.ts';

export interface MigrationOptions {
  /** Password for the application role, which is made when the owner may make it; else the owner serves. */
  applicationPassword?: string;
  /** How long to wait for a database that does not answer yet. 15 if left out. */
  waitSeconds?: number;
}

export interface MigrationResult {
  /** What `openCatalog` is to be given: the application role's where there is one, else the owner's. */
  url: string;
  applied: string[];
  /** The role the service runs as; null: the owner's own, because it may make none or none was asked for. */
  applicationRole: string | null;
}

/** Brings the catalogue to this program's version, forward only. Throws `catalog.newer` when it is ahead. */
export async function migrateCatalog(
  ownerUrl: string,
  options: MigrationOptions = {},
): Promise<MigrationResult> {
  const waiting = await connect(ownerUrl, { waitSeconds: options.waitSeconds ?? 15 });
  await waiting.close();
  const client = new Client(clientSettings(ownerUrl));
  client.on('error', () => {});
  try {
    await client.connect();
    await refuseNewer(queryOf(client));
    const applied = await runMigrations(client);
    if (applied.includes('0007_audit_holds_removals')) await chainLoweredProofs(queryOf(client));
    const role = options.applicationPassword
      ? await letApplicationIn(client, options.applicationPassword)
      : null;
    const url = role ? withCredentials(ownerUrl, role, options.applicationPassword ?? '') : ownerUrl;
    return { url, applied, applicationRole: role };
  } catch (error) {
    throw described(error, 'migrating the catalogue', describeUrl(ownerUrl));
  } finally {
    await client.end().catch(() => {});
  }
}

/** For a service that does not migrate: throws unless the catalogue is exactly of this program's version. */
export async function assertCurrent(query: Query): Promise<void> {
  await refuseNewer(query);
  const done = new Set(await migrationsRun(query));
  const missing = (await migrationsKnown()).filter((name) => !done.has(name));
  if (missing.length === 0) return;
  throw new HoldfastError({
    code: 'service.failed',
    message: 'the catalogue is older than this program',
    cause: `not yet applied: ${missing.join(', ')}`,
    hint: 'start `holdfast up` once with the owner of the database in catalog.url: it brings the tables forward',
  });
}

/** Whether this program has a migration of that name: a catalogue with others was made by a newer one. */
export async function knowsMigration(name: string): Promise<boolean> {
  return (await migrationsKnown()).includes(name);
}

const MIGRATIONS_TABLE = 'migrations';
const MIGRATIONS_FOLDER = fileURLToPath(new URL('./migrations', import.meta.url));

async function refuseNewer(query: Query): Promise<void> {
  const known = new Set(await migrationsKnown());
  const unknown = (await migrationsRun(query)).filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  throw new HoldfastError({
    code: 'catalog.newer',
    message: 'the catalogue was made by a newer Holdfast',
    cause: `it has ${unknown.join(', ')}, which this program does not know`,
    hint: 'run the newer program, or point catalog.url at another database: going back is not possible',
  });
}

async function migrationsKnown(): Promise<string[]> {
  const files = await readdir(MIGRATIONS_FOLDER);
  return files.filter((file) => file.endsWith('.sql')).map((file) => basename(file, extname(file)));
}

async function migrationsRun(query: Query): Promise<string[]> {
  const [found] = await query<{ name: string | null }>('select to_regclass($1)::text as name', [
    `${SCHEMA}.${MIGRATIONS_TABLE}`,
  ]);
  if (!found?.name) return [];
  const rows = await query<{ name: string }>(`select name from ${SCHEMA}.${MIGRATIONS_TABLE} order by id`);
  return rows.map((row) => row.name);
}

async function runMigrations(client: Client): Promise<string[]> {
  const silent = () => {};
  const migrations = await runner({
    dbClient: client,
    dir: MIGRATIONS_FOLDER,
    direction: 'up',
    migrationsTable: MIGRATIONS_TABLE,
    schema: SCHEMA,
    createSchema: true,
    singleTransaction: true,
    advisoryLockMode: 'wait',
    logger: { debug: silent, info: silent, warn: silent, error: silent },
  });
  return migrations.map((migration) => migration.name);
}

/** An earlier migration lowered what partial points were proven as, and left no event of it. */
async function chainLoweredProofs(query: Query): Promise<void> {
  const partial = await query<{ id: string }>(
    `select id from ${SCHEMA}.recovery_points where partial is not null order by taken_at`,
  );
  if (partial.length === 0) return;
  const points = partial.slice(0, 1000).map(({ id }) => id);
  const details = { count: partial.length, points, because: 'partial' };
  await query('begin');
  await appendEvents(
    query,
    'migration',
    [{ action: 'proof.lowered', subject: 'catalog', details }],
    () => new Date(),
  );
  await query('commit');
}

/** The application role's name, or null when this owner may make no roles. Roles are the whole cluster's,
 * so the database is part of the name. */
async function letApplicationIn(client: Client, password: string): Promise<string | null> {
  const query = queryOf(client);
  const [found] = await query<{ database: string; mayMakeRoles: boolean }>(
    `select current_database() as database, rolcreaterole or rolsuper as "mayMakeRoles"
       from pg_roles where rolname = current_user`,
  );
  if (!found?.mayMakeRoles) return null;
  const role = `${found.database}_holdfast`.slice(-63);
  const name = client.escapeIdentifier(role);
  await query('begin');
  try {
    // Another machine may be doing the same.
    await query('select pg_advisory_xact_lock(hashtext($1))', [role]);
    const existing = await query('select 1 from pg_roles where rolname = $1', [role]);
    const secret = client.escapeLiteral(scramVerifier(password));
    await query(`${existing.length === 0 ? 'create' : 'alter'} role ${name} with login password ${secret}`);
    for (const grant of grants(name, client.escapeIdentifier(found.database))) await query(grant);
    await query('commit');
    return role;
  } catch (error) {
    await query('rollback').catch(() => {});
    // A role of that name that this owner may not change (PostgreSQL 16 and later).
    if ((error as { code?: unknown }).code === '42501') return null;
    throw error;
  }
}

/**
 * It adds and changes, and deletes only keys that have expired, records that are old by the database's own clock and
 * what says where points are kept; to the audit chain and the evidence it may only add (law 9).
 */
function grants(role: string, database: string): string[] {
  const functions = [
    'withdraw_copy(uuid, text, uuid, text[], timestamptz)',
    'forget_old_records(timestamptz)',
  ];
  return [
    `grant connect on database ${database} to ${role}`,
    `grant usage on schema ${SCHEMA} to ${role}`,
    `revoke all on all tables in schema ${SCHEMA} from ${role}`,
    `grant select, insert, update on all tables in schema ${SCHEMA} to ${role}`,
    // It stores the catalogue itself as a recovery point: pg_dump reads the sequences, too.
    `grant select on all sequences in schema ${SCHEMA} to ${role}`,
    // An asset that was renamed, with an event on the chain. A copy can only be moved aside.
    `grant delete on ${SCHEMA}.sync_state, ${SCHEMA}.assets to ${role}`,
    ...functions.flatMap((name) => [
      // A dump that was restored without its rights lets everybody.
      `revoke execute on function ${SCHEMA}.${name} from public`,
      `grant execute on function ${SCHEMA}.${name} to ${role}`,
    ]),
    `grant delete on ${SCHEMA}.idempotency_keys to ${role}`,
    `revoke update on ${SCHEMA}.audit_events, ${SCHEMA}.evidence from ${role}`,
    `revoke insert, update on ${SCHEMA}.audit_head, ${SCHEMA}.${MIGRATIONS_TABLE} from ${role}`,
  ];
}

/** What PostgreSQL keeps of a password, made here: the statement, which a server may log, holds no secret. */
function scramVerifier(password: string): string {
  const iterations = 4096;
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const keyed = (words: string) => createHmac('sha256', salted).update(words).digest();
  const stored = createHash('sha256').update(keyed('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${stored}:${keyed('Server Key').toString('base64')}`;
}

function withCredentials(url: string, user: string, password: string): string {
  const changed = new URL(url);
  changed.username = encodeURIComponent(user);
  changed.password = encodeURIComponent(password);
  return changed.href;
}

function queryOf(client: Client): Query {
  return async <Row>(text: string, values: readonly unknown[] = []) =>
    (await client.query(text, [...values])).rows as Row[];
}
