// Waits for a pipeline while a person watches. Ctrl-C (or a terminate signal) stops the watching, never the
// pipeline. A service that goes away for a moment is waited for: the job goes on without it.

import { asHoldfastError, HoldfastError } from '../domain/errors.ts';
import type { Job, JobEvent } from '../domain/job.ts';
import { segment } from './service.ts';
import type { Service } from './service.ts';

export interface View {
  update(job: Job, newEvents: JobEvent[]): void;
  /** The service can't be reached; the view may say so. */
  lost(error: HoldfastError): void;
  close(): void;
}

/** How the waiting ended: with what was waited for, or by the person's Ctrl-C. */
export type Waited<Result> = { kind: 'done'; result: Result } | { kind: 'interrupted'; last: Result };

export async function waitForJob(service: Service, first: Job, view: View): Promise<Waited<Job>> {
  let sequence = 0;
  const look = async (): Promise<Job> => {
    // The job first: what it did before it ended is then surely among the events.
    const job = await service.get<Job>(`/jobs/${segment(first.id)}`);
    const events = await newEvents(service, first.id, sequence);
    sequence = events.at(-1)?.sequence ?? sequence;
    view.update(job, events);
    return job;
  };
  try {
    return await waitUntil(first, look, hasEnded, view);
  } finally {
    view.close();
  }
}

export function hasEnded(job: Job): boolean {
  return job.status !== 'running' && job.status !== 'waiting';
}

export async function waitUntil<Result>(
  first: Result,
  look: () => Promise<Result>,
  isDone: (result: Result) => boolean,
  view: Pick<View, 'lost'>,
): Promise<Waited<Result>> {
  const interruption = listenForInterruption();
  let last = first;
  let reachedAt = Date.now();
  const begunAt = Date.now();
  try {
    for (;;) {
      try {
        last = await look();
        reachedAt = Date.now();
        if (isDone(last)) return { kind: 'done', result: last };
        if (interruption.signal.aborted) return { kind: 'interrupted', last };
        await interruption.pause(Date.now() - begunAt < 30_000 ? 300 : 1000);
      } catch (thrown) {
        const error = asHoldfastError(thrown);
        if (!mayPass(error) || Date.now() - reachedAt > patienceMs) throw error;
        view.lost(error);
        await interruption.pause(1000);
      }
      if (interruption.signal.aborted) return { kind: 'interrupted', last };
    }
  } finally {
    interruption.end();
  }
}

/** Every event there is by now after that one. */
export async function newEvents(service: Service, jobId: string, after: number): Promise<JobEvent[]> {
  const events: JobEvent[] = [];
  for (let next: number | null = after; next !== null;) {
    const page: { items: JobEvent[]; next: number | null } = await service.get(
      `/jobs/${segment(jobId)}/events`,
      { after: next },
    );
    events.push(...page.items);
    next = page.next;
  }
  return events;
}

/** For `error` beside what there is to show, when a person stopped watching. */
export function interrupted(what: string, follow: string, stop: string): HoldfastError {
  return new HoldfastError({
    code: 'cancelled',
    message: `stopped watching ${what}; it goes on`,
    hint: `follow it with \`${follow}\`, stop it with \`${stop}\``,
  });
}

/** A service started again takes seconds; one that is gone longer is worth a word and an exit. */
const patienceMs = 60_000;

function mayPass(error: HoldfastError): boolean {
  return ['service.unreachable', 'service.failed', 'rateLimited', 'catalog.unreachable'].includes(error.code);
}

function listenForInterruption() {
  const controller = new AbortController();
  const abort = () => {
    // A second Ctrl-C, while the last answer is still on its way.
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
  };
  process.on('SIGINT', abort).on('SIGTERM', abort);
  return {
    signal: controller.signal,
    pause: (milliseconds: number) =>
      new Promise<void>((resolve) => {
        if (controller.signal.aborted) return resolve();
        const done = () => {
          clearTimeout(timer);
          controller.signal.removeEventListener('abort', done);
          resolve();
        };
        const timer = setTimeout(done, milliseconds);
        controller.signal.addEventListener('abort', done);
      }),
    end: () => {
      process.off('SIGINT', abort).off('SIGTERM', abort);
    },
  };
}
