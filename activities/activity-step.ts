import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity';
import type { Catalog, Fence } from '../catalog/index.ts';
import { asHoldfastError } from '../domain/errors.ts';
import type { JobEvent, Progress } from '../domain/job.ts';
import type { ProcessFence } from './hosts/process-fence.ts';
import { witnessed } from './key-witness.ts';
import type { Step } from './step.ts';

/** Temporal thins heartbeats out to what the timeout needs; a beat a second is cheap. */
const BEAT_MILLISECONDS = 1000;

export interface ActivityStepOptions {
  catalog: Catalog;
  processes: ProcessFence;
  /** What its events are dated by. */
  clock(): Date;
  /** Activity type and subject, as the person reading an error knows them: "backup of orders". */
  attempted: string;
  /** Names the work for fencing: every attempt of the same work has the same key. */
  key: string;
  /** Where `say` goes; null: only the worker's log. */
  job: { id: string; asset: string | null; step: string } | null;
  /** What the audit chain has as the user of the secrets opened; the job, if left out. */
  subject?: string;
  /** Where progress is shown. */
  fence?: Fence;
}

/**
 * Runs one activity's work with everything a driver may expect of its step: cancellation, heartbeats with
 * progress, job events, and processes on record so that the next attempt can prove them gone. An earlier
 * attempt's processes are ended before the work begins: after that, nobody else writes for this key.
 */
export async function runStep<T>(
  options: ActivityStepOptions,
  work: (step: Step, interrupted: boolean) => Promise<T>,
): Promise<T> {
  const context = Context.current();
  const { attempt } = context.info;
  const journal = new EventJournal(options);
  let progress: Progress | null = null;
  const beat = setInterval(() => {
    context.heartbeat(progress);
    if (progress && options.fence) journal.keep(options.catalog.jobs.progress(options.fence, progress));
  }, BEAT_MILLISECONDS);
  const step: Step = {
    signal: context.cancellationSignal,
    progress: (next) => {
      progress = next;
    },
    say: (level, message) => {
      journal.add(level, message);
    },
    started: (process) => {
      journal.keep(options.processes.record(options.key, process));
    },
  };
  try {
    // A job that Temporal lost counts its attempts from one again: then only what is on record tells. Outside
    // of jobs a key may be in use twice at once.
    const lost = options.job !== null && (await options.processes.isOpen(options.key));
    const interrupted = attempt > 1 || lost;
    if (interrupted) {
      await options.processes.fenceOff(options.key);
      step.say('warning', `attempt ${attempt}: the one before did not finish`);
    }
    const subject = options.subject ?? (options.job && `job/${options.job.id}`);
    const result = await (subject
      ? witnessed(
          (reference) => options.catalog.keyUses.record(subject, reference),
          () => work(step, interrupted),
        )
      : work(step, interrupted));
    await options.processes.release(options.key);
    return result;
  } catch (error) {
    // What a step meets while it is being stopped says nothing about its work: stopped by the worker's end, it is
    // tried again, and a health check that was broken off is no reason to roll back.
    if (context.cancellationSignal.aborted)
      throw new CancelledFailure(`${options.attempted}: it was stopped`);
    const failure = asFailure(error, options.attempted);
    if (failure instanceof ApplicationFailure) step.say('error', `${failure.message}: ${causeIn(failure)}`);
    throw failure;
  } finally {
    clearInterval(beat);
    await journal.close();
  }
}

/** Temporal's own shapes: the failure's type is our code, the contract its details. */
export function asFailure(error: unknown, attempted: string): Error {
  if (error instanceof CancelledFailure || error instanceof ApplicationFailure) return error;
  const known = asHoldfastError(error, attempted);
  if (known.code === 'cancelled') return new CancelledFailure(known.message);
  return ApplicationFailure.create({
    message: known.message,
    type: known.code,
    nonRetryable: !known.retryable,
    details: [known.toContract()],
  });
}

function causeIn(failure: ApplicationFailure): string {
  return (failure.details?.[0] as { cause?: string } | undefined)?.cause ?? '';
}

/** Job events in order, written in the background and all written when the step ends. */
class EventJournal {
  private waiting: Omit<JobEvent, 'sequence'>[] = [];
  private last: Promise<void> = Promise.resolve();
  private readonly log: { warn(message: string, meta: object): void } = Context.current().log;

  constructor(private readonly options: ActivityStepOptions) {}

  add(level: JobEvent['level'], message: string): void {
    const { job } = this.options;
    if (!job) {
      Context.current().log[level === 'warning' ? 'warn' : level](message, { key: this.options.key });
      return;
    }
    this.waiting.push({
      at: this.options.clock().toISOString(),
      level,
      asset: job.asset,
      step: job.step,
      message,
    });
    this.keep(this.flush(job.id));
  }

  /** What is only for people to look at must not fail the step: a failure here goes to the worker's log. */
  keep(writing: Promise<unknown>): void {
    const settled = writing.then(
      () => undefined,
      (error: unknown) => {
        this.log.warn('could not record progress', { error: String(error) });
      },
    );
    this.last = this.last.then(() => settled);
  }

  async close(): Promise<void> {
    await this.last;
  }

  private async flush(jobId: string): Promise<void> {
    await this.last;
    const events = this.waiting.splice(0);
    if (events.length > 0) await this.options.catalog.jobEvents.append(jobId, events);
  }
}
