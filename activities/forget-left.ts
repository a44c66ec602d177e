import { HoldfastError } from '../domain/errors.ts';
import type { Repository } from './repositories/repository.ts';
import type { Step } from './step.ts';

/** What an attempt left that is no point. An append-only repository keeps it; it is in no list. */
export async function forgetLeft(repository: Repository, snapshotIds: string[], step: Step): Promise<void> {
  if (snapshotIds.length === 0) return;
  try {
    await repository.forget(snapshotIds, step);
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'repository.appendOnly') throw error;
    step.say('warning', `${repository.name} keeps what an interrupted attempt left: nothing goes from it`);
  }
}
