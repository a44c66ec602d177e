// A drill in its clean room: a folder of its own, scratch servers on the loopback address, and of all repositories
// only the copy it comes from. The room lives within one attempt: whoever dies takes nothing along, and the next
// attempt begins with an empty one.

import { mkdir, rm } from 'node:fs/promises';
import { drillOf } from '../../domain/drills/scope.ts';
import type { DrilledAsset, DrillRecord } from '../../domain/evidence/record.ts';
import { runStep } from '../activity-step.ts';
import type { DrillPlan, HostActivities } from '../contract.ts';
import { configurationOf, folders, type Deployment } from '../deployment.ts';
import { expectRoom } from '../guards/free-space.ts';
import type { Step } from '../step.ts';
import { failureInPhase, openAsset, type AssetRoom, type OpenedAsset } from './drilled-asset.ts';
import { keysFromKit, kitOfDrill } from './kit-drill.ts';
import { phaseClock } from './phases.ts';
import { toolFacts } from './room-facts.ts';
import { runSmoke, smokeNotCarriedOut, type SmokeRoom } from './smoke.ts';

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
        await endProcesses(deployment, plan);
        return held(deployment, plan, step);
      }),

    clearDrill: (plan) =>
      runStep(on(plan, 'clearing up'), async () => {
        await deployment.processes.fenceOff(`${plan.drillId}.drill`);
        await endProcesses(deployment, plan);
        await rm(roomOf(deployment, plan), { recursive: true, force: true });
      }),
  };
}

function roomOf({ dataDir }: Deployment, { drillId }: DrillPlan): string {
  return folders.scratch(dataDir, `${drillId}.drill`);
}

function keysOf({ drillId }: DrillPlan): Pick<SmokeRoom, 'appKey' | 'testKey'> {
  return { appKey: `${drillId}.drill.app`, testKey: `${drillId}.drill.smoke` };
}

async function endProcesses({ processes }: Deployment, plan: DrillPlan): Promise<void> {
  for (const key of Object.values(keysOf(plan))) await processes.fenceOff(key);
}

async function held(deployment: Deployment, plan: DrillPlan, step: Step): Promise<DrillRecord> {
  const { clock } = deployment;
  const configuration = await configurationOf(deployment, plan.configuration);
  const drill = drillOf(configuration, plan.drill);
  const folder = roomOf(deployment, plan);
  const phases = phaseClock(clock);
  const record = structuredClone(plan.record);
  const opened: OpenedAsset[] = [];
  try {
    const prepared = await phases.during('prepare', () => prepare(deployment, plan, folder, step));
    record.tools = prepared.tools;
    const { startedAt } = record;
    const { repository } = prepared;
    const kit = await phases.during('prepare', () => kitOfDrill(deployment, drill, folder, step));
    if (kit) record.keys = keysFromKit(kit, repository.name);
    const room: AssetRoom = {
      deployment,
      configuration,
      repository,
      drillId: plan.drillId,
      folder,
      startedAt,
      phases,
      kit,
    };
    for (const planned of record.assets) opened.push(await openAsset(planned, room, step));
    record.assets = opened.map(({ drilled }) => drilled);
    record.failures.push(...opened.flatMap(({ failure }) => failure ?? []));
    const missing = opened.filter(({ place }) => place === null).map(({ drilled }) => drilled.asset);
    const smokeRoom: SmokeRoom = {
      ...{ folder: configuration.folder, processes: deployment.processes, ...keysOf(plan) },
      env: { HOLDFAST_DRILL_DIR: folder, ...places(opened) },
    };
    if (missing.length > 0) {
      record.smoke = smokeNotCarriedOut(drill, `${missing.join(', ')} did not come back`);
    } else {
      const { checks, commands } = await phases.during('smoke', () => runSmoke(drill, smokeRoom, step));
      record.smoke = checks;
      record.commands.push(...commands);
      record.measured = measuredBy(record, clock());
    }
  } catch (error) {
    if (step.signal.aborted) throw error;
    const phase = phases.phases().at(-1)?.name ?? 'prepare';
    record.failures.push(failureInPhase(phase, error, `drill ${plan.drill}`));
  } finally {
    const left = await phases.during('tearDown', () => tearDown(opened, folder));
    record.failures.push(...left.map((error) => failureInPhase('tearDown', error, `drill ${plan.drill}`)));
  }
  record.commands.unshift(...opened.flatMap(({ commands }) => commands));
  return { ...record, phases: phases.phases(), endedAt: clock().toISOString() };
}

/** Whatever the room needs is refused before anything is fetched. */
async function prepare(deployment: Deployment, plan: DrillPlan, folder: string, step: Step) {
  const configuration = await configurationOf(deployment, plan.configuration);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  let needed = 0;
  for (const { point } of plan.record.assets) {
    if (point === null) continue;
    const { bytes, assetType } = await deployment.catalog.points.find(point.id);
    // A dump lies there beside the database that is made of it.
    needed += assetType === 'postgres' ? 2 * bytes : bytes;
  }
  const place = { path: folder, code: 'staging.full', name: 'the clean room' } as const;
  await expectRoom(place, needed, `drill ${plan.drill}`);
  const types = new Set(plan.record.assets.map(({ assetType }) => assetType));
  const repository = await deployment.openRepository(configuration, plan.repository);
  return { repository, tools: await toolFacts([...types], step) };
}

/** `HOLDFAST_DRILL_ORDERS_URL`, `HOLDFAST_DRILL_UPLOADS_PATH`. */
function places(opened: readonly OpenedAsset[]): Record<string, string> {
  return Object.fromEntries(
    opened.flatMap(({ drilled, place }) => {
      if (place === null) return [];
      const name = `HOLDFAST_DRILL_${drilled.asset.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`;
      return [place.kind === 'url' ? [`${name}_URL`, place.url] : [`${name}_PATH`, place.path]];
    }),
  );
}

function measuredBy({ assets, startedAt, sampling }: DrillRecord, now: Date): DrillRecord['measured'] {
  const ages = assets.map(({ point }: DrilledAsset) => point?.ageSeconds ?? 0);
  return {
    rtoSeconds: Math.max(0, (now.getTime() - Date.parse(startedAt)) / 1000),
    rpoSeconds: sampling.rule === 'latest' ? Math.max(0, ...ages) : null,
  };
}

/** Every sandbox is ended, whatever the one before says; then the room goes. Returns what did not end well. */
async function tearDown(opened: readonly OpenedAsset[], folder: string): Promise<unknown[]> {
  const ends = await Promise.allSettled(opened.map(({ close }) => close()));
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  return ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : []));
}
