// A PostgreSQL URL taken apart, so that its pieces reach the tools one by one through the environment and
// never as a connection string, which libpq would expand out of a database name too (fault 39).

import { HoldfastError } from '../errors.ts';
import type { Refusal } from './say.ts';

export interface DatabaseAddress {
  /** A host name, an address, or the folder of a socket; null: libpq's default. */
  host: string | null;
  port: number | null;
  user: string | null;
  /** A secret: only ever in the tool's environment. */
  password: string | null;
  database: string;
  /** libpq's own words, of the few that make sense here: `sslmode`, `sslrootcert`, … */
  parameters: Record<string, string>;
}

/** For a resolved reference as for a written URL. Throws `configuration.invalid`, without the URL in it. */
export function parseDatabaseUrl(url: string): DatabaseAddress {
  const read = readDatabaseUrl(url);
  if (!('message' in read)) return read;
  throw new HoldfastError({
    code: 'configuration.invalid',
    message: 'reading the database URL failed',
    cause: read.message,
    hint: read.fix,
  });
}

/** null: it may be used. */
export function refuseDatabaseUrl(url: string): Refusal | null {
  const read = readDatabaseUrl(url);
  return 'message' in read ? read : null;
}

const example = 'write postgres://user@host:5432/database';

const parametersTaken =
  `host port user password dbname sslmode sslrootcert sslcert sslkey sslcrl channel_binding gssencmode
  connect_timeout target_session_attrs application_name options`.split(/\s+/);

function readDatabaseUrl(url: string): DatabaseAddress | Refusal {
  if (!/^postgres(ql)?:\/\//.test(url)) return { message: 'this is not a PostgreSQL URL', fix: example };
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (!parsed || parsed.hash !== '') {
    return {
      message: 'the PostgreSQL URL cannot be read',
      fix: `${example}; escape special characters as %XX`,
    };
  }
  const parameters = Object.fromEntries(parsed.searchParams);
  const unknown = Object.keys(parameters).find((name) => !parametersTaken.includes(name));
  if (unknown !== undefined) {
    return {
      message: 'a parameter of the URL is not taken here',
      fix: `use only ${parametersTaken.join(', ')}`,
    };
  }
  const { host, port, user, password, dbname, ...others } = parameters;
  try {
    return checked({
      host: host ?? present(decodeURIComponent(parsed.hostname.replace(/^\[(.*)\]$/, '$1'))),
      port: port === undefined ? (parsed.port === '' ? null : Number(parsed.port)) : Number(port),
      user: user ?? present(decodeURIComponent(parsed.username)),
      password: password ?? present(decodeURIComponent(parsed.password)),
      database: dbname ?? decodeURIComponent(parsed.pathname.slice(1)),
      parameters: others,
    });
  } catch {
    return {
      message: 'a % in the URL is not followed by two hexadecimal digits',
      fix: 'write a literal % as %25',
    };
  }
}

function present(text: string): string | null {
  return text === '' ? null : text;
}

function checked(address: DatabaseAddress): DatabaseAddress | Refusal {
  const { host, port, user, database, parameters } = address;
  if (database === '') return { message: 'the URL names no database', fix: example };
  if (database.startsWith('-') || database.includes('=') || /^postgres(ql)?:/.test(database)) {
    return {
      message: 'the database name is an option or a connection string, which the tools would obey',
      fix: 'name the database itself; one really called so has to be renamed first',
    };
  }
  if ([host, user].some((text) => text?.startsWith('-'))) {
    return { message: 'the host or user starts with "-"', fix: example };
  }
  if (host?.includes(','))
    return { message: 'the URL names several hosts', fix: 'name the one to read from' };
  if (port !== null && !(Number.isInteger(port) && port > 0 && port < 65_536)) {
    return { message: 'the port is not a number from 1 to 65535', fix: example };
  }
  const texts = [host, user, address.password, database, ...Object.values(parameters)];
  if (texts.some((text) => text !== null && /[\0-\x1f]/.test(text))) {
    return { message: 'a control character is in the URL', fix: 'take it out' };
  }
  return address;
}
