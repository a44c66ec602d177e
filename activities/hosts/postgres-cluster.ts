// A private PostgreSQL server on loopback, made from the system's programs: the embedded catalogue, and
// the scratch servers in which dumps are rehearsed. It never runs as root, and ends with its parent.

import { spawn } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { HoldfastError } from '../../domain/errors.ts';
import { lastWords, minimalEnvironment } from '../run-command.ts';
import { clearDeadLock } from './postgres-cluster-lock.ts';
import { endOf, type ProcessEnd } from './postgres-initialise.ts';

export {
  initialiseCluster,
  isInitialised,
  majorOf,
  newPassword,
  type NewCluster,
} from './postgres-initialise.ts';
export { catalogOwner, sandboxOwner, type ClusterOwner } from './postgres-cluster-owner.ts';

export interface ClusterStart {
  folder: string;
  binaries: string;
  /** null: a free one. */
  port: number | null;
  /** false: for scratch data. A crash may lose everything, and little memory is taken. */
  durable: boolean;
  /** Beside and over our own settings. Seen in argv: never a secret. */
  settings?: Record<string, string>;
  /** Only to write them into `url`. */
  superuser?: string;
  password?: string;
  signal?: AbortSignal;
}

export interface RunningCluster {
  port: number;
  pid: number;
  /** `postgresql://postgres:…@127.0.0.1:port/postgres` */
  url: string;
  /** Where the server writes what it has to say. */
  logFile: string;
  /** Ends connections and the server; returns when it is gone. May be called twice. */
  stop(): Promise<void>;
  /** Resolves, never rejects, when the server has ended, by `stop` or otherwise. */
  exited: Promise<ProcessEnd>;
}

const START_SECONDS = 60;
/** A fast shutdown writes a checkpoint; a predecessor that is being ended needs as long. */
const STOP_SECONDS = 30;
const PORT_ATTEMPTS = 5;

/**
 * Starts the server and waits until it accepts connections. After a crash it recovers by itself; a lock
 * file that a dead server left is removed, a server still running in the folder is waited for (a
 * predecessor that lost its parent is on its way out) and then named in the error.
 */
export async function startCluster(start: ClusterStart): Promise<RunningCluster> {
  await clearDeadLock(start.folder, STOP_SECONDS);
  // Between finding a free port and listening on it somebody else may take it.
  for (let attempt = 1; ; attempt += 1) {
    const port = start.port ?? (await freePort());
    try {
      return await launch(start, port);
    } catch (error) {
      if (start.port !== null || !(error instanceof PortTaken) || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

/** A port that was free a moment ago: whoever listens on it must be ready to try again. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}

class PortTaken extends HoldfastError {}

async function launch(start: ClusterStart, port: number): Promise<RunningCluster> {
  const logFile = `${start.folder}.log`;
  const log = await open(logFile, 'w', 0o600);
  const folder = await open(start.folder, 'r');
  const { uid, gid } = await folder.stat();
  const subprocess = spawn(
    'setpriv',
    ['--pdeathsig', 'INT', '--', join(start.binaries, 'postgres'), ...serverArguments(start, port)],
    {
      stdio: ['ignore', log.fd, log.fd, folder.fd],
      env: minimalEnvironment(),
      cwd: '/',
      ...(process.getuid?.() === 0 && { uid, gid }),
    },
  );
  const exited = endOf(subprocess);
  await Promise.all([log.close(), folder.close()]);
  const { pid } = subprocess;
  const stop = async () => {
    subprocess.kill(start.durable ? 'SIGINT' : 'SIGQUIT');
    await Promise.race([exited, pause(STOP_SECONDS * 1000, undefined, { ref: false })]);
    subprocess.kill('SIGKILL');
    await exited;
  };
  try {
    await untilReady(start, pid, exited, port, logFile);
  } catch (error) {
    await stop();
    throw error;
  }
  const url = `postgresql://${start.superuser ?? 'postgres'}${start.password === undefined ? '' : `:${encodeURIComponent(start.password)}`}@127.0.0.1:${port}/postgres`;
  return { port, pid: pid ?? 0, url, logFile, stop, exited };
}

function serverArguments(start: ClusterStart, port: number): string[] {
  const settings: Record<string, string> = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    password_encryption: 'scram-sha-256',
    // Statements can hold secrets (`alter role … password`): the log names the error, not the statement.
    log_min_error_statement: 'panic',
    logging_collector: 'off',
    archive_mode: 'off',
    ...(start.durable ? durableSettings : scratchSettings),
    ...start.settings,
  };
  return [
    '-D',
    '/proc/self/fd/3',
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
}

/** What `status` looks at of a million points is 170 MB: read again each time, it cost a third of the answer. */
const CATALOGUE_MEMORY = { smallest: 64, largest: 256, shareOfMachine: 1 / 16 };

function sharedBuffers(): string {
  const { smallest, largest, shareOfMachine } = CATALOGUE_MEMORY;
  const megabytes = Math.floor((totalmem() / 2 ** 20) * shareOfMachine);
  return `${Math.min(largest, Math.max(smallest, megabytes))}MB`;
}

const durableSettings = { shared_buffers: sharedBuffers(), max_connections: '60', max_wal_size: '256MB' };

const scratchSettings = {
  fsync: 'off',
  full_page_writes: 'off',
  synchronous_commit: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '1GB',
  shared_buffers: '64MB',
  max_connections: '20',
  autovacuum: 'off',
};

/** The server writes its state into the eighth line of postmaster.pid; pg_ctl waits for the same. */
async function untilReady(
  start: ClusterStart,
  pid: number | undefined,
  exited: RunningCluster['exited'],
  port: number,
  logFile: string,
): Promise<void> {
  const lock = join(start.folder, 'postmaster.pid');
  const deadline = Date.now() + START_SECONDS * 1000;
  let ended = false;
  void exited.then(() => (ended = true));
  while (!start.signal?.aborted) {
    if (ended) throw await startFailed(start.folder, port, logFile);
    const lines = (await readFile(lock, 'utf8').catch(() => '')).split('\n');
    if (Number(lines[0]) === pid && lines[7]?.trim() === 'ready') return;
    // Crash recovery of a large catalogue may take long; it is no failure while the process lives.
    if (Date.now() > deadline && lines[7]?.trim() !== 'starting')
      throw await startFailed(start.folder, port, logFile);
    await pause(20);
  }
  throw new HoldfastError({
    code: 'cancelled',
    message: `starting the private PostgreSQL in ${start.folder} was cancelled`,
    hint: 'start the job again when it is wanted',
  });
}

async function startFailed(folder: string, port: number, logFile: string): Promise<HoldfastError> {
  const words = lastWords(await readFile(logFile, 'utf8').catch(() => ''));
  if (/Address already in use/.test(words)) {
    return new PortTaken({
      code: 'service.failed',
      message: `the private PostgreSQL in ${folder} could not listen on port ${port}`,
      cause: words,
      hint: `something else listens on 127.0.0.1:${port}: end it, or choose another port`,
    });
  }
  return new HoldfastError({
    code: /no space left/i.test(words) ? 'staging.full' : 'service.failed',
    message: `the private PostgreSQL in ${folder} did not start`,
    cause: words || 'it wrote nothing into its log',
    hint: `look into ${logFile}`,
  });
}
