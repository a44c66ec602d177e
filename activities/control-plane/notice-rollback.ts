import type { Deployment } from '../deployment.ts';
import type { Repository } from '../repositories/repository.ts';
import type { Step } from '../step.ts';

/**
 * Whether the repository still has what the catalogue knows to have been stored there last: the control plane itself
 * before this, with the end of the audit chain in it, and the newest point of all. If not, it was put back to an older
 * state, and whatever else it lost with that is looked for and put on record.
 */
export async function noticeRollback(
  { catalog, clock }: Pick<Deployment, 'catalog' | 'clock'>,
  repository: Repository,
  step: Step,
): Promise<void> {
  const last = await catalog.controlPlane.storedLast(repository.name);
  // Others store there meanwhile: what they record after the list was made is not missing from it.
  const storedBefore = clock().toISOString();
  const there = (await repository.snapshots({}, step)).map(({ id }) => id);
  const lost = last.find(({ snapshotIds }) => !snapshotIds.every((id) => there.includes(id)));
  const known = (await catalog.controlPlane.rollbacks()).find((one) => one.repository === repository.name);
  if (!lost && !known) return;
  const missing = (await catalog.controlPlane.missing(repository.name, there, storedBefore)).map(
    ({ id }) => id,
  );
  if (!lost && missing.length === 0) {
    await catalog.controlPlane.acceptRollback(repository.name, 'what was missing is there again');
    return;
  }
  if (!known && missing.length === 0) return;
  const pointId = lost?.pointId ?? known?.pointId ?? '';
  await catalog.controlPlane.rolledBack(repository.name, { pointId, missing });
  step.say(
    'error',
    `${repository.name} was rolled back to an older state: ${missing.length} points that were stored there are not there any more`,
  );
}
