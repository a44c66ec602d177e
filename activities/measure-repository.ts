// Keeps the sizes that guards, growth and the forecast go by: one measurement for all of them. It rides along with
// steps that store, seldom enough to cost them nothing; one that fails is told, and never fails the backup it came
// with.

import { isLocalRepository } from '../domain/configuration/repository-url.ts';
import type { Configuration } from '../domain/configuration/types.ts';
import { wordsOf } from '../domain/errors.ts';
import type { Deployment } from './deployment.ts';
import type { Repository } from './repositories/repository.ts';
import type { Step } from './step.ts';

/** Counting files of this host is cheap; elsewhere restic has to load its whole index. */
const SECONDS_BETWEEN = { local: 3600, remote: 86_400 };

export async function measureWhenDue(
  { catalog, clock }: Pick<Deployment, 'catalog' | 'clock'>,
  configuration: Configuration,
  repository: Repository,
  step: Step,
): Promise<void> {
  const { name } = repository;
  await toldIfFailing(name, step, async () => {
    const configured = configuration.repositories.find((one) => one.name === name);
    const between = SECONDS_BETWEEN[isLocalRepository(configured?.url ?? '') ? 'local' : 'remote'];
    const last = await catalog.objectives.lastSize(name);
    const now = clock();
    // Also when the last one is from the future: a clock that was ahead must not end the measuring.
    const age = last ? Math.abs(now.getTime() - Date.parse(last.at)) / 1000 : Infinity;
    if (age < between) return;
    await measure({ catalog, clock }, repository, step);
  });
}

/** After a prune: what was added up and measured before it is far too much. Unmeasured, what the prune says counts. */
export async function measureAfterPrune(
  { catalog, clock }: Pick<Deployment, 'catalog' | 'clock'>,
  repository: Repository,
  remainingBytes: number,
  step: Step,
): Promise<void> {
  const pruned = { at: clock().toISOString(), storedBytes: remainingBytes, freeBytes: null };
  await catalog.objectives.recordSize(repository.name, pruned);
  await toldIfFailing(repository.name, step, async () => {
    await measure({ catalog, clock }, repository, step);
  });
}

/** Returns what it holds. */
export async function measure(
  { catalog, clock }: Pick<Deployment, 'catalog' | 'clock'>,
  repository: Repository,
  step: Step,
): Promise<number> {
  const use = await repository.measure(step);
  await catalog.objectives.recordSize(repository.name, { at: clock().toISOString(), ...use });
  return use.storedBytes;
}

async function toldIfFailing(name: string, step: Step, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (step.signal.aborted) throw error;
    step.say('warning', `the size of ${name} could not be measured: ${wordsOf(error)}`);
  }
}
