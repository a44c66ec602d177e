// A drill in its clean room, with of all repositories only the copy it comes from. What the room is made of is the
// environment's own business.

import { drillOf } from '../../domain/drills/scope.ts';
import type { DrilledAsset, DrillRecord } from '../../domain/evidence/record.ts';
import { runStep } from '../activity-step.ts';
import type { DrillPlan, HostActivities } from '../contract.ts';
import { configurationOf, type Deployment } from '../deployment.ts';
import type { Step } from '../step.ts';
import { failureInPhase, openAsset, type AssetRoom, type OpenedAsset } from './drilled-asset.ts';
import type { DrillEnvironment } from './environment.ts';
import { keysFromKit, kitOfDrill } from './kit-drill.ts';
import { localProcesses } from './local-processes.ts';
import { phaseClock } from './phases.ts';
import { toolFacts } from './room-facts.ts';
import { smokeNotCarriedOut } from './smoke.ts';

export function createDrillSteps(deployment: Deployment): Pick<HostActivities, 'holdDrill' | 'clearDrill'> {
  const on = (plan: DrillPlan, step: string) => ({
    ...{ catalog: deployment.catalog, processes: deployment.processes, clock: deployment.clock },
    attempted: `${step} of drill ${plan.drill} failed`,
    key: `${plan.drillId}.drill`,
    job: { id: plan.drillId, asset: null, step: 'drill' },
  });
  return {
    holdDrill: (plan) =>
      runStep(on(plan, 'the clean room'), async (step) => {
        const environment = localProcesses(deployment, plan.drillId);
        await environment.endProcesses();
        return held(deployment, plan, environment, step);
      }),

    clearDrill: (plan) => runStep(on(plan, 'clearing up'), () => clearRoom(deployment, plan.drillId)),
  };
}

/** Of a drill that nobody holds any more, on the host it was held on. */
export async function clearRoom(
  deployment: Pick<Deployment, 'dataDir' | 'processes'>,
  drillId: string,
): Promise<void> {
  await deployment.processes.fenceOff(`${drillId}.drill`);
  await localProcesses(deployment, drillId).tearDown();
}

async function held(
  deployment: Deployment,
  plan: DrillPlan,
  environment: DrillEnvironment,
  step: Step,
): Promise<DrillRecord> {
  const { clock } = deployment;
  const configuration = await configurationOf(deployment, plan.configuration);
  const drill = drillOf(configuration, plan.drill);
  const phases = phaseClock(clock);
  const record = structuredClone(plan.record);
  const opened: OpenedAsset[] = [];
  try {
    const prepared = await phases.during('prepare', () => prepare(deployment, plan, environment, step));
    record.tools = prepared.tools;
    const { startedAt } = record;
    const { repository } = prepared;
    const kit = await phases.during('prepare', () => kitOfDrill(deployment, drill, environment, step));
    if (kit) record.keys = keysFromKit(kit, repository.name);
    const room: AssetRoom = {
      ...{ deployment, configuration, repository, environment },
      ...{ drillId: plan.drillId, startedAt, phases, kit },
    };
    for (const planned of record.assets) opened.push(await openAsset(planned, room, step));
    record.assets = opened.map(({ drilled }) => drilled);
    record.failures.push(...opened.flatMap(({ failure }) => failure ?? []));
    const missing = opened.filter(({ place }) => place === null).map(({ drilled }) => drilled.asset);
    if (missing.length > 0) {
      record.smoke = smokeNotCarriedOut(drill, `${missing.join(', ')} did not come back`);
    } else {
      const placed = opened.flatMap(({ drilled, place }) => (place ? [{ asset: drilled.asset, place }] : []));
      const order = { folder: configuration.folder, placed };
      const { checks, commands, reach } = await phases.during('smoke', () =>
        environment.use(drill, order, step),
      );
      record.smoke = checks;
      record.commands.push(...commands);
      record.production = record.production.map((proof) =>
        proof.method === 'notAccessible' ? { ...proof, why: `${proof.why}; ${reach}` } : proof,
      );
      record.measured = measuredBy(record, clock());
    }
  } catch (error) {
    if (step.signal.aborted) throw error;
    const phase = phases.phases().at(-1)?.name ?? 'prepare';
    record.failures.push(failureInPhase(phase, error, `drill ${plan.drill}`));
  } finally {
    const left = await phases.during('tearDown', () => tearDown(opened, environment));
    record.failures.push(...left.map((error) => failureInPhase('tearDown', error, `drill ${plan.drill}`)));
  }
  record.commands.unshift(...opened.flatMap(({ commands }) => commands));
  return { ...record, phases: phases.phases(), endedAt: clock().toISOString() };
}

/** Whatever the room needs is refused before anything is fetched. */
async function prepare(deployment: Deployment, plan: DrillPlan, environment: DrillEnvironment, step: Step) {
  const configuration = await configurationOf(deployment, plan.configuration);
  let needed = 0;
  for (const { point } of plan.record.assets) {
    if (point === null) continue;
    const { bytes, assetType } = await deployment.catalog.points.find(point.id);
    // A dump lies there beside the database that is made of it.
    needed += assetType === 'postgres' ? 2 * bytes : bytes;
  }
  await environment.prepare(needed, `drill ${plan.drill}`);
  const types = new Set(plan.record.assets.map(({ assetType }) => assetType));
  const repository = await deployment.openRepository(configuration, plan.repository);
  return { repository, tools: await toolFacts([...types], step) };
}

function measuredBy({ assets, startedAt, sampling }: DrillRecord, now: Date): DrillRecord['measured'] {
  const ages = assets.map(({ point }: DrilledAsset) => point?.ageSeconds ?? 0);
  return {
    rtoSeconds: Math.max(0, (now.getTime() - Date.parse(startedAt)) / 1000),
    rpoSeconds: sampling.rule === 'latest' ? Math.max(0, ...ages) : null,
  };
}

/** Every sandbox is ended, whatever the one before says; then the room goes. Returns what did not end well. */
async function tearDown(opened: readonly OpenedAsset[], environment: DrillEnvironment): Promise<unknown[]> {
  const ends = await Promise.allSettled(opened.map(({ close }) => close()));
  await environment.tearDown();
  return ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : []));
}
