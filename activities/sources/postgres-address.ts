// Where a database is and how to get in. The tools learn it from their environment only: a password in an
// argument is seen by every user, and a database name there can pass for an option or a whole connection
// string (`--file=…`, `host=evil dbname=x`).

import { HoldfastError } from '../../domain/errors.ts';

export interface PostgresAddress {
  /** A name, an IP address or, beginning with "/", the folder of a socket. */
  host: string;
  port: number;
  user: string;
  /** null: the server asks for none, or ~/.pgpass has it. */
  password: string | null;
  database: string;
  /** libpq's own words: sslmode, sslrootcert, options … */
  parameters: Record<string, string>;
}

/** Reads `postgresql://user:password@host:port/database?sslmode=…`. The error never contains the URL. */
export function parsePostgresUrl(text: string): PostgresAddress {
  const url = urlOf(text.trim());
  const parameters = Object.fromEntries(url.searchParams);
  const user = parameters['user'] ?? decoded(url.username);
  const database = parameters['dbname'] ?? decoded(url.pathname.slice(1));
  const password = parameters['password'] ?? (url.password === '' ? null : decoded(url.password));
  const host = parameters['host'] ?? (decoded(url.hostname).replace(/^\[(.*)\]$/, '$1') || 'localhost');
  const port = Number(parameters['port'] ?? (url.port === '' ? 5432 : url.port));
  if (user === '') throw invalid('it names no user', 'write it as postgresql://USER@HOST/DATABASE');
  if (host.includes(',')) throw invalid('it names several hosts', 'name the one to back up from');
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw invalid('its port is no port', 'write 1 to 65535');
  for (const word of ['user', 'dbname', 'password', 'host', 'port']) delete parameters[word];
  const unknown = Object.keys(parameters).find((word) => !Object.hasOwn(VARIABLES, word));
  if (unknown !== undefined) {
    throw invalid(`it has the parameter ${unknown}`, `use only ${Object.keys(VARIABLES).join(', ')}`);
  }
  const address = { host, port, user, password, database: database || user, parameters };
  if (
    [host, user, password ?? '', address.database, ...Object.values(parameters)].some((word) =>
      word.includes('\0'),
    )
  ) {
    throw invalid('it has a NUL character in it', 'remove %00');
  }
  return address;
}

/** For pg_dump, pg_restore and pg_dumpall, beside `databaseArgument`. */
export function toolEnvironment(address: PostgresAddress): Record<string, string> {
  return {
    PGHOST: address.host,
    PGPORT: String(address.port),
    PGUSER: address.user,
    ...(address.password !== null && { PGPASSWORD: address.password }),
    ...Object.fromEntries(
      Object.entries(address.parameters).map(([word, value]) => [VARIABLES[word as Parameter], value]),
    ),
    PGAPPNAME: 'holdfast',
  };
}

/**
 * libpq takes a database name with "=" in it, or beginning with "postgresql://", for a connection string
 * that overrides everything else. Spelled as a connection string of its own it can only be a name.
 */
export function databaseArgument(option: '--dbname' | '--database', database: string): string {
  return `${option}=dbname='${database.replaceAll(/['\\]/g, '\\$&')}'`;
}

/** For people: `orders on db.example.org:5432`, never with the password. */
export function describeAddress(address: PostgresAddress): string {
  return `${address.database} on ${address.host}:${address.port}`;
}

const VARIABLES = {
  sslmode: 'PGSSLMODE',
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
  options: 'PGOPTIONS',
  application_name: 'PGAPPNAME',
  connect_timeout: 'PGCONNECT_TIMEOUT',
} as const;
type Parameter = keyof typeof VARIABLES;

function urlOf(text: string): URL {
  if (!/^postgres(ql)?:\/\//.test(text)) throw invalid('it does not begin with postgresql://', FORM);
  // Without a host (`postgresql:///orders?host=/run/postgresql`) a user before it would be no valid URL.
  const parsed =
    URL.parse(text) ?? URL.parse(text.replace(/^(postgres(?:ql)?:\/\/[^/@]*@)\//, '$1localhost/'));
  if (!parsed) throw invalid('it is no valid URL', 'write special characters of the password as %XX');
  return parsed;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid('it has a % that begins no %XX', 'write a % itself as %25');
  }
}

const FORM = 'write it as postgresql://USER:PASSWORD@HOST:PORT/DATABASE';

function invalid(cause: string, hint: string): HoldfastError {
  return new HoldfastError({
    code: 'configuration.invalid',
    message: "the database's URL cannot be used",
    cause,
    hint,
  });
}
