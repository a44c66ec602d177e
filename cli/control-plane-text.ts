import type { Failure } from '../domain/job.ts';
import { printable } from './printable.ts';
import { table } from './table.ts';
import { when } from './when.ts';

export interface ControlPlaneItem {
  repository: string;
  configured: boolean;
  initialised: boolean;
  stored: { pointId: string; takenAt: string; auditSequence: number } | null;
  due: string | null;
  behind: string | null;
  lastAttempt: { endedAt: string; error: Failure | null } | null;
  rolledBack: { foundAt: string; missing: string[] } | null;
}

export async function controlPlaneText(items: readonly ControlPlaneItem[]): Promise<string> {
  if (items.length === 0)
    return 'the control plane is stored nowhere: name a policy with a repository, then `holdfast apply`';
  const rows = items.map(({ repository, stored, lastAttempt, ...item }) => [
    repository,
    when(stored?.takenAt ?? null),
    stored?.pointId ?? '-',
    stored ? String(stored.auditSequence) : '-',
    lastAttempt === null ? '-' : lastAttempt.error ? 'failed' : 'success',
    printable(nextOf(item)),
  ]);
  const head = ['REPOSITORY', 'STORED', 'RECOVERY POINT', 'AUDIT UP TO', 'LAST', 'NEXT'];
  return [await table(head, rows), ...items.flatMap(notes)].join('\n');
}

function nextOf({
  configured,
  initialised,
  due,
}: Pick<ControlPlaneItem, 'configured' | 'initialised' | 'due'>) {
  if (!configured) return 'not any more';
  if (!initialised) return 'after the first backup there';
  return due === null ? 'when something has happened' : `now: ${due}`;
}

function notes({ repository, behind, rolledBack }: ControlPlaneItem): string[] {
  return [
    ...(behind === null ? [] : [`${printable(repository)}: ${printable(behind)}`]),
    ...(rolledBack === null
      ? []
      : [
          `${printable(repository)} was rolled back to an older state, found ${when(rolledBack.foundAt)}: ${rolledBack.missing.length} points are gone from it`,
          `  next: \`holdfast incidents list\` names them; \`holdfast control-plane accept ${printable(repository)} --reason …\` says that this is how it is`,
        ]),
  ];
}
