// The pool of connections to the catalogue's PostgreSQL. It outlives a restart of the server: a connection
// lost while idle is dropped in silence, and work that met one is done again on a fresh connection for a few
// seconds before it fails with `catalog.unreachable`. That is safe because every write may run twice.

import { setTimeout as pause } from 'node:timers/promises';
import { Pool, types, type PoolClient, type PoolConfig } from 'pg';
import { HoldfastError, wordsOf } from '../domain/errors.ts';
import { storable } from './storable.ts';

export const SCHEMA = 'holdfast';

/** An ordinary restart of the server takes no longer. */
const PATIENCE_SECONDS = 5;
const FIRST_PAUSE_MILLISECONDS = 50;
const LONGEST_PAUSE_MILLISECONDS = 1_000;

export interface Query {
  <Row>(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

export interface Connection {
  /** `operation` is for the error's first words: "listing jobs". */
  read<T>(operation: string, work: (query: Query) => Promise<T>): Promise<T>;
  /** In one transaction. `work` may be called more than once, each time after everything was rolled back. */
  transaction<T>(operation: string, work: (query: Query) => Promise<T>): Promise<T>;
  /** Throws `catalog.unreachable` unless the database answers now. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface ConnectOptions {
  /** How long to wait for the first answer. */
  waitSeconds: number;
  /** How long work is tried again after the connection was lost. 5 if left out. */
  patienceSeconds?: number | undefined;
}

/** Returns once the database answers. */
export async function connect(url: string, options: ConnectOptions): Promise<Connection> {
  const pool = openPool(url);
  // A server that restarts ends its idle connections; without a listener that would end this process.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  const place = describeUrl(url);
  const patience = (options.patienceSeconds ?? PATIENCE_SECONDS) * 1000;

  async function patiently<T>(operation: string, work: () => Promise<T>, milliseconds: number): Promise<T> {
    const givesUpAt = performance.now() + milliseconds;
    for (let wait = FIRST_PAUSE_MILLISECONDS; ; wait = Math.min(wait * 2, LONGEST_PAUSE_MILLISECONDS)) {
      try {
        return await work();
      } catch (error) {
        const passes = passesByItself(error);
        if (!passes || performance.now() + wait > givesUpAt) throw described(error, operation, place);
        await pause(wait);
      }
    }
  }

  const connection: Connection = {
    read: (operation, work) => patiently(operation, () => onClient(pool, work), patience),
    transaction: (operation, work) =>
      patiently(operation, () => onClient(pool, (query) => inTransaction(query, work)), patience),
    ping: () => patiently('asking the catalogue', () => onClient(pool, alive), 0),
    close: () => pool.end(),
  };
  try {
    await patiently('connecting to the catalogue', () => onClient(pool, alive), options.waitSeconds * 1000);
  } catch (error) {
    await pool.end();
    throw error;
  }
  return connection;
}

/** Host, port and database: what may be shown of a URL. */
export function describeUrl(url: string): string {
  try {
    const { hostname, port, pathname } = new URL(url);
    return `${hostname || 'localhost'}:${port || 5432}${pathname}`;
  } catch {
    return 'the catalogue';
  }
}

/**
 * Queries here are many and small: compiling them took longer than carrying them out (183 of 460 ms for the
 * status of 1,000 assets). What is asked for often is in memory, where an index costs no more than a scan.
 */
const SETTINGS = [`search_path=${SCHEMA}`, 'jit=off', 'random_page_cost=1.1', 'work_mem=16MB'];

/** What the pool and a lone client (migrations) have in common. */
export function clientSettings(url: string): PoolConfig {
  return {
    connectionString: url,
    application_name: 'holdfast',
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    options: SETTINGS.map((setting) => `-c ${setting}`).join(' '),
  };
}

function openPool(url: string): Pool {
  return new Pool({
    ...clientSettings(url),
    max: 10,
    idleTimeoutMillis: 30_000,
    statement_timeout: 30_000,
    // A server gone without a word: its own timeout will not arrive.
    query_timeout: 35_000,
    lock_timeout: 10_000,
    idle_in_transaction_session_timeout: 60_000,
    types: { getTypeParser: parserOf },
  });
}

const TIMESTAMPTZ = 1184;
const BIGINT = 20;

/** Times as RFC 3339 in UTC, counts and sizes as numbers (below 2^53). */
function parserOf(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
  const parse = types.getTypeParser(oid, format) as (value: string) => unknown;
  if (oid === TIMESTAMPTZ) return (value) => (parse(value) as Date).toISOString();
  return oid === BIGINT ? Number : parse;
}

async function onClient<T>(pool: Pool, work: (query: Query) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken = true;
  try {
    const result = await work(queryOf(client));
    broken = false;
    return result;
  } catch (error) {
    broken = !(error instanceof HoldfastError) && isConnectionLoss(error);
    throw error;
  } finally {
    client.release(broken);
  }
}

async function alive(query: Query): Promise<void> {
  await query('select 1');
}

function queryOf(client: PoolClient): Query {
  return async <Row>(text: string, values: readonly unknown[] = []) => {
    const { rows } = await client.query(text, values.map(storable));
    return rows as Row[];
  };
}

async function inTransaction<T>(query: Query, work: (query: Query) => Promise<T>): Promise<T> {
  await query('begin isolation level read committed');
  try {
    const result = await work(query);
    await query('commit');
    return result;
  } catch (error) {
    // A lost connection is rolled back by the server, and one that hangs must not be waited for again.
    if (!isConnectionLoss(error)) await query('rollback');
    throw error;
  }
}

function passesByItself(error: unknown): boolean {
  if (error instanceof HoldfastError) return false;
  const code = codeOf(error);
  const collision = code === '40001' || code === '40P01';
  return collision || isConnectionLoss(error);
}

function isConnectionLoss(error: unknown): boolean {
  const code = codeOf(error);
  // 08: connection exceptions; 57P01–03: shutting down, crashed, starting up; 53300: too many connections.
  if (/^08|^57P0[123]$|^53300$/.test(code)) return true;
  if (/^E(CONN|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH|AI_AGAIN)/.test(code)) return true;
  // node-postgres' own, which carry no code.
  return /connection terminated|connection error|timeout exceeded when trying to connect|query read timeout|not queryable/i.test(
    wordsOf(error),
  );
}

function codeOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(codeOf).find(Boolean) ?? '';
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}

/** As a HoldfastError. The server's words name no secret: values travel apart from statements. */
export function described(error: unknown, operation: string, place: string): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const message = `${operation} failed at ${place}`;
  const cause = wordsOf(error);
  const code = codeOf(error);
  if (isConnectionLoss(error)) {
    const hint = 'start PostgreSQL, or check the address in catalog.url; what was running goes on by itself';
    return new HoldfastError({ code: 'catalog.unreachable', message, cause, hint });
  }
  if (/^28|^3D000$|^ENOTFOUND$/.test(code)) {
    const hint = 'check user, password, host and database in catalog.url';
    return new HoldfastError({ code: 'catalog.unreachable', message, cause, hint, retryable: false });
  }
  if (code === '55P03' || code === '57014') {
    const hint = 'another transaction holds it up or the server is overloaded: look at pg_stat_activity';
    return new HoldfastError({ code: 'catalog.unreachable', message, cause, hint });
  }
  if (code === '42501') {
    const hint = 'the role in catalog.url lacks this right: run `holdfast up` with the owner of the database';
    return new HoldfastError({ code: 'forbidden', message, cause, hint });
  }
  const hint = 'this is a fault in Holdfast: please report it with the lines above';
  return new HoldfastError({ code: 'internal', message, cause, hint });
}
