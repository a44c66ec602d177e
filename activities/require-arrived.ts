import { HoldfastError } from '../domain/errors.ts';
import type { Deployment } from './deployment.ts';
import { markDamage } from './record-damage.ts';
import type { ReadBack, Repository } from './repositories/repository.ts';
import type { Step } from './step.ts';

/**
 * Throws where what was just copied is not there in whole. It is marked, and these snapshots go, as no list has them yet:
 * the next run repairs the repository first, and then finds nothing there that it would have to believe.
 */
export async function requireArrived(
  deployment: Deployment,
  to: Repository,
  snapshotIds: readonly string[],
  step: Step,
): Promise<void> {
  const seen = await to.arrived(snapshotIds, step);
  if (seen.damagedPacks.length > 0) await markDamage(deployment, to, [], seen, step);
  if (seen.ok) return;
  await forgetBroken(to, snapshotIds, step);
  // Only its index did not arrive: it is made from what lies there, and the next attempt looks again.
  if (seen.damagedPacks.length === 0) await to.recover(step);
  throw notWhole(to, seen);
}

async function forgetBroken(to: Repository, snapshotIds: readonly string[], step: Step): Promise<void> {
  try {
    const there = new Set((await to.snapshots({}, step)).map(({ id }) => id));
    await to.forget(
      snapshotIds.filter((id) => there.has(id)),
      step,
    );
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'repository.appendOnly') throw error;
    step.say('warning', `${to.name} keeps the broken copy: nothing goes from it`);
  }
}

function notWhole({ name }: Repository, { errors, damagedPacks }: ReadBack): HoldfastError {
  return new HoldfastError({
    code: 'repository.damaged',
    message: `what was sent to ${name} did not arrive whole, though the store said so`,
    cause: errors.slice(0, 5).join('\n'),
    hint: `the next run repairs ${name} and sends anew what is missing; if it happens again, ask whoever runs that store`,
    retryable: damagedPacks.length === 0,
  });
}
