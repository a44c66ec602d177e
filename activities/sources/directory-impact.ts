import { readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { DirectoryAsset } from '../../domain/configuration/types.ts';
import {
  addFileChange,
  asTyped,
  differenceOf,
  noFileChanges,
  type ComparedEntry,
} from '../../domain/impact.ts';
import type { Impact } from '../../domain/restore.ts';
import { lookAt } from '../hosts/filesystem.ts';
import type { Step } from '../step.ts';
import { addExample, type Examples } from '../verify/examples.ts';
import { walk, type Found } from '../verify/directory-walk.ts';
import { digestOfFile } from '../verify/file-digest.ts';
import { mergeEntries } from '../verify/merge-entries.ts';
import { bufferOfRaw, joinRaw, rawOfText, showRaw, type RawPath } from '../verify/raw-path.ts';
import { includedPaths, isIncluded } from './include-paths.ts';
import type { RestoreOrder, Workspace } from './source.ts';

/** Both sides walked together. Reads the target and touches nothing in it. */
export async function impactOnDirectory(
  asset: DirectoryAsset,
  order: RestoreOrder,
  _workspace: Workspace,
  step: Step,
): Promise<Impact> {
  const restored = order.restored['files'] ?? '';
  const include = includedPaths(order.include).map(rawOfText);
  const files = noFileChanges();
  const unreadable: Examples = { count: 0, examples: [] };
  let bytes = 0;
  const before = within(await entriesAt(order.target.location, unreadable, step), include);
  const after = within(walk(restored, {}, step), include);
  for await (const { left, right } of mergeEntries(before, after)) {
    const found = right ?? left;
    if (!found || found.path === '') continue;
    const size = found.type === 'file' ? Number(found.stats.size) : 0;
    if (right && (right.type !== 'file' || right.stats.nlink === 1n)) bytes += size;
    else if (right) bytes += size / Number(right.stats.nlink);
    const difference = await decide(order.target.location, left, restored, right, step);
    if (difference !== 'same') addFileChange(files[difference], showRaw(found.path), size);
  }
  return {
    files,
    tables: null,
    bytes: Math.round(bytes),
    stops: asset.restore.stop.map(asTyped),
    starts: asset.restore.start.map(asTyped),
    warnings: warningsFor(asset, order, unreadable, files.removed.count),
  };
}

async function decide(
  target: string,
  left: Found | null,
  restored: string,
  right: Found | null,
  step: Step,
): Promise<'added' | 'changed' | 'removed' | 'same'> {
  const difference = differenceOf(await compared(target, left), await compared(restored, right));
  if (difference !== 'perhaps') return difference;
  const path = (right ?? left)?.path ?? '';
  const [old, fresh] = await Promise.all([
    digestOfFile(absolute(target, path), step).catch(() => null),
    digestOfFile(absolute(restored, path), step),
  ]);
  return old === fresh ? 'same' : 'changed';
}

async function compared(root: string, found: Found | null): Promise<ComparedEntry | null> {
  if (!found) return null;
  const { type, stats, path } = found;
  const symlink = () =>
    readlink(absolute(root, path), { encoding: 'latin1' }).catch(() => 'it vanished meanwhile');
  return {
    type,
    mode: Number(stats.mode & 0o7777n),
    size: type === 'file' ? Number(stats.size) : 0,
    mtime: String(stats.mtimeNs),
    points: type === 'symlink' ? await symlink() : String(stats.rdev),
  };
}

async function entriesAt(target: string, unreadable: Examples, step: Step): Promise<AsyncIterable<Found>> {
  if (!(await lookAt(target))?.isDirectory()) return nothing();
  return walk(target, { onUnreadable: (path) => addExample(unreadable, showRaw(path)) }, step);
}

async function* within(entries: AsyncIterable<Found>, include: RawPath[]): AsyncGenerator<Found> {
  for await (const found of entries) if (isIncluded(found.path, include)) yield found;
}

function warningsFor(
  asset: DirectoryAsset,
  order: RestoreOrder,
  unreadable: Examples,
  removed: number,
): string[] {
  const warnings: string[] = [];
  if (unreadable.count > 0) {
    warnings.push(
      `${unreadable.count} entries at the target cannot be read and were not compared: ${unreadable.examples.slice(0, 3).join(', ')}`,
    );
  }
  if (removed > 0 && asset.exclude.length > 0 && order.target.inPlace && order.include.length === 0) {
    warnings.push(
      `what is excluded from the backup (${asset.exclude.join(', ')}) is not in it: such files at ${order.target.location} are among those removed, and only the safety point keeps them`,
    );
  }
  const notStored = order.manifest?.kind === 'directory' ? order.manifest.notStored.count : 0;
  if (notStored > 0)
    warnings.push(`${notStored} sockets were not stored: the programs that own them make them anew`);
  return warnings;
}

function absolute(root: string, path: RawPath): Buffer {
  return bufferOfRaw(joinRaw(rawOfText(join(root)), path));
}

async function* nothing(): AsyncGenerator<Found> {}
