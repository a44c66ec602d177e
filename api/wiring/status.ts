import { objectiveStatus, oldestUnread, type AssetState } from '../../catalog/index.ts';
import type { Configuration, Policy } from '../../domain/configuration/types.ts';
import { scheduledRunsOf } from '../../domain/cadence/scheduled-runs.ts';
import { nextRun } from '../../domain/cadence/next-run.ts';
import { DAY_MILLISECONDS } from '../../domain/objectives/windows.ts';
import { assess, type Health } from '../../domain/objectives.ts';
import type { Services } from '../services.ts';
import { channelHealth } from './incidents.ts';
import type { Parts } from './parts.ts';
import { repositoryStatus } from './repository-status.ts';

type StatusServices = Pick<Services, 'health' | 'status' | 'jobCounts'>;

export function statusServices({ catalog, temporal, clock = () => new Date() }: Parts): StatusServices {
  return {
    health: async () => ({
      parts: [
        { name: 'catalog', ok: await answers(() => catalog.ping()) },
        { name: 'temporal', ok: await answers(() => temporal.workflowService.getSystemInfo({})) },
      ],
    }),

    status: async () => {
      const applied = await catalog.configurations.current();
      const configuration = applied?.configuration ?? null;
      const now = clock();
      const [pauses, states, objectives, places] = await Promise.all([
        catalog.policyPauses.open(),
        catalog.status(),
        objectiveStatus(catalog, configuration, now),
        oldestUnread(catalog, configuration, now).then((unread) =>
          repositoryStatus(catalog, configuration, unread, now),
        ),
      ]);
      const runs = nextBackups(configuration, pauses, now);
      const policies = new Map(configuration?.policies.map((policy) => [policy.name, policy]));
      const assets = await Promise.all(
        states.map(async (state) => {
          const figures = objectives.ofAsset(state.asset, state.policy);
          const facts = factsOf(state, policies.get(state.policy ?? '') ?? null, runs);
          const { errorBudget } = figures;
          const { succeeded, failed } = figures.successRates.backups.days30;
          return {
            ...assess({ ...facts, errorBudget, damagedNewest: await damagedNewest(state) }, now),
            ...figures,
            paused: pauses.get(state.policy ?? '') ?? null,
            backups: { succeeded, failed },
            copies: state.copies,
          };
        }),
      );
      const worst = worstOf(assets.map((asset) => asset.health));
      return {
        assets,
        sites: [{ name: 'local', health: worst, reason: worst === 'ok' ? '' : 'see its assets' }],
        repositories: places.map((repository) => ({
          ...repository,
          ...objectives.ofRepository(repository.name),
        })),
        channels: await channelHealth(catalog, configuration),
        incidents: await catalog.incidents.count(),
      };
    },

    jobCounts: () => catalog.objectives.jobCounts(new Date(clock().getTime() - DAY_MILLISECONDS)),
  };

  /** Asked only of an asset that has damaged points at all. */
  async function damagedNewest({ asset, damagedPoints }: AssetState) {
    if (damagedPoints === 0) return null;
    const newest = (await catalog.points.list({ asset, limit: 1 })).items[0];
    return newest?.proof === 'damaged' ? { id: newest.id, takenAt: newest.takenAt } : null;
  }
}

/** By policy; what is paused has none. From the description its Schedule is made of: Temporal is not asked. */
function nextBackups(
  configuration: Configuration | null,
  pauses: ReadonlyMap<string, unknown>,
  now: Date,
): Map<string, string> {
  const running = configuration?.policies.filter(({ name }) => !pauses.has(name)) ?? [];
  return new Map(
    running.flatMap((policy) =>
      scheduledRunsOf(policy)
        .filter(({ kind }) => kind === 'backup')
        .map((run) => [policy.name, nextRun(run, now).toISOString()] as const),
    ),
  );
}

function factsOf(state: AssetState, policy: Policy | null, runs: Map<string, string>) {
  return {
    asset: state.asset,
    policy,
    newest: { stored: state.newest, verified: state.newestVerified, proven: state.newestProven },
    damagedCopies: state.damagedCopies,
    lastProvenAt: state.lastProvenAt,
    lastJob: state.lastJob,
    measuredSeconds: state.measuredSeconds,
    nextRunAt: runs.get(state.policy ?? '') ?? null,
  };
}

function worstOf(healths: Health[]): Health {
  const order: Health[] = ['critical', 'warning', 'unknown', 'ok'];
  return order.find((health) => healths.includes(health)) ?? 'unknown';
}

async function answers(ask: () => Promise<unknown>): Promise<boolean> {
  try {
    await ask();
    return true;
  } catch {
    // The answer to this very question.
    return false;
  }
}
