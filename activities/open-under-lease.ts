import type { Configuration } from '../domain/configuration/types.ts';
import type { RepositoryFence } from '../domain/lease.ts';
import type { Deployment } from './deployment.ts';
import type { Repository } from './repositories/repository.ts';

/**
 * Opens a repository for somebody who holds a lease on it. Directly before each command that takes something away,
 * a dead process's lock included, the number of that lease is checked: who comes too late gets `fenced`, and nothing
 * was done. In a workflow from before leases there is no number, and no check.
 */
export async function openUnderLease(
  { catalog, openRepository }: Pick<Deployment, 'catalog' | 'openRepository'>,
  configuration: Configuration,
  name: string,
  fences: readonly RepositoryFence[] = [],
): Promise<Repository> {
  const opened = await openRepository(configuration, name);
  const lease = fences.find(({ repository }) => repository === name);
  const first = async <T>(work: () => Promise<T>): Promise<T> => {
    if (lease) await catalog.leases.assertFence(lease);
    return work();
  };
  const leased: Partial<Repository> = {
    recover: (step) => first(() => opened.recover(step)),
    forget: (snapshotIds, step) => first(() => opened.forget(snapshotIds, step)),
    prune: (step) => first(() => opened.prune(step)),
    repair: (step, damagedPacks) => first(() => opened.repair(step, damagedPacks)),
    // An engine knows only its own by what lies behind them.
    ensure: (step, like) => opened.ensure(step, like && openedOf(like)),
    copyFrom: (source, snapshotIds, step) => opened.copyFrom(openedOf(source), snapshotIds, step),
  };
  const shown = Object.create(opened, Object.getOwnPropertyDescriptors(leased)) as Repository;
  behind.set(shown, opened);
  return shown;
}

const behind = new WeakMap<Repository, Repository>();

function openedOf(repository: Repository): Repository {
  return behind.get(repository) ?? repository;
}
