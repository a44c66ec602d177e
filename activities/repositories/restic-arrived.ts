// Whether what was sent is there. A store may answer "200" and have nothing, or half of it.

import type { Step } from '../step.ts';
import type { ReadBack } from './repository.ts';
import { arrivedArguments, findPacksArguments } from './restic-arguments.ts';
import type { ResticConnection } from './restic-connection.ts';
import { ABOUT_ANY_POINT, runCheck, snapshotsUsing } from './restic-read-back.ts';

/**
 * One call of restic when all is well: the snapshots and every folder in them can be read, and each storage file is there
 * in the size that the index says. The content of files is not read. Storage files are looked at in the whole repository:
 * those that other snapshots miss are named, and are no reason to call these ones damaged.
 */
export async function lookForArrived(
  connection: ResticConnection,
  snapshotIds: readonly string[],
  step: Step,
): Promise<ReadBack> {
  const operation = `looking whether ${snapshotIds.length} snapshots arrived in ${connection.name}`;
  const { errors, damagedPacks } = await runCheck(connection, operation, arrivedArguments(snapshotIds), step);
  const own = errors.filter((words) => !ABOUT_ANY_POINT.test(words));
  const hurt =
    damagedPacks.length === 0 ? [] : await snapshotsUsing(connection, findPacksArguments(damagedPacks), step);
  const ours = snapshotIds.filter((id) => hurt.includes(id));
  const ok = own.length === 0 && ours.length === 0 && (damagedPacks.length === 0 || hurt.length > 0);
  return { ok, errors, damagedSnapshots: hurt, damagedPacks };
}
