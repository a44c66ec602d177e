// The sqlite3 command line tool. Paths from outside go in as percent-encoded URIs, so that none is taken for
// an option, and never into a dot-command; ~/.sqliterc is not read.
import { lastWords, runCommand, type CommandResult } from '../run-command.ts';
import type { Step } from '../step.ts';
import { HoldfastError } from '../../domain/errors.ts';

/** Other programs' locks are waited for so long. */
const BUSY_MILLISECONDS = 10_000;

/**
 * `ro` takes SQLite's locks, and in WAL mode its -shm (which it makes, and leaves behind). `immutable` takes
 * and makes nothing, and is right only while nobody writes. `rw` is for private copies.
 */
export type OpenMode = 'ro' | 'rw' | 'immutable';

export function databaseUri(path: string, mode: OpenMode): string {
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  return `file:${encoded}?${mode === 'immutable' ? 'immutable=1' : `mode=${mode}`}`;
}

export interface SqliteRequest {
  sqlite3: string;
  uri: string;
  /** Statements or dot-commands, one an argument; the first failure ends the run. */
  commands?: string[];
  /** Or a script on standard input, in which a failed statement does not stop the rest. */
  script?: string;
  cwd?: string;
  /** Ends the tool after so long, whatever it does: it tells nothing of its progress. */
  limitSeconds?: number;
}

/** Whatever it ends with; `-safe` keeps a script from reaching the shell or other files. */
export async function runSqlite(request: SqliteRequest, step: Step): Promise<CommandResult> {
  const { sqlite3, uri, commands, script, cwd, limitSeconds } = request;
  const options = [
    '-batch',
    '-init',
    '/dev/null',
    '-noheader',
    '-list',
    '-cmd',
    `.timeout ${BUSY_MILLISECONDS}`,
  ];
  const args = commands ? [...options, '-bail', uri, ...commands] : [...options, '-safe', uri];
  return await runCommand(
    {
      tool: 'sqlite3',
      file: sqlite3,
      args,
      ...(script !== undefined && { input: script }),
      ...(cwd !== undefined && { cwd }),
      ...(limitSeconds !== undefined && { stallSeconds: limitSeconds }),
    },
    step,
  );
}

/** Runs one query and returns its rows' lines; throws with the tool's own words. */
export async function query(
  request: Omit<SqliteRequest, 'commands' | 'script'>,
  sql: string,
  step: Step,
): Promise<string[]> {
  // A leading blank: the text can then be neither an option nor a dot-command.
  const result = await runSqlite({ ...request, commands: [` ${sql}`] }, step);
  if (result.exitCode === 0) return result.stdout.split('\n').filter((line) => line !== '');
  throw sqliteFailure(result, 'reading an SQLite database');
}

export function sqliteFailure(
  result: Pick<CommandResult, 'stderr' | 'exitCode'>,
  attempted: string,
): HoldfastError {
  const words = lastWords(result.stderr) || `sqlite3 ended with ${result.exitCode}`;
  const locked = /database (table )?is (locked|busy)/.test(words);
  const full = /database or disk is full|disk I\/O error.*No space/i.test(words);
  const broken = /malformed|not a database|corrupt/i.test(words);
  if (full)
    return failure('staging.full', attempted, words, "free space on the data directory's file system");
  if (locked) {
    return failure(
      'source.unreachable',
      attempted,
      words,
      'another program holds the database locked for long; it is tried again',
    );
  }
  if (broken)
    return failure(
      'source.invalid',
      attempted,
      words,
      'the file itself is damaged: restore it from its last recovery point',
    );
  return failure(
    'source.unreadable',
    attempted,
    words,
    'check that the account can read the file and the folder it is in',
  );
}

function failure(
  code: 'staging.full' | 'source.unreachable' | 'source.invalid' | 'source.unreadable',
  attempted: string,
  words: string,
  hint: string,
): HoldfastError {
  return new HoldfastError({ code, message: `${attempted} failed`, cause: `sqlite3 said: ${words}`, hint });
}
