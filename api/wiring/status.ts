import { assetFacts, objectiveStatus, oldestUnread } from '../../catalog/index.ts';
import type { Configuration } from '../../domain/configuration/types.ts';
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
      const assets = states.map((state) => {
        const name = state.policy ?? '';
        const figures = objectives.ofAsset(state.asset, state.policy);
        const { errorBudget, successRates } = figures;
        const { succeeded, failed } = successRates.backups.days30;
        const nextRunAt = runs.get(name) ?? null;
        return {
          ...assess(assetFacts(state, policies.get(name) ?? null, { errorBudget, nextRunAt }), now),
          ...figures,
          paused: pauses.get(name) ?? null,
          backups: { succeeded, failed },
          copies: state.copies,
        };
      });
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
