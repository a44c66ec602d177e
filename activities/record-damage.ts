import { HoldfastError } from '../domain/errors.ts';
import type { RecoveryPoint } from '../domain/recovery-point.ts';
import type { Deployment } from './deployment.ts';
import type { ReadBack, Repository } from './repositories/repository.ts';
import type { Step } from './step.ts';

type HurtPoint = Pick<RecoveryPoint, 'id' | 'asset' | 'takenAt'>;
type Damage = Pick<ReadBack, 'errors' | 'damagedSnapshots' | 'damagedPacks'>;

/** Marks every point that the damage hurts, not only those that were being read. Returns what to throw. */
export async function recordDamage(
  deployment: Deployment,
  repository: Repository,
  read: readonly HurtPoint[],
  damage: Damage,
  step: Step,
): Promise<HoldfastError> {
  return damageFound(repository, await markDamage(deployment, repository, read, damage, step), damage);
}

/** Returns the points it hurts: damage that no snapshot could be named for still hurts what was being read. */
export async function markDamage(
  deployment: Deployment,
  repository: Repository,
  read: readonly HurtPoint[],
  damage: Damage,
  step: Step,
): Promise<readonly HurtPoint[]> {
  const { catalog } = deployment;
  const now = deployment.clock().toISOString();
  const { damagedSnapshots: snapshots, damagedPacks: packs } = damage;
  const errors = damage.errors.slice(0, 20);
  await catalog.repositories.markDamaged(repository.name, { snapshots, packs, errors }, now);
  const named = await catalog.points.withSnapshots(repository.name, snapshots);
  const hurt = named.length > 0 ? named : read;
  for (const one of hurt) {
    await catalog.points.markCopy(one.id, repository.name, { damagedAt: now });
    step.say(
      'error',
      `the copy of ${one.id} (${one.asset}, ${one.takenAt}) in ${repository.name} is damaged`,
    );
  }
  return hurt;
}

/** A failure lies in the job's history: tens of thousands of names are too long for one. */
const NAMED = 20;

export function damageFound(
  repository: Repository,
  hurt: readonly HurtPoint[],
  damage: Damage,
): HoldfastError {
  const named = hurt.slice(0, NAMED).map((one) => `${one.id} (${one.asset}, ${one.takenAt})`);
  const more = hurt.length - named.length;
  const listed = named.join(', ') + (more > 0 ? ` and ${more} more` : '');
  const whom =
    hurt.length === 0
      ? 'no recovery point is known to need it'
      : `it hurts recovery ${hurt.length === 1 ? 'point' : 'points'} ${listed}`;
  return new HoldfastError({
    code: 'repository.damaged',
    message: `${repository.name} holds damaged data; ${whom}`,
    cause: damage.errors.slice(0, 5).join('\n'),
    hint: 'back up again: the next run repairs the repository and sends what is lost anew; other copies of these points are not touched by this',
  });
}
