import type { Progress } from '../domain/job.ts';

/**
 * What a driver sees of the activity it works for. Drivers never import Temporal: tests hand them a
 * plain object.
 */
export interface Step {
  /** Aborted when the job is cancelled, the worker shuts down or the attempt has lost its fence. */
  readonly signal: AbortSignal;
  /** Where a person can see how far it is; called as often as convenient, thinned out above. */
  progress(progress: Progress): void;
  /** A sentence for the job's event log. Never a secret, never one line per file. */
  say(level: 'info' | 'warning' | 'error', message: string): void;
  /** Every process started on behalf of the step, so that a later attempt can prove it gone. */
  started(process: { pid: number; tool: string }): void;
  /** Every tool that ran to its end, as it was called; left out where nobody records it. */
  ran?(command: { tool: string; args: readonly string[]; exitCode: number; seconds: number }): void;
}

/**
 * The step for clearing up behind it: a cancelled job or a worker that shuts down leaves nothing in plain. Not
 * where the attempt was given up: the next one may be at work there, and clears up before it begins.
 */
export function clearingUp(step: Step): Step {
  const end = new AbortController();
  const { signal } = step;
  const giveUp = () => {
    if (isGivenUp(signal.reason)) end.abort(signal.reason);
  };
  if (signal.aborted) giveUp();
  else signal.addEventListener('abort', giveUp, { once: true });
  return { ...step, signal: end.signal };
}

/** Temporal's words for an attempt that it does not count on any more. */
function isGivenUp(reason: unknown): boolean {
  return reason instanceof Error && ['NOT_FOUND', 'TIMED_OUT'].includes(reason.message);
}
