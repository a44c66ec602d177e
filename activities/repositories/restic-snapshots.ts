// Looking into a repository without changing it: its snapshots, and what is in one.

import { posix } from 'node:path';
import { HoldfastError } from '../../domain/errors.ts';
import type { PointKind } from '../../domain/recovery-point.ts';
import type { Step } from '../step.ts';
import type { EngineSnapshot, PointLabels, RepositoryEntry } from './repository.ts';
import { listArguments, snapshotsArguments } from './restic-arguments.ts';
import type { ResticConnection } from './restic-connection.ts';
import { readListedNode, readSnapshotList, type ListedSnapshot } from './restic-messages.ts';
import { runRestic } from './restic-run.ts';

export async function listSnapshots(
  connection: ResticConnection,
  filter: { point?: string; asset?: string },
  step: Step,
): Promise<EngineSnapshot[]> {
  const operation = `listing of repository ${connection.name}`;
  const result = await runRestic(connection, { operation, args: snapshotsArguments(filter) }, step);
  const listed = readSnapshotList(result.stdout.trim());
  if (listed) return listed.map(engineSnapshot);
  throw new HoldfastError({
    code: 'tool.failed',
    message: `${operation} failed: restic's list has an unknown shape`,
    cause: result.stdout.slice(0, 300),
    hint: 'check that restic is the version `holdfast doctor` asks for',
  });
}

/** One level below `path`. Names that are not UTF-8 come with U+FFFD in them: restic's JSON has no others. */
export async function listFolder(
  connection: ResticConnection,
  snapshotId: string,
  path: string,
  step: Step,
): Promise<RepositoryEntry[]> {
  const folder = posix.resolve('/', path);
  const entries: RepositoryEntry[] = [];
  let found = folder === '/';
  await runRestic(
    connection,
    {
      operation: `listing of ${folder} in ${snapshotId.slice(0, 8)}`,
      args: listArguments(snapshotId, folder),
      onStdoutLine: (line) => {
        const node = readListedNode(line);
        if (node?.path === folder) found = true;
        if (!node || node.path === folder || posix.dirname(node.path) !== folder) return;
        found = true;
        entries.push({
          path: node.path,
          type: node.type === 'file' || node.type === 'dir' || node.type === 'symlink' ? node.type : 'other',
          size: node.size,
          modifiedAt: new Date(node.mtime).toISOString(),
        });
      },
    },
    step,
  );
  if (found) return entries;
  throw new HoldfastError({
    code: 'notFound',
    message: `there is no ${folder} in snapshot ${snapshotId.slice(0, 8)} of ${connection.name}`,
    hint: 'look at the folder above it first',
  });
}

function engineSnapshot(listed: ListedSnapshot): EngineSnapshot {
  const takenAt = new Date(listed.time).toISOString();
  return {
    id: listed.id,
    takenAt,
    paths: listed.paths,
    tags: listed.tags,
    labels: labelsIn(listed.tags, takenAt),
    bytes: listed.summary?.total_bytes_processed ?? null,
    hostname: listed.hostname,
    original: listed.original ?? null,
  };
}

/** Ours has all four; what has fewer was tagged by somebody else and is left alone. */
function labelsIn(tags: readonly string[], takenAt: string): PointLabels | null {
  const values = (label: string) =>
    tags.flatMap((tag) =>
      tag.startsWith(`holdfast:${label}=`) ? [tag.slice(`holdfast:${label}=`.length)] : [],
    );
  const value = (label: string) => values(label)[0];
  const [point, asset, kind, part] = ['point', 'asset', 'kind', 'part'].map(value);
  if (!point || !asset || !part || !isKind(kind)) return null;
  const [given, partial] = [values('tag'), value('partial')];
  return {
    ...{ point, asset, kind, part, takenAt },
    ...(given.length > 0 && { tags: given }),
    ...(partial !== undefined && { partial }),
  };
}

function isKind(text: string | undefined): text is PointKind {
  return text === 'regular' || text === 'safety' || text === 'system';
}
