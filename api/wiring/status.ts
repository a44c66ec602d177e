import type { AssetState } from '../../catalog/index.ts';
import { nextRuns } from '../../schedules/next-runs.ts';
import type { Configuration } from '../../domain/configuration/types.ts';
import { assess, type Health } from '../../domain/objectives.ts';
import type { Services, StatusReport } from '../services.ts';
import { channelHealth } from './incidents.ts';
import type { Parts } from './parts.ts';

type StatusServices = Pick<Services, 'health' | 'status' | 'listAudit' | 'exportAudit' | 'verifyAudit'>;

export function statusServices({ catalog, temporal }: Parts): StatusServices {
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
      const names = configuration?.policies.map((policy) => policy.name) ?? [];
      const runs = await nextRuns(temporal, names);
      const now = new Date();
      const states = await catalog.status();
      const assets = await Promise.all(
        states.map(async (state) => ({
          ...assess(
            { ...factsOf(state, configuration, runs), damagedNewest: await damagedNewest(state) },
            now,
          ),
          backups: state.backups,
          copies: state.copies,
        })),
      );
      const worst = worstOf(assets.map((asset) => asset.health));
      return {
        assets,
        sites: [{ name: 'local', health: worst, reason: worst === 'ok' ? '' : 'see its assets' }],
        repositories: await repositoryHealth(),
        channels: await channelHealth(catalog, configuration),
        incidents: await catalog.incidents.count(),
      };
    },

    listAudit: (page) => catalog.audit.list(page),
    exportAudit: (actor) => exported(actor.name),
    verifyAudit: () => catalog.audit.verify(),
  };

  async function* exported(actor: string) {
    await catalog.as(actor).audit.append({ action: 'audit.exported', subject: 'audit', details: {} });
    yield* catalog.audit.stream();
  }

  /** Asked only of an asset that has damaged points at all. */
  async function damagedNewest({ asset, damagedPoints }: AssetState) {
    if (damagedPoints === 0) return null;
    const newest = (await catalog.points.list({ asset, limit: 1 })).items[0];
    return newest?.proof === 'damaged' ? { id: newest.id, takenAt: newest.takenAt } : null;
  }

  async function repositoryHealth(): Promise<StatusReport['repositories']> {
    const states = (await catalog.repositories.list()).filter((state) => !state.orphaned);
    return states.map((state) => {
      const { name, type } = state;
      if (state.needsRepair) {
        const reason = `damaged data was found at ${state.damage?.seenAt}; the next backup repairs it`;
        return { name, type, health: 'critical' as const, reason };
      }
      if (state.initialisedAt === null) {
        return { name, type, health: 'unknown' as const, reason: 'nothing was stored in it yet' };
      }
      return { name, type, health: 'ok' as const, reason: '' };
    });
  }
}

function factsOf(state: AssetState, configuration: Configuration | null, runs: Map<string, string>) {
  const policy = configuration?.policies.find((one) => one.name === state.policy) ?? null;
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
