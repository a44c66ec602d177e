import {
  CancellationScope,
  condition,
  getExternalWorkflowHandle,
  setHandler,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import type { LeaseMode, RepositoryFence } from '../domain/lease.ts';
import { giveLeaseBack, leaseAwaited, leaseGranted, leaseWorkflowId } from './messages.ts';
import { controlSteps, failureOf } from './steps.ts';

/** A job that waits longer is shown as waiting. */
const SOON = '10 s';
/** A request or its answer may be lost with Temporal's database: then it is asked again. */
const ASK_AGAIN = '10 min';

export interface LeaseHolder {
  /**
   * Does the work while the leases on these repositories are held, and gives them back however it ends. They
   * are taken in the order of their names: two holders never wait for each other.
   */
  hold<T>(
    repositories: readonly string[],
    mode: LeaseMode,
    work: (fences: RepositoryFence[]) => Promise<T>,
  ): Promise<T>;
  /** What is being waited for, in words; null: nothing. */
  waitsFor(): string | null;
}

export interface LeaseHolderOptions {
  /** Whose status says that it waits; null: nobody's. */
  jobId: string | null;
  /** Somebody stands before lost data: it does not wait behind those who wait to be alone. */
  urgent?: boolean;
  /** A workflow that was begun before there were leases works without. */
  unleased?: boolean;
}

/** Of each workflow one, made before its first step: it takes the signals of the leases. */
export function leaseHolder({ jobId, urgent = false, unleased = false }: LeaseHolderOptions): LeaseHolder {
  const wanted = new Map<string, { repository: string; fence: number | null; behind: string[] }>();
  let shownAsWaiting = 0;

  setHandler(leaseGranted, async ({ repository, key, fence }) => {
    const request = wanted.get(key);
    if (request) request.fence = fence;
    // Asked for by an attempt that came late: nobody would ever give it back.
    else await giveBack(repository, key);
  });
  setHandler(leaseAwaited, ({ key, behind }) => {
    const request = wanted.get(key);
    if (request) request.behind = behind;
  });

  async function take(repository: string, mode: LeaseMode): Promise<{ key: string; fence: number }> {
    const key = uuid4();
    const request = { repository, fence: null as number | null, behind: [] as string[] };
    wanted.set(key, request);
    const control = controlSteps(repository);
    const ask = () =>
      CancellationScope.nonCancellable(() =>
        control.askForLease({
          ...{ repository, key, mode, holder: workflowInfo().workflowId },
          ...(urgent && { urgent }),
        }),
      );
    const isThere = () => request.fence !== null;
    try {
      await ask();
      if (!(await condition(isThere, SOON))) {
        await showWaiting(1, repository, request.behind);
        try {
          while (!(await condition(isThere, ASK_AGAIN))) await ask();
        } finally {
          await CancellationScope.nonCancellable(() => showWaiting(-1, repository, []));
        }
      }
    } catch (error) {
      wanted.delete(key);
      await giveBack(repository, key);
      throw error;
    }
    return { key, fence: request.fence ?? 0 };
  }

  async function showWaiting(more: 1 | -1, repository: string, behind: string[]): Promise<void> {
    const before = shownAsWaiting;
    shownAsWaiting += more;
    if (jobId === null || (before > 0 && shownAsWaiting > 0)) return;
    await controlSteps(repository).jobWaits({ jobId, repository, behind, waits: more === 1 });
  }

  async function held<T>(
    repositories: readonly string[],
    mode: LeaseMode,
    work: (fences: RepositoryFence[]) => Promise<T>,
    fences: RepositoryFence[],
  ): Promise<T> {
    const [repository, ...others] = repositories;
    if (repository === undefined) return work(fences);
    const { key, fence } = await take(repository, mode);
    try {
      return await held(others, mode, work, [...fences, { repository, fence }]);
    } finally {
      wanted.delete(key);
      await giveBack(repository, key);
    }
  }

  return {
    hold: (repositories, mode, work) =>
      unleased ? work([]) : held([...new Set(repositories)].sort(), mode, work, []),
    waitsFor: () => {
      const waiting = [...wanted.values()].filter(({ fence }) => fence === null);
      if (waiting.length === 0) return null;
      return waiting
        .map(({ repository, behind }) =>
          behind.length > 0 ? `${repository}, which ${behind.join(', ')} has` : repository,
        )
        .join('; ');
    },
  };
}

async function giveBack(repository: string, key: string): Promise<void> {
  try {
    await CancellationScope.nonCancellable(() =>
      getExternalWorkflowHandle(leaseWorkflowId(repository)).signal(giveLeaseBack, { key }),
    );
  } catch (error) {
    // The queue is not there any more, and the lease with it.
    failureOf(error);
  }
}
