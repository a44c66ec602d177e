// Creates the files of a private PostgreSQL cluster with initdb.

import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ifThere } from './if-there.ts';
import { HoldfastError } from '../../domain/errors.ts';
import { lastWords, minimalEnvironment } from '../run-command.ts';
import type { ClusterOwner } from './postgres-cluster-owner.ts';

export interface NewCluster {
  /** Its parent exists. Afterwards private to the owner. */
  folder: string;
  /** Folder with initdb and postgres. */
  binaries: string;
  owner: ClusterOwner;
  /** `postgres` when not said. */
  superuser?: string;
  /** Of the superuser. */
  password: string;
  /** false: not flushed to disk. */
  durable?: boolean;
}

/**
 * Creates the cluster's files unless they are there. Killed anywhere, the next call starts afresh: the
 * folder appears under its name only when it is complete.
 */
export async function initialiseCluster(cluster: NewCluster): Promise<'created' | 'existing'> {
  if (await isInitialised(cluster.folder)) return 'existing';
  const making = `${cluster.folder}.initialising`;
  await rm(making, { recursive: true, force: true });
  await mkdir(making, { mode: 0o700 });
  const folder = await openForOwner(making, cluster.owner);
  const password = await openSecret(`${making}.password`, cluster.password, cluster.owner);
  try {
    const result = await runAs(cluster.owner, join(cluster.binaries, 'initdb'), initdbArguments(cluster), [
      folder.fd,
      password.fd,
    ]);
    if (result.exitCode !== 0) throw initialiseFailed(cluster.folder, result.stderr || (result.signal ?? ''));
  } finally {
    await Promise.all([folder.close(), password.close()]);
  }
  await rename(making, cluster.folder);
  return 'created';
}

export async function isInitialised(folder: string): Promise<boolean> {
  return (await majorOf(folder)) !== null;
}

/** The major version whose programs the files need; null when there is no cluster. */
export async function majorOf(folder: string): Promise<number | null> {
  const version = await ifThere(readFile(join(folder, 'PG_VERSION'), 'utf8'));
  return version === null ? null : Number.parseInt(version, 10);
}

export function newPassword(): string {
  return randomBytes(24).toString('base64url');
}

/**
 * The folder's parents may be closed to the owner, so the programs get the folder as an open file and
 * find it under /proc/self/fd/3.
 */
async function openForOwner(path: string, owner: ClusterOwner): Promise<FileHandle> {
  const handle = await open(path, 'r');
  if (owner) await handle.chown(owner.uid, owner.gid);
  return handle;
}

/** A file with no name: the secret is in no argument, no environment and, after a crash, on no disk. */
async function openSecret(path: string, secret: string, owner: ClusterOwner): Promise<FileHandle> {
  await rm(path, { force: true });
  const handle = await open(path, 'wx+', 0o600);
  await unlink(path);
  if (owner) await handle.chown(owner.uid, owner.gid);
  await handle.writeFile(`${secret}\n`);
  return handle;
}

function initdbArguments(cluster: NewCluster): string[] {
  return [
    '--pgdata=/proc/self/fd/3',
    '--pwfile=/proc/self/fd/4',
    `--username=${cluster.superuser ?? 'postgres'}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C.UTF-8',
    ...(cluster.durable === false ? ['--no-sync'] : []),
  ];
}

/** Not through execa: it takes no open files beyond the third. */
async function runAs(owner: ClusterOwner, file: string, args: string[], files: number[]) {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', file, ...args], {
    stdio: ['ignore', 'ignore', 'pipe', ...files],
    env: minimalEnvironment(),
    cwd: '/',
    ...owner,
  });
  const said = child.stderr ? text(child.stderr).catch(() => '') : '';
  return { ...(await endOf(child)), stderr: await said };
}

/** Resolves, never rejects, when the process has ended or could not be started. */
export function endOf(child: ChildProcess): Promise<ProcessEnd> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ exitCode: null, signal: error.message }));
    child.once('close', (exitCode, signal) => resolve({ exitCode, signal }));
  });
}

function initialiseFailed(folder: string, words: string): HoldfastError {
  return new HoldfastError({
    code: /no space left|disk quota/i.test(words) ? 'staging.full' : 'tool.failed',
    message: `a private PostgreSQL could not be initialised in ${folder}`,
    cause: lastWords(words) || 'initdb said nothing',
    hint: 'check the free space and the rights on that folder, then try again',
    retryable: false,
  });
}

export interface ProcessEnd {
  exitCode: number | null;
  /** What ended it, or why it could not be started. */
  signal: string | null;
}
