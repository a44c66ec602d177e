// A restore as a person reads it before deciding, and after.

import { formatBytes } from '../domain/bytes.ts';
import { formatDuration } from '../domain/duration.ts';
import { formatError } from '../domain/errors.ts';
import type { Impact, Restore } from '../domain/restore.ts';
import { counted } from './point-text.ts';
import { printable } from './printable.ts';
import { exact, relative } from './when.ts';

export function restoreText(restore: Restore, now = new Date()): string {
  const { id, asset, status, pointTakenAt, impact, include } = restore;
  const moment = pointTakenAt ? ` to ${exact(pointTakenAt)}` : '';
  const failure = restore.error ? formatError(restore.error).split('\n') : [];
  const lines = [
    `restore ${id} of ${asset}${moment} is ${status}`,
    fact('from', fromWords(restore, now)),
    fact('to', restore.target),
    fact('only', include.join(', ')),
    fact('changes', impact ? changes(impact) : ''),
    ...tables(impact).map((line) => fact('', line)),
    fact('checked', checkedWords(restore)),
    fact('stops', impact?.stops.join('; ') ?? ''),
    fact('starts', impact?.starts.join('; ') ?? ''),
    fact('takes', restore.estimateSeconds === null ? '' : `about ${formatDuration(restore.estimateSeconds)}`),
    fact('took', restore.measuredSeconds === null ? '' : formatDuration(restore.measuredSeconds)),
    ...(impact?.warnings ?? []).map((warning) => fact('mind', warning)),
    fact('undo', undoWords(restore)),
    ...failure,
    ...nextSteps(restore, now),
  ];
  return printable(lines.filter(Boolean).join('\n'), { lines: true });
}

function fact(name: string, words: string): string {
  return words && `  ${name.padEnd(8)} ${printable(words)}`;
}

function fromWords({ repository, point, pointTakenAt }: Restore, now: Date): string {
  const age = pointTakenAt ? ` (${relative(pointTakenAt, now)})` : '';
  return `${repository ? `${repository}, ` : ''}recovery point ${point}${age}`;
}

/** `1,204 files back, 31 overwritten, 12 newer ones set aside (2.1 GiB in all)` */
function changes({ files, bytes }: Impact): string {
  if (!files) return `${formatBytes(bytes)} in all`;
  const { added, changed, removed } = files;
  const parts = [
    added.count > 0 && `${counted(added.count, 'file')} back`,
    changed.count > 0 && `${changed.count.toLocaleString('en')} overwritten`,
    removed.count > 0 && `${removed.count.toLocaleString('en')} not in the recovery point set aside`,
  ].filter(Boolean);
  if (parts.length === 0) return 'nothing: what is there is the same';
  return `${parts.join(', ')} (${formatBytes(bytes)} in all)`;
}

const mostTables = 12;

function tables(impact: Impact | null): string[] {
  const all = impact?.tables ?? [];
  const differing = all.filter(({ before, after }) => before !== after);
  const lines = differing.slice(0, mostTables).map(({ table, before, after }) => {
    return `table ${table}: ${rows(before)} now, ${rows(after)} then`;
  });
  if (differing.length > mostTables)
    lines.push(`and ${differing.length - mostTables} more tables (--json has them)`);
  const same = all.length - differing.length;
  if (same > 0) lines.push(`${counted(same, 'table')} with the same number of rows`);
  return lines;
}

function rows(count: number | null): string {
  return count === null ? 'not there' : counted(count, 'row');
}

function checkedWords({ validation }: Restore): string {
  if (!validation) return '';
  const bad = validation.checks.filter(({ ok }) => !ok);
  if (bad.length === 0) return `${counted(validation.checks.length, 'check')} of the restored copy passed`;
  return bad.map(({ name, detail }) => `${name} FAILED: ${detail}`).join('; ');
}

function undoWords({ status, safetyPointId, asset }: Restore): string {
  if (safetyPointId) {
    return `what was there is recovery point ${safetyPointId}: \`holdfast restore prepare --asset ${asset} --point ${safetyPointId}\``;
  }
  return status === 'prepared' ? 'what is there now is kept as a safety recovery point first' : '';
}

function nextSteps({ id, status, expiresAt }: Restore, now: Date): string[] {
  switch (status) {
    case 'preparing':
      return [
        `follow it with \`holdfast restore show ${id}\`, drop it with \`holdfast restore cancel ${id}\``,
      ];
    case 'prepared':
    case 'awaitingApproval': {
      const expiry = expiresAt ? ` (expires ${relative(expiresAt, now)})` : '';
      return [
        `commit with \`holdfast restore commit ${id}\`, drop with \`holdfast restore cancel ${id}\`${expiry}`,
      ];
    }
    case 'committing':
    case 'checking':
      return [`follow it with \`holdfast restore show ${id}\``];
    default:
      return [];
  }
}
