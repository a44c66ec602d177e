// Waits for a restore: to `prepared`, or after a commit to its end.

import { isFailureCode } from '../domain/errors.ts';
import type { ErrorContract } from '../domain/errors.ts';
import type { Job, JobEvent } from '../domain/job.ts';
import { isFinal } from '../domain/restore.ts';
import type { Restore } from '../domain/restore.ts';
import { exitCodeOfFailures } from './exit-code.ts';
import type { Call, Outcome } from './outcome.ts';
import { restoreText } from './restore-text.ts';
import { segment } from './service.ts';
import type { Service } from './service.ts';
import { viewFor } from './view.ts';
import { interrupted, newEvents, waitUntil } from './wait.ts';

export async function prepareToEnd(
  call: Call,
  service: Service,
  started: Restore,
  detach: boolean,
): Promise<Outcome> {
  if (detach) return shown(started, null);
  return wait(call, service, started, ({ status }) => status !== 'preparing', [
    'prepared',
    'awaitingApproval',
  ]);
}

export async function commitToEnd(
  call: Call,
  service: Service,
  accepted: Restore,
  detach: boolean,
): Promise<Outcome> {
  if (detach) return shown(accepted, null);
  // The answer to a commit may be older than the commit.
  const committed = ({ status }: Restore) => isFinal(status);
  return wait(call, service, accepted, committed, ['completed']);
}

export async function cancelToEnd(call: Call, service: Service, cancelled: Restore): Promise<Outcome> {
  return wait(call, service, cancelled, ({ status }) => isFinal(status), ['cancelled']);
}

async function wait(
  call: Call,
  service: Service,
  first: Restore,
  isDone: (restore: Restore) => boolean,
  wanted: Restore['status'][],
): Promise<Outcome> {
  const { id } = first;
  const view = viewFor();
  let sequence = 0;
  let { status } = first;
  const look = async (): Promise<Restore> => {
    const restore = await service.get<Restore>(`/restores/${segment(id)}`);
    const watched = await watchedJob(service, id, sequence);
    sequence = watched?.events.at(-1)?.sequence ?? sequence;
    if (watched) view.update(watched.job, watched.events);
    else if (restore.status !== status) call.say(`restore ${id} is ${restore.status}`);
    status = restore.status;
    return restore;
  };
  call.say(`restore ${id} of ${first.asset} · in Temporal: restore/${id}`);
  const waited = await waitUntil(first, look, isDone, view).finally(() => view.close());
  if (waited.kind === 'interrupted') {
    const error = interrupted(
      `restore ${id}`,
      `holdfast restore show ${id}`,
      `holdfast restore cancel ${id}`,
    );
    return { data: waited.last, error: error.toContract() };
  }
  return shown(waited.result, wanted);
}

/** A restore is also a job, whose workflow has this name. It begins a moment after the restore. */
async function watchedJob(
  service: Service,
  id: string,
  after: number,
): Promise<{ job: Job; events: JobEvent[] } | null> {
  const workflowId = `restore/${id}`;
  try {
    const job = await service.get<Job>(`/jobs/${segment(workflowId)}`);
    return { job, events: await newEvents(service, workflowId, after) };
  } catch (error) {
    if ((error as { code?: string }).code === 'notFound') return null;
    throw error;
  }
}

function shown(restore: Restore, wanted: Restore['status'][] | null): Outcome {
  const text = () => restoreText(restore);
  if (wanted === null || wanted.includes(restore.status)) return { data: restore, text };
  const error = errorOf(restore);
  const trailer = [
    `restore ${restore.id} · \`holdfast restore show ${restore.id}\` · in Temporal: restore/${restore.id}`,
  ];
  return { data: restore, error, trailer, exitCode: exitCodeOfFailures([error]) };
}

function errorOf({ id, asset, status, error }: Restore): ErrorContract {
  const message = `restore ${id} of ${asset} ${endings[status] ?? `is ${status}`}`;
  if (error && isFailureCode(error.code)) {
    return {
      ...error,
      code: error.code,
      message: status === 'failed' ? error.message : `${message}: ${error.message}`,
    };
  }
  return {
    code: status === 'cancelled' ? 'cancelled' : status === 'rolledBack' ? 'health.failed' : 'restore.state',
    message,
    cause: error?.cause ?? '',
    hint:
      error?.hint ??
      `\`holdfast restore show ${id}\` says more; prepare a new one with \`holdfast restore prepare --asset ${asset}\``,
  };
}

const endings: Partial<Record<Restore['status'], string>> = {
  failed: 'failed',
  rolledBack: 'was rolled back: what was there before is there again',
  cancelled: 'was cancelled; nothing of the target changed',
  expired: 'expired before it was committed; nothing of the target changed',
  completed: 'was committed already',
};
