// Connections to a database, and what its refusals mean.

import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { HoldfastError, wordsOf, type FailureCode } from '../../domain/errors.ts';
import type { Step } from '../step.ts';
import { describeAddress, type PostgresAddress } from './postgres-address.ts';

export interface Connection {
  /** One statement; several in one text are refused by the server. */
  query<Row extends object = Record<string, unknown>>(sql: string, values?: unknown[]): Promise<Row[]>;
  /** The server's `server_version_num`. */
  serverVersion: number;
  close(): Promise<void>;
}

/** Aborting the step ends the connection, and with it whatever runs on it. */
export async function connect(address: PostgresAddress, step: Pick<Step, 'signal'>): Promise<Connection> {
  step.signal.throwIfAborted();
  const client = await openClient(address);
  // A connection lost between two queries is told by the next query.
  client.on('error', () => undefined);
  let closed = false;
  const close = async () => {
    step.signal.removeEventListener('abort', abort);
    if (closed) return;
    closed = true;
    await client.end().catch(() => undefined);
  };
  // client.end() would wait for the running query; the socket's end cancels nothing on the server by
  // itself, but every query of ours is read-only, or its effect is told from names afterwards.
  const abort = () => {
    closed = true;
    (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
  };
  step.signal.addEventListener('abort', abort, { once: true });
  const query = async <Row extends object>(sql: string, values: unknown[] = []): Promise<Row[]> => {
    step.signal.throwIfAborted();
    try {
      // The extended protocol takes one statement only.
      const config = { text: sql, values, queryMode: 'extended' } as pg.QueryConfig;
      return (await client.query<Row & pg.QueryResultRow>(config)).rows;
    } catch (error) {
      step.signal.throwIfAborted();
      throw databaseFailure(error, address);
    }
  };
  try {
    const [row] = await query<{ number: string }>("select current_setting('server_version_num') as number");
    return { query, close, serverVersion: Number(row?.number) };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What went wrong, from the server's SQLSTATE or the system's error number. */
export function databaseFailure(thrown: unknown, address: PostgresAddress): HoldfastError {
  if (thrown instanceof HoldfastError) return thrown;
  const number = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  return failureOf(codeOf(number, wordsOf(thrown)), wordsOf(thrown), address);
}

/** The same from what pg_dump and its like print; `otherwise` when the words are nothing known. */
export function toolFailure(words: string, address: PostgresAddress, otherwise: FailureCode): HoldfastError {
  return failureOf(codeOf('', words, otherwise), words, address);
}

const SYSTEM_ERRORS =
  /^(ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EPIPE|ENOENT|EACCES)$/;
const LOST =
  /connection (to server .*failed|refused|terminated|reset)|server closed the connection|timeout expired|could not translate host name|terminating connection|connection error and is not queryable|connection ended unexpectedly|connection terminated|is (starting up|shutting down)|in recovery mode/i;

function codeOf(number: string, words: string, otherwise: FailureCode = 'tool.failed'): FailureCode {
  if (
    number === '28P01' ||
    /password authentication failed|no password supplied|client password must be/i.test(words)
  )
    return 'source.wrongPassword';
  if (number === '3D000' || /database ".*" does not exist/s.test(words)) return 'source.missing';
  if (
    /^(28000|42501)$/.test(number) ||
    /permission denied|no pg_hba\.conf entry|role ".*" does not exist/s.test(words)
  )
    return 'source.forbidden';
  if (number === '55006') return 'target.inUse';
  if (/^(XX001|XX002|58P01|58030)$/.test(number) || /invalid page in block|could not open file/.test(words))
    return 'source.unreadable';
  if (number === '53100' || /no space left on device/i.test(words)) return 'target.tooSmall';
  if (/^(08|57P0|53300)/.test(number) || SYSTEM_ERRORS.test(number) || LOST.test(words))
    return 'source.unreachable';
  return otherwise;
}

function failureOf(code: FailureCode, words: string, address: PostgresAddress): HoldfastError {
  const database = describeAddress(address);
  const said = withoutPassword(words, address);
  const [message, hint] = explanationOf(code, database, address);
  return new HoldfastError({ code, message, cause: said, hint });
}

function explanationOf(code: FailureCode, database: string, address: PostgresAddress): [string, string] {
  switch (code) {
    case 'source.wrongPassword':
      return [
        `the server refused the password of ${address.user} for database ${database}`,
        "correct the password the asset's url refers to",
      ];
    case 'source.missing':
      return [
        `database ${database} does not exist`,
        "correct the database's name in the asset's url, or restore it",
      ];
    case 'source.forbidden':
      return [
        `${address.user} is not allowed to work on database ${database}`,
        'grant it the rights named above, or let the asset use a role that has them',
      ];
    case 'source.unreachable':
      return [
        `database ${database} cannot be reached`,
        'check that the server runs, takes connections from here and is not full; the step is tried again',
      ];
    case 'source.unreadable':
      return [
        `database ${database} is damaged`,
        'no clean dump of it can be made over a connection: stop the server and copy its data folder by hand, and restore beside it with `--to`',
      ];
    case 'target.inUse':
      return [
        `database ${database} is in use`,
        'stop what is connected to it; the step can then be run again',
      ];
    case 'target.tooSmall':
      return [`the server of database ${database} has no space left`, 'free space on the server'];
    default:
      return [`work on database ${database} failed`, "see the cause; the server's own log may say more"];
  }
}

function withoutPassword(words: string, address: PostgresAddress): string {
  return address.password ? words.replaceAll(address.password, '****') : words;
}

async function openClient(address: PostgresAddress): Promise<pg.Client> {
  const mode = address.parameters['sslmode'] ?? 'prefer';
  try {
    return await openWith(
      address,
      mode === 'disable' || address.host.startsWith('/') ? false : await tls(address, mode),
    );
  } catch (error) {
    const optional = mode === 'prefer' || mode === 'allow';
    if (!optional || !/does not support SSL/.test(wordsOf(error))) throw databaseFailure(error, address);
  }
  return openWith(address, false).catch((error: unknown) => {
    throw databaseFailure(error, address);
  });
}

async function openWith(address: PostgresAddress, ssl: pg.ClientConfig['ssl']): Promise<pg.Client> {
  const { host, port, user, database, password, parameters } = address;
  const client = new pg.Client({
    host,
    port,
    user,
    database,
    ...(password !== null && { password }),
    ...(parameters['options'] !== undefined && { options: parameters['options'] }),
    ...(ssl !== undefined && { ssl }),
    application_name: 'holdfast',
    keepAlive: true,
    connectionTimeoutMillis: Number(parameters['connect_timeout'] ?? 15) * 1000,
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** libpq's sslmode in Node's words: below verify-ca it encrypts and checks nothing. */
async function tls(
  address: PostgresAddress,
  mode: string,
): Promise<Exclude<pg.ClientConfig['ssl'], undefined>> {
  const { sslrootcert, sslcert, sslkey } = address.parameters;
  const file = (path: string) =>
    readFile(path).catch((error: unknown) => {
      throw new HoldfastError({
        code: 'configuration.invalid',
        message: `a certificate for database ${describeAddress(address)} cannot be read`,
        cause: wordsOf(error),
        hint: "correct the path in the asset's url",
      });
    });
  return {
    rejectUnauthorized: mode.startsWith('verify-'),
    ...(mode === 'verify-ca' && { checkServerIdentity: () => undefined }),
    ...(sslrootcert !== undefined && sslrootcert !== 'system' && { ca: await file(sslrootcert) }),
    ...(sslcert !== undefined && { cert: await file(sslcert) }),
    ...(sslkey !== undefined && { key: await file(sslkey) }),
  };
}
