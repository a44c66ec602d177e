import { formatDuration } from '../domain/duration.ts';
import { formatError } from '../domain/errors.ts';
import type { Job } from '../domain/job.ts';
import { statusCell } from './colours.ts';
import { printable } from './printable.ts';
import { table } from './table.ts';
import { assetLine } from './view.ts';
import { exact, when } from './when.ts';

/** `sync of critical to offsite`. */
export function jobWords({ type, policy, repository }: Job): string {
  return [
    type === 'controlPlane' ? 'storing the control plane' : type,
    ...(policy === null ? [] : ['of', policy]),
    ...(repository === null ? [] : [type === 'controlPlane' ? 'in' : 'to', repository]),
  ].join(' ');
}

export async function jobText(job: Job): Promise<string> {
  const took = job.endedAt === null ? null : (Date.parse(job.endedAt) - Date.parse(job.startedAt)) / 1000;
  const facts = [
    ['job', job.id],
    ['does', `${jobWords(job)} (${job.trigger})`],
    ['status', statusCell(job.status)],
    ['started', when(job.startedAt)],
    ['ended', job.endedAt === null ? '-' : `${exact(job.endedAt)}, after ${formatDuration(took ?? 0)}`],
    ['Temporal', job.workflowId],
  ];
  const width = Math.max(0, ...job.assets.map(({ asset }) => printable(asset).length));
  const assets = job.assets.flatMap((each) => [
    `  ${assetLine(each, width)}${each.recoveryPointId ? `, recovery point ${each.recoveryPointId}` : ''}`,
    ...each.notes.map((note) => `    ${printable(note)}`),
    ...(each.error ? [inset(formatError(each.error))] : []),
  ]);
  const failure = job.error ? [printable(formatError(job.error), { lines: true })] : [];
  return [await table([], facts), ...assets, ...failure].join('\n');
}

function inset(text: string): string {
  return printable(text, { lines: true }).replaceAll(/^/gm, '    ');
}
