// Giving back the space of what was forgotten, and looking whether what is left hangs together.

import { parseBytes } from '../../domain/bytes.ts';
import type { Step } from '../step.ts';
import type { Pruned } from './repository.ts';
import { pruneArguments, structureArguments } from './restic-arguments.ts';
import type { ResticConnection } from './restic-connection.ts';
import { runRestic } from './restic-run.ts';

/** A prune that was killed leaves more than is needed, never less: the next one goes on from there. */
export async function pruneRepository(connection: ResticConnection, step: Step): Promise<Pruned> {
  const operation = `pruning of repository ${connection.name}`;
  const { stdout } = await runRestic(connection, { operation, args: pruneArguments() }, step);
  return readPruned(stdout);
}

/** Throws `repository.damaged` when an index, a snapshot or a tree is missing; the data itself is not read. */
export async function checkStructure(connection: ResticConnection, step: Step): Promise<void> {
  const operation = `check of repository ${connection.name}`;
  await runRestic(connection, { operation, args: structureArguments(connection.cacheFolder) }, step);
}

/** `prune` has no JSON: `total prune:   4 blobs / 2.862 MiB`, `remaining:   9 blobs / 5.723 MiB`. */
export function readPruned(stdout: string): Pruned {
  const sizeAfter = (label: string) => {
    const [, size] = new RegExp(`^${label}: +\\d+ blobs / (.+)$`, 'm').exec(stdout) ?? [];
    return size === undefined ? 0 : (parseBytes(size.replace(' ', '')) ?? 0);
  };
  return { freedBytes: sizeAfter('total prune'), remainingBytes: sizeAfter('remaining') };
}
