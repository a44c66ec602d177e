import { randomUUID } from 'node:crypto';
import type { DrillRow } from '../../catalog/index.ts';
import { jobWorkflowId, startDrill } from '../../client/index.ts';
import { assetsOfDrill, drillOf } from '../../domain/drills/scope.ts';
import { asHoldfastError, HoldfastError } from '../../domain/errors.ts';
import { verdictOf } from '../../domain/evidence/outcome.ts';
import type { DrillItem, DrillServices } from '../drill-services.ts';
import type { Actor } from '../services.ts';
import type { Parts } from './parts.ts';

/** The key is claimed before the drill begins, the drill before its workflow: as with every job. */
export function drillServices({ catalog, temporal }: Parts): DrillServices {
  return {
    startDrill: async (actor, name, key) => {
      const own = randomUUID();
      const claimed = key
        ? await catalog.idempotency.claim(key.key, key.request, { kind: 'job', id: own })
        : null;
      const id = claimed?.id ?? own;
      const before = id === own ? null : await catalog.drills.find(id).catch(absent);
      const row = before ?? (await begun(actor, name, id));
      // Whoever asked first may have died before its workflow began; starting it twice is starting it once.
      if (row.endedAt === null) await start(actor, row);
      return { answer: itemOf(row), repeated: before !== null };
    },

    getDrill: async (id) => itemOf(await catalog.drills.find(id)),

    listDrills: async (filter, page) => {
      const { items, next } = await catalog.drills.list({ ...filter, ...page });
      return { items: items.map(itemOf), next };
    },
  };

  async function begun(actor: Actor, name: string, id: string): Promise<DrillRow> {
    const configuration = (await catalog.configurations.current())?.configuration ?? null;
    const drill = drillOf(configuration, name);
    const startedAt = new Date();
    return catalog.as(actor.name).drills.begin({
      job: {
        id,
        workflowId: jobWorkflowId('drill', name, startedAt),
        type: 'drill',
        policy: null,
        trigger: 'manual',
        startedAt: startedAt.toISOString(),
        assets: configuration ? assetsOfDrill(configuration, drill) : [],
      },
      drill: drill.name,
      scenario: drill.scenario,
      repository: drill.from,
    });
  }

  async function start(actor: Actor, { id, workflowId, drill }: DrillRow): Promise<void> {
    try {
      const asked = { drill, drillId: id, trigger: 'manual', actor: actor.name } as const;
      await startDrill(temporal, workflowId, asked);
    } catch (thrown) {
      const error = asHoldfastError(thrown, `starting ${workflowId} failed`);
      await catalog.jobs.end(id, { status: 'failed', error: error.toContract() });
      throw error;
    }
  }
}

function itemOf(row: DrillRow): DrillItem {
  const { id, scenario, workflowId, repository, status, outcome, startedAt, endedAt, record } = row;
  return {
    ...{ id, name: row.drill, scenario, workflowId, repository, status, outcome, startedAt, endedAt },
    rtoSeconds: row.rtoSeconds,
    rpoSeconds: row.rpoSeconds,
    assets: record?.assets ?? [],
    phases: record?.phases ?? [],
    evidence: row.evidence === '' ? null : row.evidence,
    reasons: record && outcome ? verdictOf(record).reasons : [],
  };
}

function absent(error: unknown): null {
  if (error instanceof HoldfastError && error.code === 'notFound') return null;
  throw error;
}
