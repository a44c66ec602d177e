// The clean room of processes on this host: a folder of its own, scratch servers on the loopback address, and, where
// Holdfast runs as root, an account of its own for what is the user's. It lives within one attempt: whoever dies takes
// nothing along, and the next attempt begins with an empty one.

import { mkdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import packageFile from '../../package.json' with { type: 'json' };
import { notCarriedOut } from '../../domain/drills/plan.ts';
import { variableOf } from '../../domain/drills/variables.ts';
import type { DrillCheck, DrillRecord } from '../../domain/evidence/record.ts';
import { folders, type Deployment } from '../deployment.ts';
import { expectRoom, whileThereIsRoom } from '../guards/free-space.ts';
import type { DrillEnvironment, UseOrder } from './environment.ts';
import { enterRoom, reachOf, type Entered } from './room-account.ts';
import { endRoomProcesses } from './room-processes.ts';
import { runSmoke, type SmokeRoom } from './smoke.ts';

export function environmentFacts(): DrillRecord['environment'] {
  return {
    kind: 'localProcesses',
    host: hostname(),
    platform: `${process.platform} ${process.arch}`,
    holdfast: packageFile.version,
  };
}

export function localProcesses(
  { dataDir, processes }: Pick<Deployment, 'dataDir' | 'processes'>,
  drillId: string,
): DrillEnvironment {
  const folder = folders.scratch(dataDir, `${drillId}.drill`);
  const room = { path: folder, code: 'staging.full', name: 'the clean room' } as const;
  const keys: Pick<SmokeRoom, 'appKey' | 'testKey'> = {
    appKey: `${drillId}.drill.app`,
    testKey: `${drillId}.drill.smoke`,
  };
  const endProcesses = async () => {
    for (const key of Object.values(keys)) await processes.fenceOff(key);
    await endRoomProcesses(folder);
  };

  const ownFolder = join(folder, '.holdfast');

  return {
    ...{ endProcesses, ownFolder },

    prepare: async (neededBytes, attempted) => {
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await expectRoom(room, neededBytes, attempted);
    },

    placeFor: async (asset) => {
      const own = join(folder, asset);
      const workspace = { staging: join(own, 'staging'), scratch: join(own, 'work') };
      for (const place of Object.values(workspace)) await mkdir(place, { recursive: true, mode: 0o700 });
      return { restored: join(own, 'restored'), workspace };
    },

    whileThereIsRoom: (step, attempted, work) => whileThereIsRoom([room], step, attempted, work),

    use: async (drill, { folder: origin, placed }, step) => {
      if (drill.start === null && drill.smoke.length === 0)
        return { checks: [], commands: [], reach: 'nothing of the user’s own ran there' };
      await rm(ownFolder, { recursive: true, force: true });
      const paths = placed.flatMap(({ place }) => (place.kind === 'path' ? [place.path] : []));
      const entered = await enterRoom({ dataDir, drillId, folder, origin, paths }, step);
      const env = { HOLDFAST_DRILL_DIR: folder, ...variables(placed) };
      const smoked = await runSmoke(
        drill,
        { folder: origin, processes, ...keys, env, account: entered.account, endProcesses },
        step,
      );
      return { ...smoked, checks: [...smoked.checks, ...notApart(entered)], reach: reachOf(entered) };
    },

    tearDown: async () => {
      await endProcesses();
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** What ran as root was apart from nothing: such a drill shows less than one that passes. */
function notApart({ because }: Entered): DrillCheck[] {
  return because === null ? [] : [notCarriedOut('the clean room is apart', because)];
}

/** `HOLDFAST_DRILL_ORDERS_URL`, `HOLDFAST_DRILL_UPLOADS_PATH`. */
function variables(placed: UseOrder['placed']): Record<string, string> {
  return Object.fromEntries(
    placed.map(({ asset, place }) =>
      place.kind === 'url'
        ? [`${variableOf(asset)}_URL`, place.url]
        : [`${variableOf(asset)}_PATH`, place.path],
    ),
  );
}
