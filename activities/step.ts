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
}
