// One asset of a drill: restored from the copy, compared with what its backup noted, and kept open for the smoke
// tests. Whatever goes wrong with it is its own; the others go on.

import type { Configuration } from '../../domain/configuration/types.ts';
import { asHoldfastError } from '../../domain/errors.ts';
import type { DrillCommand, DrilledAsset, DrillFailure } from '../../domain/evidence/record.ts';
import type { ProofReport } from '../../domain/recovery-point.ts';
import { assetOf, type Deployment } from '../deployment.ts';
import { copyIn, restoreParts } from '../proof-steps.ts';
import { recordDuration } from '../record-duration.ts';
import type { Repository } from '../repositories/repository.ts';
import { integrityOf } from '../sources/integrity.ts';
import type { Rehearsed, UseRehearsed } from '../sources/source.ts';
import type { Step } from '../step.ts';
import type { OpenedKit } from '../kit/opened-kit.ts';
import type { DrillEnvironment } from './environment.ts';
import { restoreBySheet, type BySheet } from './kit-drill.ts';
import type { PhaseClock } from './phases.ts';

export interface AssetRoom {
  deployment: Deployment;
  configuration: Configuration;
  repository: Repository;
  environment: DrillEnvironment;
  drillId: string;
  /** Of the whole drill. */
  startedAt: string;
  phases: PhaseClock;
  /** Its key and its commands are used instead of the configuration's; null: it is a drill without one. */
  kit: OpenedKit | null;
}

export interface OpenedAsset {
  drilled: DrilledAsset;
  failure: DrillFailure | null;
  commands: DrillCommand[];
  /** Where it is until it is closed; null: it did not come so far. */
  place: Rehearsed['place'] | null;
  /** Ends its sandbox. */
  close(): Promise<void>;
}

export async function openAsset(planned: DrilledAsset, room: AssetRoom, step: Step): Promise<OpenedAsset> {
  const commands: DrillCommand[] = [];
  const own: Step = {
    ...step,
    ran: ({ tool, args, exitCode, seconds }) =>
      commands.push({ asset: planned.asset, tool, arguments: [...args], exitCode, seconds }),
  };
  const opened: OpenedAsset = {
    ...{ drilled: planned, failure: null, commands, place: null },
    close: async () => undefined,
  };
  // Its verdict says so by itself.
  if (planned.point === null) return opened;
  let phase = 'restore';
  try {
    await room.environment.whileThereIsRoom(own, `drill of ${planned.asset}`, async (watched) => {
      const rehearsal = await restoreAndRehearse(planned, room, { ...watched, ran: own.ran! }, () => {
        phase = 'integrity';
      });
      Object.assign(opened, rehearsal);
    });
  } catch (error) {
    if (step.signal.aborted) throw error;
    const { code, message, cause, hint } = asHoldfastError(error, `drill of ${planned.asset}`);
    step.say('error', `${planned.asset}: ${message}: ${cause}`);
    opened.failure = { asset: planned.asset, phase, code, message, cause, hint };
  }
  return opened;
}

async function restoreAndRehearse(
  planned: DrilledAsset,
  room: AssetRoom,
  step: Step,
  restoredNow: () => void,
): Promise<Pick<OpenedAsset, 'drilled' | 'place' | 'close'>> {
  const { deployment, configuration, repository, drillId, phases } = room;
  const { catalog } = deployment;
  const asset = assetOf(configuration, planned.asset);
  const fence = await catalog.jobs.takeFence(drillId, asset.name);
  await catalog.jobs.setAsset(drillId, asset.name, { status: 'running' }, fence);
  const point = await catalog.points.find(planned.point?.id ?? '');
  const copy = copyIn(point, repository.name);
  const began = deployment.clock().getTime();
  const place = await room.environment.placeFor(asset.name);
  step.say(
    'info',
    `restoring ${asset.name} from ${repository.name}: point ${point.id}, taken ${point.takenAt}`,
  );
  const { kit } = room;
  const { restored, placed } = await phases.during('restore', async (): Promise<BySheet> => {
    if (kit) return restoreBySheet(kit, { point, repository: repository.name }, place.restored, step);
    const parts = await restoreParts(deployment, repository, point, copy, place.restored, [], step);
    return { restored: parts, placed: async () => [] };
  });
  restoredNow();
  const source = deployment.sourceOf(asset);
  const rehearsal = await phases.during('integrity', () =>
    keptOpen((use) =>
      source.rehearse(asset, restored, point.manifest, place.workspace, step, async (rehearsed) => {
        const checks = [...rehearsed.report.checks, ...(await placed(rehearsed))];
        await use({ ...rehearsed, report: { ok: checks.every(({ ok }) => ok), checks } });
      }),
    ),
  );
  const { report, seen, close } = rehearsal;
  for (const { ok, name, detail } of report.checks) step.say(ok ? 'info' : 'error', `${name}: ${detail}`);
  const now = deployment.clock();
  if (report.ok) {
    const provenAt = now.toISOString();
    await catalog.points.markCopy(point.id, repository.name, { verifiedAt: provenAt, provenAt }, fence);
    const measured = { run: drillId, asset: asset.name, step: 'rehearse', bytes: point.bytes } as const;
    await recordDuration(deployment, measured, began);
  }
  await catalog.objectives.recordRehearsal(fence, report.ok);
  const achieved = (now.getTime() - Date.parse(room.startedAt)) / 1000;
  return {
    close,
    place: seen?.place ?? null,
    drilled: {
      ...planned,
      restored: true,
      rto: { ...planned.rto, achievedSeconds: Math.max(0, achieved) },
      integrity: seen && integrityOf(seen),
      checks: report.checks.map(({ name, ok, detail }) => ({ name, ok, detail: detail.slice(0, 10_000) })),
    },
  };
}

interface KeptOpen {
  report: ProofReport;
  /** null: it could not be opened at all. */
  seen: Rehearsed | null;
  close(): Promise<void>;
}

/** Returns when the rehearsal has its report, and keeps its sandbox until it is closed. */
async function keptOpen(rehearse: (use: UseRehearsed) => Promise<ProofReport>): Promise<KeptOpen> {
  let closeIt: () => void = () => undefined;
  const closed = new Promise<void>((resolve) => {
    closeIt = resolve;
  });
  let ended: Promise<ProofReport> = Promise.resolve({ ok: false, checks: [] });
  const seen = await new Promise<Rehearsed | null>((resolve, reject) => {
    ended = rehearse(async (rehearsed) => {
      resolve(rehearsed);
      await closed;
    });
    ended.then(() => resolve(null), reject);
  });
  const close = async () => {
    closeIt();
    await ended;
  };
  return { report: seen?.report ?? (await ended), seen, close };
}

/** Of a drill that could not begin in its room. */
export function failureInPhase(phase: string, error: unknown, attempted: string): DrillFailure {
  const { code, message, cause, hint } = asHoldfastError(error, attempted);
  return { asset: null, phase, code, message, cause, hint };
}
