import { randomUUID } from 'node:crypto';
import type { DrillRow } from '../../catalog/index.ts';
import { jobWorkflowId, startDrill, startGameDay } from '../../client/index.ts';
import type { Drill } from '../../domain/configuration/drill-types.ts';
import { assetsOfDrill, drillOf, gameDayOf } from '../../domain/drills/scope.ts';
import { asHoldfastError, HoldfastError } from '../../domain/errors.ts';
import { statementIn } from '../../domain/evidence/files.ts';
import { verdictOf } from '../../domain/evidence/outcome.ts';
import type { DrillRecord } from '../../domain/evidence/record.ts';
import type { DrillItem, DrillRequest, DrillServices } from '../drill-services.ts';
import type { Actor } from '../services.ts';
import type { Parts } from './parts.ts';

/** The key is claimed before the drill begins, the drill before its workflow: as with every job. */
export function drillServices({ catalog, temporal }: Parts): DrillServices {
  return {
    startDrill: async (actor, request, key) => {
      const own = randomUUID();
      const claimed = key
        ? await catalog.idempotency.claim(key.key, key.request, { kind: 'job', id: own })
        : null;
      const id = claimed?.id ?? own;
      const before = id === own ? null : await catalog.drills.find(id).catch(absent);
      const row = before ?? (await begun(actor, request, id));
      // Whoever asked first may have died before its workflow began; starting it twice is starting it once.
      if (row.endedAt === null) await start(actor, row);
      return { answer: itemOf(row), repeated: before !== null };
    },

    approveDrill: async (actor, id, note) => {
      const row = await catalog.drills.find(id);
      if (row.evidenceSequence === null) throw nothingToApprove(row);
      const { envelope } = await catalog.evidence.find(row.id);
      const { record } = statementIn(envelope).predicate;
      if (record.operator === actor.name && (await asksForFourEyes(record))) throw ownDrill(row, actor.name);
      await catalog.as(actor.name).evidence.approve(row.id, note);
      return itemOf(await catalog.drills.find(row.id));
    },

    getDrill: async (id) => itemOf(await catalog.drills.find(id)),

    listDrills: async (filter, page) => {
      const { items, next } = await catalog.drills.list({ ...filter, ...page });
      return { items: items.map(itemOf), next };
    },
  };

  async function begun(actor: Actor, request: DrillRequest, id: string): Promise<DrillRow> {
    const configuration = (await catalog.configurations.current())?.configuration ?? null;
    const drill = drillOf(configuration, request.drill);
    const { gameDay } = request;
    if (gameDay) refuseUnconfirmed(drill, request.confirm);
    const startedAt = new Date();
    return catalog.as(actor.name).drills.begin({
      job: {
        id,
        workflowId: jobWorkflowId(gameDay ? 'game-day' : 'drill', drill.name, startedAt),
        type: 'drill',
        policy: null,
        trigger: 'manual',
        startedAt: startedAt.toISOString(),
        assets: configuration ? assetsOfDrill(configuration, drill) : [],
      },
      drill: drill.name,
      scenario: drill.scenario,
      repository: drill.from,
      gameDay,
    });
  }

  /** By the configuration it was begun with; where that is gone, the stricter is taken. */
  async function asksForFourEyes({ configuration: { digest }, drill }: DrillRecord): Promise<boolean> {
    const found = await catalog.configurations.find(digest).catch(absent);
    const begunWith = found?.configuration.drills?.find(({ name }) => name === drill.name);
    return begunWith === undefined || begunWith.fourEyes === true;
  }

  async function start(actor: Actor, { id, workflowId, drill, gameDay }: DrillRow): Promise<void> {
    try {
      const asked = { drill, drillId: id, actor: actor.name };
      if (gameDay) await startGameDay(temporal, workflowId, asked);
      else await startDrill(temporal, workflowId, { ...asked, trigger: 'manual' });
    } catch (thrown) {
      const error = asHoldfastError(thrown, `starting ${workflowId} failed`);
      await catalog.jobs.end(id, { status: 'failed', error: error.toContract() });
      throw error;
    }
  }
}

function refuseUnconfirmed(drill: Drill, confirm: string | null): void {
  const { takeDown } = gameDayOf(drill);
  if (confirm === drill.name) return;
  const commands = takeDown.map((command) => command.join(' ')).join('; ');
  throw new HoldfastError({
    code: 'confirmation.missing',
    message: `game day ${drill.name} was not begun: it takes the service down for real`,
    cause: `it runs ${commands}, and restores from ${drill.from} in place; ${confirm === null ? 'nobody confirmed that' : `what was confirmed is ${confirm}`}`,
    hint: `if that is meant, run it with --yes-destroy ${drill.name}`,
  });
}

function itemOf(row: DrillRow): DrillItem {
  const { id, scenario, workflowId, repository, status, outcome, startedAt, endedAt, record } = row;
  return {
    ...{ id, name: row.drill, scenario, workflowId, repository, status, outcome, startedAt, endedAt },
    rtoSeconds: row.rtoSeconds,
    rpoSeconds: row.rpoSeconds,
    assets: record?.assets ?? [],
    gameDay: row.gameDay,
    phases: record?.phases ?? [],
    timeline: record?.timeline ?? [],
    evidence: row.evidence === '' ? null : row.evidence,
    reasons: record && outcome ? verdictOf(record).reasons : [],
    actions: record?.actions ?? [],
    retests: record?.drill.retests ?? [],
    retestedBy: row.retestedBy,
    operator: record?.operator ?? null,
    approval: row.approval,
  };
}

function nothingToApprove({ id, status }: DrillRow): HoldfastError {
  return new HoldfastError({
    code: 'request.conflict',
    message: `drill ${id} was not signed off`,
    cause: `it is ${status} and has no evidence`,
    hint: 'sign it off when it has ended; one that was cancelled leaves nothing to sign off',
  });
}

function ownDrill({ id, drill }: DrillRow, name: string): HoldfastError {
  return new HoldfastError({
    code: 'confirmation.missing',
    message: `drill ${id} was not signed off`,
    cause: `${name} ran it, and ${drill} asks for four eyes`,
    hint: 'have somebody else sign it off, with a token in their own name',
  });
}

function absent(error: unknown): null {
  if (error instanceof HoldfastError && error.code === 'notFound') return null;
  throw error;
}
