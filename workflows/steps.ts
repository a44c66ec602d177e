import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/common';
import { ActivityCancellationType, isCancellation, proxyActivities } from '@temporalio/workflow';
import type {
  ControlActivities,
  EvidenceActivities,
  HostActivities,
  KitActivities,
  NotifyActivities,
} from '../activities/contract.ts';
import { nonRetryableCodes } from '../domain/errors.ts';
import type { Failure } from '../domain/job.ts';

/**
 * Catalogue steps. An answer within 30 s or a new attempt, without end: a job must not be lost because
 * the catalogue was away for an hour.
 */
export function controlSteps(summary: string) {
  return proxyActivities<ControlActivities>({
    startToCloseTimeout: '30 s',
    retry: { initialInterval: '500 ms', maximumInterval: '30 s', nonRetryableErrorTypes: NEVER_RETRIED },
    summary,
  });
}

/** A plan reads every point of its assets: of very many that takes longer, and an answer that came too late is lost. */
export function planningSteps(summary: string) {
  return proxyActivities<ControlActivities>({
    startToCloseTimeout: '30 min',
    retry: { initialInterval: '500 ms', maximumInterval: '30 s', nonRetryableErrorTypes: NEVER_RETRIED },
    summary,
  });
}

/**
 * Quick looks at a source: four attempts in about four seconds, because whoever is waiting wants to know
 * that the database is down, not that it was tried for an hour.
 */
export function quickSteps(hostQueue: string, summary: string) {
  return proxyActivities<HostActivities>({
    taskQueue: hostQueue,
    startToCloseTimeout: '10 min',
    heartbeatTimeout: HEARTBEAT,
    cancellationType: UNTIL_STOPPED,
    retry: {
      initialInterval: '500 ms',
      maximumAttempts: 4,
      nonRetryableErrorTypes: NEVER_RETRIED,
    },
    summary,
  });
}

/**
 * Steps that move data. No wall-clock limit that a large asset could meet: tools are bounded by progress.
 * Heartbeat 4 s: a dead worker is noticed within it, and a cancel arrives within it. Eight attempts, about
 * a minute of backoff in all; a killed worker uses one of them.
 */
export function longSteps(hostQueue: string, summary: string) {
  return proxyActivities<HostActivities>({
    taskQueue: hostQueue,
    startToCloseTimeout: '30 days',
    heartbeatTimeout: HEARTBEAT,
    cancellationType: UNTIL_STOPPED,
    retry: {
      initialInterval: '500 ms',
      maximumInterval: '30 s',
      maximumAttempts: 8,
      nonRetryableErrorTypes: NEVER_RETRIED,
    },
    summary,
  });
}

/**
 * Commands of the user's own (hooks, stop, start): run once. Only a worker's death starts them again, and
 * they are told to expect that.
 */
export function commandSteps(hostQueue: string, summary: string) {
  return proxyActivities<HostActivities>({
    taskQueue: hostQueue,
    startToCloseTimeout: '1 h',
    heartbeatTimeout: HEARTBEAT,
    cancellationType: UNTIL_STOPPED,
    retry: {
      initialInterval: '500 ms',
      maximumAttempts: 3,
      nonRetryableErrorTypes: [...NEVER_RETRIED, 'tool.failed'],
    },
    summary,
  });
}

/** Messages to channels, each bounded by its own limit, while somebody waits. Twice: the first worker may die. */
export function notifySteps(summary: string) {
  return proxyActivities<NotifyActivities>({
    startToCloseTimeout: '60 s',
    retry: { initialInterval: '500 ms', maximumAttempts: 2, nonRetryableErrorTypes: NEVER_RETRIED },
    summary,
  });
}

/** A secret's command may ask a vault, for up to a minute each. Twice: the first worker may die while somebody waits. */
export function kitSteps(hostQueue: string, summary: string) {
  return proxyActivities<KitActivities>({
    taskQueue: hostQueue,
    startToCloseTimeout: '10 min',
    heartbeatTimeout: HEARTBEAT,
    retry: { initialInterval: '500 ms', maximumAttempts: 2, nonRetryableErrorTypes: NEVER_RETRIED },
    summary,
  });
}

/** What was drilled must not be lost because a disk was full for an hour: tried again without end. */
export function evidenceSteps(hostQueue: string, summary: string) {
  return proxyActivities<EvidenceActivities>({
    taskQueue: hostQueue,
    startToCloseTimeout: '60 s',
    retry: { initialInterval: '500 ms', maximumInterval: '30 s', nonRetryableErrorTypes: NEVER_RETRIED },
    summary,
  });
}

const HEARTBEAT = '4 s';

/** What follows a cancel clears up after the step: it must not begin while the step's tool still writes. */
const UNTIL_STOPPED = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED;

/**
 * What does not pass by itself. A step that was fenced says so itself: one whose predecessor could not be ended
 * yet is tried again.
 */
const NEVER_RETRIED = nonRetryableCodes.filter((code) => code !== 'fenced');

/** What went wrong in a step, in the contract's shape. Cancellation is not a failure: it is thrown on. */
export function failureOf(error: unknown): Failure {
  if (isCancellation(error)) throw error;
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure) {
    const contract = cause.details?.[0] as Failure | undefined;
    if (contract) return contract;
  }
  if (cause instanceof TimeoutFailure) {
    return {
      code: 'tool.stalled',
      message: 'the step was given up: no worker answered for it any more',
      cause: `${cause.message}: the worker died or was frozen at each attempt`,
      hint: 'look at the end of the worker log, then run the job again',
    };
  }
  return {
    code: 'internal',
    message: 'the step failed in a way nobody foresaw',
    cause: cause instanceof Error ? cause.message : String(cause),
    hint: 'this is a fault in Holdfast: report it with the job log',
  };
}
