// A job from its start to a person's summary: what `backup run` and `verify run` have in common.

import { formatBytes } from '../domain/bytes.ts';
import { formatDuration } from '../domain/duration.ts';
import type { Job } from '../domain/job.ts';
import type { RecoveryPoint } from '../domain/recovery-point.ts';
import { statusCell } from './colours.ts';
import { errorOfJob, exitCodeOfJob } from './exit-code.ts';
import { jobWords } from './job-text.ts';
import type { Call, Outcome } from './outcome.ts';
import { segment } from './service.ts';
import type { Service } from './service.ts';
import { table } from './table.ts';
import { viewFor } from './view.ts';
import { interrupted, waitForJob } from './wait.ts';

export async function runToEnd(
  call: Call,
  service: Service,
  started: Job,
  detach: boolean,
): Promise<Outcome> {
  const { id } = started;
  if (detach) return { data: started, text: () => startedText(started) };
  call.say(`job ${id} · in Temporal: ${started.workflowId}`);
  const waited = await waitForJob(service, started, viewFor());
  if (waited.kind === 'interrupted') {
    const error = interrupted(`job ${id}`, `holdfast jobs logs ${id} --follow`, `holdfast jobs cancel ${id}`);
    return { data: waited.last, error: error.toContract() };
  }
  return outcomeOf(service, waited.result);
}

export function outcomeOf(service: Service, job: Job): Outcome {
  const error = errorOfJob(job);
  return {
    data: job,
    text: () => summary(service, job),
    exitCode: exitCodeOfJob(job),
    ...(error ? { error, trailer: [whereToLook(job)] } : {}),
  };
}

function whereToLook(job: Job): string {
  return `job ${job.id} · \`holdfast jobs logs ${job.id}\` · in Temporal: ${job.workflowId}`;
}

function startedText(job: Job): string {
  return [
    `${jobWords(job)} is ${job.status}: job ${job.id}`,
    `follow it with \`holdfast jobs logs ${job.id} --follow\`, stop it with \`holdfast jobs cancel ${job.id}\``,
  ].join('\n');
}

async function summary(service: Service, job: Job): Promise<string> {
  const rows = await Promise.all(
    job.assets.map(async ({ asset, status, recoveryPointId, proof }) => {
      const point = recoveryPointId ? await pointIfThere(service, recoveryPointId) : null;
      return [
        asset,
        statusCell(status),
        recoveryPointId ?? '-',
        proof ? statusCell(proof) : '-',
        point ? formatBytes(point.bytes) : '-',
        point ? formatBytes(point.addedBytes) : '-',
      ];
    }),
  );
  const head = ['ASSET', 'STATUS', 'RECOVERY POINT', 'PROOF', 'SIZE', 'ADDED'];
  const seconds = job.endedAt === null ? 0 : (Date.parse(job.endedAt) - Date.parse(job.startedAt)) / 1000;
  const notes = job.assets.flatMap(({ asset, notes }) => notes.map((note) => `  ${asset}: ${note}`));
  const end = `${jobWords(job)}: ${job.status} in ${formatDuration(seconds)}`;
  return [await table(head, rows), ...notes, end].join('\n');
}

/** The summary is worth showing without its sizes too. */
async function pointIfThere(service: Service, id: string): Promise<RecoveryPoint | null> {
  return service.get<RecoveryPoint>(`/points/${segment(id)}`).catch(() => null);
}
