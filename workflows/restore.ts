import { ApplicationFailure } from '@temporalio/common';
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  isCancellation,
  patched,
  setHandler,
} from '@temporalio/workflow';
import type { RestorePlan, RestoreStatusChange } from '../activities/contract.ts';
import type { DrillIntegrity } from '../domain/evidence/record.ts';
import type { Failure } from '../domain/job.ts';
import type { ProofReport } from '../domain/recovery-point.ts';
import { isFinal, type RestoreStatus } from '../domain/restore.ts';
import { leaseHolder, type LeaseHolder } from './lease-holder.ts';
import { cancel, commit, phase, type RestoreInput } from './messages.ts';
import { beginRestore, stageFromAnyCopy, whereFrom, withUnread, type ChosenCopy } from './restore-copies.ts';
import { keepWhatIsThere } from './safety-point.ts';
import { labelRestore } from './search-attributes.ts';
import { commandSteps, controlSteps, failureOf, longSteps, quickSteps } from './steps.ts';

/**
 * A restore in two halves. Prepare brings the data into staging, validates it and says what a commit would
 * change, touching nothing of the target. Commit keeps today's state as a safety point, swaps, asks the
 * health checks and rolls back when they fail. Law 7: cancelled, expired or crashed before the commit, the
 * target is byte for byte what it was; after it, the restore ends healthy or rolled back.
 */
export async function restore(input: RestoreInput): Promise<RestoreResult> {
  let status: RestoreStatus = 'preparing';
  let decision: 'commit' | 'cancel' | undefined;
  let dropping = false;
  const told: Partial<RestoreStatusChange> & Pick<RestoreResult, 'integrity'> = {};
  const leases = leaseHolder({ jobId: null, urgent: true, unleased: !patched('lease') });
  const control = controlSteps(input.asset);
  const become = async (
    next: RestoreStatus,
    facts: Partial<Parameters<typeof control.restoreStatus>[0]> = {},
  ) => {
    await control.restoreStatus({ restoreId: input.restoreId, status: next, ...facts });
    status = next;
    Object.assign(told, facts);
    labelRestore(input.asset, next);
  };

  setHandler(phase, () => {
    const waitsFor = leases.waitsFor();
    return waitsFor === null ? status : `${status}, waiting for ${waitsFor}`;
  });
  setHandler(
    commit,
    () => {
      decision = 'commit';
    },
    {
      validator: () => {
        if (status !== 'prepared' || decision || dropping) {
          throw wrongState(input.restoreId, 'commit', decision, dropping ? 'being dropped' : status);
        }
      },
    },
  );
  const preparing = new CancellationScope();
  setHandler(
    cancel,
    () => {
      decision = 'cancel';
      preparing.cancel();
    },
    {
      validator: () => {
        if (decision === 'commit' || isFinal(status)) {
          throw wrongState(input.restoreId, 'cancel', decision, status);
        }
      },
    },
  );

  const first = await beginOrFail(input, become);
  if (!first) return { status, ...(input.commitAtOnce && { error: told.error ?? null }) };
  const chosen: ChosenCopy = { plan: first, unread: [] };
  // While it is being dropped it is still `prepared` for a moment: a commit must not be accepted any more.
  const dropAs = (final: RestoreStatus, failure: Failure | null) => {
    dropping = true;
    return CancellationScope.nonCancellable(() => drop(chosen.plan, final, failure, become));
  };
  try {
    await preparing.run(async () => {
      told.integrity = await prepare(leases, chosen, input, become);
      if (input.commitAtOnce) decision ??= 'commit';
      else await condition(() => decision !== undefined, `${input.expirySeconds} s`);
    });
  } catch (error) {
    // A commit that was accepted runs to its end, whoever cancels the workflow meanwhile.
    if (decision !== 'commit') {
      // A cancelled step whose worker died answers with a timeout: it was cancelled all the same.
      const failure =
        isCancellation(error) || decision === 'cancel' ? null : withUnread(failureOf(error), chosen);
      await dropAs(failure ? 'failed' : 'cancelled', failure);
      if (!failure && decision === undefined) throw error;
    }
  }
  if (!isFinal(status)) {
    // A cancel can also end the wait as a decision, before it cancels anything.
    const dropped = decision === 'cancel' ? 'cancelled' : 'expired';
    if (decision !== 'commit') await dropAs(dropped, null);
    else await CancellationScope.nonCancellable(() => carryOut(leases, chosen, become));
  }
  await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  if (!input.commitAtOnce) return { status };
  const { error = null, validation, integrity } = told;
  return { status, error, ...(validation && { validation }), ...(integrity && { integrity }) };
}

/** Beside the status only for whoever had it committed at once, and waits for it. */
export interface RestoreResult {
  status: RestoreStatus;
  error?: Failure | null;
  validation?: ProofReport;
  integrity?: DrillIntegrity | undefined;
}

type Become = (status: RestoreStatus, facts?: Record<string, unknown>) => Promise<void>;

async function beginOrFail(input: RestoreInput, become: Become): Promise<RestorePlan | null> {
  try {
    return await beginRestore(input);
  } catch (error) {
    const cancelled = isCancellation(error);
    await CancellationScope.nonCancellable(() =>
      cancelled ? become('cancelled') : become('failed', { error: failureOf(error) }),
    );
    if (cancelled) throw error;
    return null;
  }
}

async function prepare(
  leases: LeaseHolder,
  chosen: ChosenCopy,
  input: RestoreInput,
  become: Become,
): Promise<DrillIntegrity | undefined> {
  await quickSteps(chosen.plan.hostQueue, input.asset).checkRestoreTarget(chosen.plan);
  await stageFromAnyCopy(leases, chosen, input);
  const { plan } = chosen;
  const steps = longSteps(plan.hostQueue, `${plan.asset} from ${plan.repository}`);
  const { integrity, ...validation } = await steps.validateRestore(plan);
  if (!validation.ok) {
    const failed = validation.checks.filter((check) => !check.ok);
    await become('preparing', { validation });
    throw ApplicationFailure.nonRetryable('the restored data is not what was backed up', 'proof.failed', {
      code: 'proof.failed',
      message: `restore of ${plan.asset} from ${plan.repository} was stopped: what came back is not what was backed up`,
      cause: failed.map((check) => `${check.name}: ${check.detail}`).join('; '),
      hint: 'choose another point (`holdfast points list`) or another copy (--from), and verify this one',
    } satisfies Failure);
  }
  const { impact, estimateSeconds } = await steps.previewRestore(plan);
  const expiresAt = new Date(Date.now() + input.expirySeconds * 1000).toISOString();
  const shown = { ...impact, warnings: [...whereFrom(chosen), ...impact.warnings] };
  await become('prepared', { validation, impact: shown, estimateSeconds, expiresAt });
  return integrity;
}

/** Ends a restore that was not committed. The target was never touched. */
async function drop(plan: RestorePlan, status: RestoreStatus, failure: Failure | null, become: Become) {
  const left = await release(plan);
  await become(status, { error: failure ?? left });
}

/** From here on there is only forward or back. Each way back is known before its step is taken. */
async function carryOut(leases: LeaseHolder, chosen: ChosenCopy, become: Become): Promise<void> {
  const { plan } = chosen;
  const startedAt = Date.now();
  const steps = longSteps(plan.hostQueue, plan.asset);
  const commands = commandSteps(plan.hostQueue, plan.asset);
  await become('committing');
  let swapping = false;
  try {
    const safetyPointId = await keepWhatIsThere(leases, chosen);
    await become('committing', { safetyPointId });
    swapping = true;
    await steps.swapRestore(plan);
    await commands.runRestoreCommands({ ...plan, which: 'start' });
    await become('checking');
    await steps.checkHealth(plan);
  } catch (error) {
    await (swapping ? rollBack : giveUp)(plan, failureOf(error), become);
    return;
  }
  const measuredSeconds = (Date.now() - startedAt) / 1000;
  const leftBehind = (await attempt(() => steps.settleRestore(plan))) ?? (await release(plan));
  await become('completed', { measuredSeconds, error: leftBehind });
}

/** The target is what it was; only the services were stopped. */
async function giveUp(plan: RestorePlan, failure: Failure, become: Become): Promise<void> {
  const commands = commandSteps(plan.hostQueue, `${plan.asset}: giving up`);
  const started = await attempt(() => commands.runRestoreCommands({ ...plan, which: 'start' }));
  const message = started
    ? `${failure.message}; and starting what was stopped: ${started.message}`
    : failure.message;
  await drop(plan, 'failed', { ...failure, message }, become);
}

/** Services are asked to stop once more, because the failure can have come after they were started. */
async function rollBack(plan: RestorePlan, failure: Failure, become: Become): Promise<void> {
  const summary = `${plan.asset}: rolling back`;
  const commands = commandSteps(plan.hostQueue, summary);
  await attempt(() => commands.runRestoreCommands({ ...plan, which: 'stop' }));
  const undone = await attempt(() => longSteps(plan.hostQueue, summary).undoRestore(plan));
  const started = await attempt(() => commands.runRestoreCommands({ ...plan, which: 'start' }));
  if (undone) {
    const message = `${failure.message}; and rolling back failed: ${undone.message} (${undone.cause})`;
    const hint = `nothing was deleted: what was there lies beside the target and in the safety point. ${undone.hint}`;
    await become('failed', { error: { ...failure, message, hint } });
    return;
  }
  await release(plan);
  const message = started
    ? `${failure.message}; and after rolling back: ${started.message}`
    : failure.message;
  await become('rolledBack', { error: { ...failure, message } });
}

async function release(plan: RestorePlan): Promise<Failure | null> {
  return attempt(() => longSteps(plan.hostQueue, `${plan.asset}: clearing up`).releaseRestore(plan));
}

/** For steps whose failure must be told but must not stop the way back. */
async function attempt(work: () => Promise<void>): Promise<Failure | null> {
  try {
    await work();
    return null;
  } catch (error) {
    return failureOf(error);
  }
}

function wrongState(id: string, wish: string, decision: string | undefined, status: string) {
  const seen = decision ? `a ${decision} was already accepted` : `it is ${status}`;
  return ApplicationFailure.nonRetryable(`${wish} of restore ${id} was refused: ${seen}`, 'restore.state', {
    code: 'restore.state',
    message: `${wish} of restore ${id} was refused`,
    cause: seen,
    hint: `look at it with \`holdfast restore show ${id}\``,
  } satisfies Failure);
}
