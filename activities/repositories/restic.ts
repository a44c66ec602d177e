// A repository kept by restic, on any location restic knows (a path, s3:, rest:, sftp:, rclone:, b2: …).

import { HoldfastError } from '../../domain/errors.ts';
import type { Repository } from './repository.ts';
import { forgetArguments } from './restic-arguments.ts';
import { connectionFor, type ResticConnection, type ResticOptions } from './restic-connection.ts';
import { requireCrypt } from './rclone-crypt.ts';
import { lookForArrived } from './restic-arrived.ts';
import { chunkerOf } from './restic-chunker.ts';
import { copySnapshots, createRepository } from './restic-copy.ts';
import { checkStructure, pruneRepository } from './restic-prune.ts';
import { readBackPoints } from './restic-read-back.ts';
import { readShareOf } from './restic-read-share.ts';
import { recoverRepository, repairRepository } from './restic-repair.ts';
import { restoreSnapshot } from './restic-restore.ts';
import { runRestic } from './restic-run.ts';
import { measureRepository } from './restic-size.ts';
import { listFolder, listSnapshots } from './restic-snapshots.ts';
import { storePart } from './restic-store.ts';

/** Nothing is called or looked up yet: the first method that needs the repository finds out about it. */
export function createResticRepository(options: ResticOptions): Repository {
  const connection = connectionFor(options);
  const repository: Repository = {
    name: connection.name,
    ensure: (step, like) => createRepository(connection, like ? connectionOf(like) : null, step),
    requireEncrypting: (step) => requireCrypt(connection, step),
    chunker: (step) => chunkerOf(connection, step),
    recover: (step) => recoverRepository(connection, step),
    store: (part, labels, step, parent) => {
      if (parent) requireIds([parent]);
      return storePart(connection, part, labels, step, parent);
    },
    copyFrom: (source, snapshotIds, step) =>
      copySnapshots(connection, connectionOf(source), requireIds(snapshotIds), step),
    arrived: (snapshotIds, step) => lookForArrived(connection, requireIds(snapshotIds), step),
    snapshots: (filter, step) => listSnapshots(connection, filter, step),
    readBack: (points, step) => readBackPoints(connection, points, step),
    readShare: (group, groups, step) => readShareOf(connection, group, groups, step),
    restore: (request, step) => {
      requireIds([request.snapshotId]);
      return restoreSnapshot(connection, request, step);
    },
    list: (snapshotId, path, step) => {
      requireIds([snapshotId]);
      return listFolder(connection, snapshotId, path, step);
    },
    forget: async (snapshotIds, step) => {
      // Without an id `forget` would apply to every snapshot.
      if (requireIds(snapshotIds).length === 0) return;
      const operation = `removal of ${snapshotIds.length} snapshots from ${connection.name}`;
      await runRestic(connection, { operation, args: forgetArguments(snapshotIds) }, step);
    },
    measure: (step) => measureRepository(connection, step),
    prune: (step) => pruneRepository(connection, step),
    check: (step) => checkStructure(connection, step),
    repair: (step, damagedPacks) => repairRepository(connection, damagedPacks, step),
  };
  connections.set(repository, connection);
  return repository;
}

/** A copy needs the other side's location and secrets, which are not part of what a repository shows. */
const connections = new WeakMap<Repository, ResticConnection>();

function connectionOf(repository: Repository): ResticConnection {
  const connection = connections.get(repository);
  if (connection) return connection;
  throw new HoldfastError({
    code: 'configuration.invalid',
    message: `copying from ${repository.name} is not possible`,
    cause: 'it is not a restic repository',
    hint: 'copy between two restic repositories',
  });
}

/** restic also takes `latest` and prefixes: a wrong word must not select another snapshot. */
function requireIds(ids: readonly string[]): readonly string[] {
  const wrong = ids.find((id) => !/^[0-9a-f]{64}$/.test(id));
  if (wrong === undefined) return ids;
  throw new HoldfastError({
    code: 'point.unknown',
    message: `${JSON.stringify(wrong)} is not the id of a snapshot`,
    cause: 'an id has 64 hexadecimal digits',
    hint: 'list what is there with `holdfast points list`',
  });
}
