// What a repository takes. On this host its files are counted, and what their file system has left; elsewhere
// restic adds up what its snapshots refer to, and nobody can tell what is left.

import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../../domain/errors.ts';
import { freeBytes } from '../hosts/filesystem.ts';
import { ifThere } from '../hosts/if-there.ts';
import type { Step } from '../step.ts';
import type { RepositoryUse } from './repository.ts';
import { sizeArguments } from './restic-arguments.ts';
import type { ResticConnection } from './restic-connection.ts';
import { readTotalSize } from './restic-messages.ts';
import { runRestic } from './restic-run.ts';

export async function measureRepository(connection: ResticConnection, step: Step): Promise<RepositoryUse> {
  const { localPath } = connection;
  if (localPath !== null)
    return { storedBytes: await bytesBelow(localPath, step), freeBytes: await freeBytes(localPath) };
  const operation = `measuring of ${connection.name}`;
  const { stdout } = await runRestic(connection, { operation, args: sizeArguments() }, step);
  const storedBytes = readTotalSize(stdout);
  if (storedBytes !== null) return { storedBytes, freeBytes: null };
  throw new HoldfastError({
    code: 'tool.failed',
    message: `${operation} failed: what restic says has an unknown shape`,
    cause: stdout.slice(0, 300),
    hint: 'check that restic is the version `holdfast doctor` asks for',
  });
}

/** Folder by folder, so that a repository of a million packs takes time and not memory. */
async function bytesBelow(folder: string, step: Step): Promise<number> {
  step.signal.throwIfAborted();
  let bytes = 0;
  for (const entry of (await ifThere(readdir(folder, { withFileTypes: true }))) ?? []) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += await bytesBelow(path, step);
    // What a writer or a prune takes away meanwhile counts for nothing.
    else bytes += (await ifThere(lstat(path)))?.size ?? 0;
  }
  return bytes;
}
