import { ApplicationFailure } from '@temporalio/common';
import { CancellationScope, executeChild, isCancellation, setHandler, uuid4 } from '@temporalio/workflow';
import type { DrillPlan } from '../activities/contract.ts';
import {
  gameDayRecord,
  playedNothing,
  withSafetyPoints,
  type PlayedGameDay,
} from '../domain/drills/game-day.ts';
import { formatDuration } from '../domain/duration.ts';
import type { DrilledAsset } from '../domain/evidence/record.ts';
import type { Failure, JobStatus } from '../domain/job.ts';
import { drillEnds } from './drill-ends.ts';
import { leaseHolder, type LeaseHolder } from './lease-holder.ts';
import { phase, type GameDayInput } from './messages.ts';
import type { restore } from './restore.ts';
import { commandSteps, controlSteps, failureOf, longSteps } from './steps.ts';

/**
 * The simulated outage: a service that is well is taken down for real and brought back from one copy, through the
 * ordinary restore. Before anything is taken down every asset has a proven point there and a safety point of now.
 * From the take-down on nobody cancels it: whatever fails, everything else is brought back.
 */
export async function gameDay(input: GameDayInput): Promise<{ drillId: string; status: JobStatus }> {
  const ends = drillEnds(input.drill, input.drillId, input.actor);
  const leases = leaseHolder({ jobId: input.drillId });
  const played = playedNothing();
  setHandler(phase, () => {
    const waitsFor = leases.waitsFor();
    const last = played.timeline.at(-1)?.what ?? 'choosing points';
    return waitsFor === null ? last : `waiting for ${waitsFor}`;
  });
  const signed = (plan: DrillPlan) => {
    played.endedAt = now();
    return ends.signed(plan, gameDayRecord(plan.record, played));
  };

  const plan = await ends.begin({ trigger: 'manual', dueAt: null, gameDay: true });
  try {
    await beforehand(leases, plan, played);
  } catch (error) {
    if (isCancellation(error) || CancellationScope.current().consideredCancelled) return ends.cancelled(plan);
    fail(played, 'prepare', null, failureOf(error));
    return signed(plan);
  }
  if (CancellationScope.current().consideredCancelled) return ends.cancelled(plan);
  return CancellationScope.nonCancellable(async () => {
    const downAt = await takenDown(plan, played);
    if (downAt !== null) {
      await noticed(plan, played, downAt);
      for (const asset of plan.record.assets) await broughtBack(plan, played, asset, downAt);
      await wellAgain(plan, played, downAt);
    }
    return signed(plan);
  });
}

/** Throws where the game day must not begin. Nothing was touched then. */
async function beforehand(leases: LeaseHolder, plan: DrillPlan, played: PlayedGameDay): Promise<void> {
  const steps = longSteps(plan.hostQueue, `${plan.drill}: beforehand`);
  const before = await during(played, 'prepare', () =>
    steps.watchService({ plan, until: 'well', since: now(), seconds: 0 }),
  );
  if (!before.seen) throw notBegun('health.failed', plan.drill, before.words);
  tell(played, null, 'the service is well', before.at);
  await during(played, 'safety', () =>
    leases.hold([plan.repository], 'shared', async (fences) => {
      for (const { asset } of plan.record.assets) {
        const point = await steps.takeGameDayPoint({ plan, asset, safetyPoint: uuid4(), fences });
        if (point === null)
          throw notBegun('source.missing', plan.drill, `nothing is there of ${asset}, so it cannot be kept`);
        played.safetyPoints.push({ asset, point });
        tell(played, asset, `kept as safety point ${point}`);
      }
    }),
  );
}

/**
 * Since when it is down; null: it is not, after all. From when it was asked for: what an attempt whose worker died took
 * down is away since then.
 */
async function takenDown(plan: DrillPlan, played: PlayedGameDay): Promise<string | null> {
  const downAt = now();
  const down = await during(played, 'takeDown', () =>
    commandSteps(plan.hostQueue, `${plan.drill}: taking down`)
      .takeDown(plan)
      .catch((error: unknown) => ({
        ...{ failure: failureOf(error), interrupted: true, endedAt: now() },
        ...{ commands: [], tools: [] },
      })),
  );
  played.commands.push(...down.commands);
  played.tools.push(...down.tools);
  if (down.failure) {
    fail(played, 'takeDown', null, down.failure);
    // Half of it may be gone before the watch sees anything: it is believed only where no command went through.
    const touched = down.interrupted || down.commands.some(({ exitCode }) => exitCode === 0);
    const still = await watch(plan, played, { until: 'well', since: now(), seconds: 0 });
    if (still?.seen && !touched) {
      const words = 'its take-down failed before any of it was done, and the watch finds the service well';
      tell(played, null, `${words}: nothing is restored`);
      return null;
    }
  }
  played.takenDownAt = downAt;
  tell(played, null, 'taken down', down.endedAt);
  for (const { asset, point } of plan.record.assets)
    if (point)
      tell(
        played,
        asset,
        `lost: what was written in the ${sinceWords(point.takenAt, downAt)} since ${point.takenAt}`,
      );
  return downAt;
}

async function noticed(plan: DrillPlan, played: PlayedGameDay, downAt: string): Promise<void> {
  const { noticeSeconds = 0 } = plan.gameDay ?? {};
  const seen = await during(played, 'notice', () =>
    watch(plan, played, { until: 'away', since: downAt, seconds: noticeSeconds }),
  );
  if (seen?.seen) {
    played.noticedAt = seen.at;
    tell(played, null, `noticed ${sinceWords(downAt, seen.at)} after: ${seen.words}`, seen.at);
    return;
  }
  fail(played, 'notice', null, {
    code: 'health.failed',
    message: `the outage was not noticed within ${formatDuration(noticeSeconds)}`,
    cause: 'the watch found the service well all the time',
    hint: 'watch something that needs the data; what was taken down is brought back all the same',
  });
}

/** One that fails does not stop the others. */
async function broughtBack(
  plan: DrillPlan,
  played: PlayedGameDay,
  { asset, point }: DrilledAsset,
  downAt: string,
): Promise<void> {
  if (point === null) return;
  let restoreId = '';
  try {
    await during(played, 'restore', async () => {
      restoreId = await controlSteps(asset).orderRestore({ plan, asset, point: point.id });
      tell(played, asset, `restore ${restoreId} from ${plan.repository} begins`);
      const { status, error, validation, integrity } = await executeChild<typeof restore>('restore', {
        workflowId: `restore/${restoreId}`,
        // Whoever terminates the game day must not stop a swap half-way.
        parentClosePolicy: 'ABANDON',
        args: [
          {
            ...{ restoreId, asset, point: point.id, from: plan.repository, actor: plan.actor },
            // Where a worker that does not know `commitAtOnce` has it, it waits for a person.
            ...{ time: null, include: [], to: null, expirySeconds: 86_400, commitAtOnce: true },
            hostQueue: plan.hostQueue,
          },
        ],
      });
      const backAt = status === 'completed' ? now() : null;
      const checks = validation?.checks ?? [];
      played.restored.push({ asset, restoreId, backAt, checks, integrity: integrity ?? null });
      if (backAt) tell(played, asset, `back ${sinceWords(downAt, backAt)} after the take-down`, backAt);
      else fail(played, 'restore', asset, error ?? notBack(asset, restoreId, status));
    });
  } catch (error) {
    const failure = failureOf(error);
    const hint = restoreId === '' ? failure.hint : `look at \`holdfast restore show ${restoreId}\``;
    fail(played, 'restore', asset, { ...failure, hint });
  }
}

async function wellAgain(plan: DrillPlan, played: PlayedGameDay, downAt: string): Promise<void> {
  const { backSeconds = 0 } = plan.gameDay ?? {};
  const seen = await during(played, 'back', () =>
    watch(plan, played, { until: 'well', since: now(), seconds: backSeconds }),
  );
  if (seen?.seen) {
    played.backAt = seen.at;
    tell(
      played,
      null,
      `the service is well again, ${sinceWords(downAt, seen.at)} after it was taken down`,
      seen.at,
    );
    return;
  }
  fail(played, 'back', null, {
    code: 'health.failed',
    message: `the service is not well ${formatDuration(backSeconds)} after the last restore`,
    cause: seen?.words ?? 'the watch could not be asked',
    hint: 'look at what starts it (restore.start of its assets) and at its log',
  });
}

/** null: it could not be asked. */
async function watch(
  plan: DrillPlan,
  played: PlayedGameDay,
  wanted: { until: 'well' | 'away'; since: string; seconds: number },
) {
  try {
    return await longSteps(plan.hostQueue, `${plan.drill}: the watch`).watchService({ plan, ...wanted });
  } catch (error) {
    fail(played, 'watch', null, failureOf(error));
    return null;
  }
}

function notBegun(code: 'health.failed' | 'source.missing', drill: string, cause: string) {
  const message = `game day ${drill} was not begun: not everything is well beforehand`;
  return ApplicationFailure.nonRetryable(message, code, {
    ...{ code, message, cause },
    hint: 'nothing was taken down; set right what is named, or what watches it, then try again',
  } satisfies Failure);
}

function notBack(asset: string, restoreId: string, status: string): Failure {
  return {
    code: 'proof.failed',
    message: `restore ${restoreId} of ${asset} ended ${status}`,
    cause: 'somebody or something ended it before it was done',
    hint: `look at \`holdfast restore show ${restoreId}\``,
  };
}

async function during<T>(played: PlayedGameDay, name: string, work: () => Promise<T>): Promise<T> {
  const startedAt = now();
  try {
    return await work();
  } finally {
    const seconds = (Date.now() - Date.parse(startedAt)) / 1000;
    const before = played.phases.find((one) => one.name === name);
    if (before) before.seconds += seconds;
    else played.phases.push({ name, startedAt, seconds });
  }
}

function tell(played: PlayedGameDay, asset: string | null, what: string, at = now()): void {
  played.timeline.push({ at, asset, what });
}

function fail(played: PlayedGameDay, phase: string, asset: string | null, failure: Failure): void {
  const { code, message, cause, hint } = withSafetyPoints(failure, played);
  played.failures.push({ asset, phase, code, message, cause, hint });
  tell(played, asset, `failed in ${phase}: ${message}`);
}

function sinceWords(from: string, to: string): string {
  return formatDuration(Math.max(0, Math.round((Date.parse(to) - Date.parse(from)) / 1000)));
}

function now(): string {
  return new Date().toISOString();
}
