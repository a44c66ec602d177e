import type { CopyState } from '../domain/copies/lag.ts';
import { formatDuration } from '../domain/duration.ts';
import { printable } from './printable.ts';
import { table } from './table.ts';
import { when } from './when.ts';

export async function copiesText(copies: readonly CopyState[]): Promise<string> {
  if (copies.length === 0) return 'no policy has copies';
  const rows = copies.map((copy) => [
    copy.policy,
    copy.repository,
    cadenceText(copy),
    lagText(copy),
    copy.lastStatus ?? '-',
    when(copy.lastAttemptAt),
  ]);
  const head = ['POLICY', 'COPY', 'CADENCE', 'BEHIND', 'LAST', 'TRIED'];
  return [await table(head, rows), ...copies.flatMap(notes)].join('\n');
}

function cadenceText({ cadence }: CopyState): string {
  if (cadence === null) return 'with each backup';
  return cadence.kind === 'every' ? `every ${formatDuration(cadence.seconds)}` : cadence.expression;
}

function lagText({ lagPoints, lagSeconds, lagObjectiveSeconds }: CopyState): string {
  const allowed = lagObjectiveSeconds === null ? '' : ` / ${formatDuration(lagObjectiveSeconds)}`;
  if (lagPoints === 0) return `nothing${allowed}`;
  return `${lagPoints} ${lagPoints === 1 ? 'point' : 'points'}, ${formatDuration(lagSeconds)}${allowed}`;
}

function notes({ policy, repository, breached, error }: CopyState): string[] {
  const found: string[] = [];
  if (breached)
    found.push(`${printable(policy)} in ${printable(repository)} is further behind than its lag allows`);
  if (error)
    found.push(
      `  ${printable(error.message)}: ${printable(error.cause)}`,
      `  next: ${printable(error.hint)}`,
    );
  return found;
}
