// The scratch server in which a dump is restored to prove it. A dump is code, and here it runs: as an
// account that owns nothing, in a server that holds nothing else and ends with the rehearsal.

import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ifThere } from '../hosts/if-there.ts';
import {
  initialiseCluster,
  newPassword,
  sandboxOwner,
  startCluster,
  type RunningCluster,
} from '../hosts/postgres-cluster.ts';
import { postgresServerBinaries, type PostgresBinaries } from '../hosts/postgres-binaries.ts';
import { lastWords, runCommand } from '../run-command.ts';
import type { Step } from '../step.ts';
import { HoldfastError } from '../../domain/errors.ts';
import type { PostgresAddress } from './postgres-address.ts';
import { connect } from './postgres-connection.ts';

export interface Sandbox {
  /** As its superuser, on the database `postgres`. */
  address: PostgresAddress;
  binaries: PostgresBinaries;
  cluster: RunningCluster;
}

export interface SandboxRequest {
  /** Major version the dump came from; the same is taken when it is installed, else the newest. */
  major: number;
  /** Emptied by whoever owns it after the rehearsal; everything of the sandbox lies in it. */
  scratch: string;
  /** Keeps initialised clusters to copy: 0.2 s instead of 0.9 s for initdb. null: initdb every time. */
  cache: string | null;
}

/** Runs `work` beside a fresh server and takes the server away, whatever happened. */
export async function withSandbox<T>(
  request: SandboxRequest,
  step: Step,
  work: (sandbox: Sandbox) => Promise<T>,
): Promise<T> {
  const binaries = await binariesFor(request.major);
  const folder = join(request.scratch, 'sandbox');
  await rm(folder, { recursive: true, force: true });
  let cluster: RunningCluster | undefined;
  try {
    const password = await prepareFolder(folder, binaries, request.cache, step);
    const { folder: programs } = binaries;
    cluster = await startCluster({
      folder,
      binaries: programs,
      port: null,
      durable: false,
      signal: step.signal,
    });
    step.started({ pid: cluster.pid, tool: 'postgres' });
    const address = await withOwnPassword(addressOf(cluster, password), step);
    return await work({ address, binaries, cluster });
  } finally {
    await cluster?.stop();
    await rm(folder, { recursive: true, force: true });
    await rm(`${folder}.log`, { force: true });
  }
}

/** No role of a dump's server bears this name, so none can take the sandbox's own one over. */
const SUPERUSER = 'holdfast_sandbox';

async function binariesFor(major: number): Promise<PostgresBinaries> {
  const newest = await postgresServerBinaries();
  if (newest.major < major) {
    throw new HoldfastError({
      code: 'source.versionTooNew',
      message: `a dump of PostgreSQL ${major} cannot be rehearsed with PostgreSQL ${newest.major}`,
      cause: `the newest server installed on this host is ${newest.major}`,
      hint: `install it: on Debian \`apt-get install postgresql-${major}\``,
    });
  }
  return postgresServerBinaries(major).catch(() => newest);
}

async function prepareFolder(
  folder: string,
  binaries: PostgresBinaries,
  cache: string | null,
  step: Step,
): Promise<string> {
  const owner = await sandboxOwner();
  if (cache === null) {
    const password = newPassword();
    await initialiseCluster({
      folder,
      binaries: binaries.folder,
      owner,
      superuser: SUPERUSER,
      password,
      durable: false,
    });
    return password;
  }
  const template = join(cache, `postgres-${binaries.version}-${owner?.uid ?? process.getuid?.()}`);
  const password = (await passwordOf(template)) ?? (await makeTemplate(template, binaries));
  const copied = await runCommand(
    { tool: 'cp', file: 'cp', args: ['-a', '--', join(template, 'cluster'), folder] },
    step,
  );
  if (copied.exitCode === 0) return password;
  throw new HoldfastError({
    code: /no space left/i.test(copied.stderr) ? 'staging.full' : 'tool.failed',
    message: 'a scratch PostgreSQL could not be made',
    cause: lastWords(copied.stderr),
    hint: `check the free space and the rights on ${cache}; the folder ${template} can be deleted at any time`,
  });
}

async function passwordOf(template: string): Promise<string | null> {
  return ifThere(readFile(join(template, 'password'), 'utf8'));
}

/** Two at once make one each, and the later one is thrown away. */
async function makeTemplate(template: string, binaries: PostgresBinaries): Promise<string> {
  const making = `${template}.${process.pid}-${randomBytes(4).toString('hex')}`;
  const password = newPassword();
  try {
    await mkdir(making, { recursive: true, mode: 0o700 });
    const folder = join(making, 'cluster');
    const owner = await sandboxOwner();
    await initialiseCluster({
      folder,
      binaries: binaries.folder,
      owner,
      superuser: SUPERUSER,
      password,
      durable: false,
    });
    await writeFile(join(making, 'password'), password, { mode: 0o600 });
    await rename(making, template);
    return password;
  } catch (error) {
    const others = await passwordOf(template);
    if (others === null) throw error;
    return others;
  } finally {
    await rm(making, { recursive: true, force: true });
  }
}

/** What one server was copied from, all were: with its password each could be entered from every other's dump. */
async function withOwnPassword(address: PostgresAddress, step: Step): Promise<PostgresAddress> {
  const password = newPassword();
  const server = await connect(address, step);
  try {
    await server.query(`alter role ${SUPERUSER} password '${password}'`);
  } finally {
    await server.close();
  }
  return { ...address, password };
}

function addressOf(cluster: RunningCluster, password: string): PostgresAddress {
  const { port } = cluster;
  return {
    host: '127.0.0.1',
    port,
    user: SUPERUSER,
    password,
    database: 'postgres',
    parameters: { sslmode: 'disable' },
  };
}
