import { formatBytes } from '../domain/bytes.ts';
import { proofOfCopy } from '../domain/proof.ts';
import type { Manifest } from '../domain/recovery-point.ts';
import { statusCell } from './colours.ts';
import { holdLine } from './holds.ts';
import type { ListedPoint } from './holds.ts';
import { table } from './table.ts';
import { when } from './when.ts';

export async function pointText(point: ListedPoint): Promise<string> {
  const facts = [
    ['recovery point', point.id],
    ['asset', `${point.asset} (${point.assetType})${point.orphaned ? ', orphaned' : ''}`],
    ['kind', `${point.kind}, taken as ${point.method}`],
    ['taken', when(point.takenAt)],
    ['proof', statusCell(point.proof)],
    ...(point.partial === null ? [] : [['partial', point.partial]]),
    ...(point.tags.length === 0 ? [] : [['tags', point.tags.join(', ')]]),
    ...point.holds.map((hold) => ['held', holdLine(hold)]),
    ['size', `${formatBytes(point.bytes)}, ${formatBytes(point.addedBytes)} added`],
    ...(point.manifest ? [['content', contentOf(point.manifest)]] : []),
    ...(point.jobId ? [['job', point.jobId]] : []),
  ];
  const copies = point.copies.map((copy) => [
    copy.repository,
    statusCell(proofOfCopy(copy, point)),
    when(copy.storedAt),
    when(copy.verifiedAt),
    when(copy.provenAt),
    copy.artifactId,
  ]);
  const head = ['KEPT IN', 'PROOF', 'STORED', 'VERIFIED', 'PROVEN', 'ENGINE SNAPSHOTS'];
  return [
    await table([], facts),
    '',
    await table(head, copies),
    '',
    point.kind === 'system'
      ? 'the service is rebuilt from it with `holdfast recover`'
      : `restore it with \`holdfast restore prepare --asset ${point.asset} --point ${point.id}\``,
  ].join('\n');
}

function contentOf(manifest: Manifest): string {
  switch (manifest.kind) {
    case 'directory':
      return `${counted(manifest.files, 'file')}, ${counted(manifest.directories, 'folder')}`;
    case 'sqlite':
    case 'postgres': {
      const rows = Object.values(manifest.tables).reduce((sum, count) => sum + count, 0);
      return `${counted(Object.keys(manifest.tables).length, 'table')}, ${counted(rows, 'row')}`;
    }
    case 'control-plane':
      return `the control plane: ${counted(manifest.files, 'file')}, the audit chain up to ${manifest.audit?.sequence ?? 0}`;
  }
}

export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}
