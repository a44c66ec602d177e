// After the repository has read a folder: which entries changed meanwhile, and what of them was stored. The
// manifest is of what was stored, so those entries are fetched back and looked at.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DirectoryAsset } from '../../domain/configuration/types.ts';
import { formatBytes } from '../../domain/bytes.ts';
import { HoldfastError } from '../../domain/errors.ts';
import type { IsExcluded } from '../../domain/exclude-pattern.ts';
import type { DirectoryManifest } from '../../domain/recovery-point.ts';
import { freeBytes, removeTree } from '../hosts/filesystem.ts';
import type { Repository, StoredPart } from '../repositories/repository.ts';
import { clearingUp, type Step } from '../step.ts';
import { writeEntries, writeManifest } from '../verify/directory-digest.ts';
import { addExample, type Examples } from '../verify/examples.ts';
import type { ManifestSummary } from '../verify/directory-digest.ts';
import type { Entry } from '../verify/directory-entry.ts';
import { isUntouched } from '../verify/directory-entry.ts';
import { touchOf, walk } from '../verify/directory-walk.ts';
import { headerLine, keepManifest, openManifest } from '../verify/manifest-file.ts';
import { mergeEntries } from '../verify/merge-entries.ts';
import { showRaw, type RawPath } from '../verify/raw-path.ts';
import { chooseWhatToFetch } from './directory-fetch-plan.ts';
import { readFolderMetadata } from './directory-metadata.ts';
import type { Workspace } from './source.ts';

/** More changed entries than this are not fetched one by one: everything is. */
const FETCHED_SINGLY = 2_000;

export interface Settlement {
  asset: DirectoryAsset;
  excluded: IsExcluded;
  /** The manifest taken before the repository read, and its file. */
  before: ManifestSummary;
  file: string;
  stored: StoredPart[];
  repository: Repository;
  workspace: Workspace;
  getfattr: string;
}

export interface ChangedEntry {
  before: Entry | null;
  /** Null when it is gone. */
  typeNow: Entry['type'] | null;
}

export interface Changes extends Examples {
  /** Null when there are too many to hold. */
  entries: Map<RawPath, ChangedEntry> | null;
}

export async function settleCapture(
  settlement: Settlement,
  step: Step,
): Promise<{ manifest: DirectoryManifest | null; notes: string[] }> {
  const { asset, before, file, workspace } = settlement;
  const notes: string[] = [];
  if (before.notStored.count > 0) notes.push(sentence(before.notStored, 'sockets are not stored'));
  if (before.unreadable.count > 0) {
    notes.push(sentence(before.unreadable, 'entries could not be read'));
    return { manifest: null, notes };
  }
  const changes = await findChanges(settlement, step);
  let summary: Omit<ManifestSummary, 'notStored' | 'unreadable'> = before;
  let settledFile = file;
  if (changes.count > 0) {
    notes.push(sentence(changes, 'entries changed while they were read; the digest is of what was stored'));
    settledFile = join(workspace.scratch, 'settled.manifest');
    summary = await writeStored(settlement, changes, settledFile, step);
  }
  await keepManifest(settledFile, workspace.staging, summary.digest);
  const { digest, unprivilegedDigest, files, directories, others, bytes } = summary;
  const root = await readFolderMetadata(asset.path, settlement.getfattr, step);
  const { count, examples } = changes;
  return {
    manifest: {
      kind: 'directory',
      digest,
      unprivilegedDigest,
      files,
      directories,
      others,
      bytes,
      changed: { count, examples },
      notStored: before.notStored,
      root,
    },
    notes,
  };
}

async function findChanges({ asset, excluded, file }: Settlement, step: Step): Promise<Changes> {
  const changes: Changes = { count: 0, examples: [], entries: new Map() };
  const before = await openManifest(file);
  for await (const { left: now, right } of mergeEntries(
    walk(asset.path, { excluded }, step),
    before.entries,
  )) {
    if (now && right && isUntouched(right, touchOf(now))) continue;
    const path = now?.path ?? right?.path ?? '';
    // A folder whose only change is what came and went in it is looked into, but is no news to a person.
    const onlyListed = now?.type === 'dir' && right?.type === 'dir';
    if (!onlyListed) addExample(changes, showRaw(path));
    changes.entries?.set(path, { before: right, typeNow: now?.type ?? null });
    if ((changes.entries?.size ?? 0) > FETCHED_SINGLY) changes.entries = null;
  }
  if (changes.count === 0 && (changes.entries === null || changes.entries.size > 0)) {
    for (const path of changes.entries?.keys() ?? ['']) addExample(changes, `${showRaw(path) || '.'}/`);
  }
  return changes;
}

async function writeStored(settlement: Settlement, changes: Changes, output: string, step: Step) {
  const { file, stored, repository, workspace, getfattr, before } = settlement;
  const part = stored.find(({ part }) => part === 'files');
  if (!part) throw new Error('the repository stored no part "files"');
  const include = changes.entries && (await chooseWhatToFetch(changes.entries, part, repository, file, step));
  const fetched = join(workspace.scratch, 'stored');
  const fetchedFile = join(workspace.scratch, 'stored.manifest');
  const everything = !(include && (await fetchSome(include, part, repository, fetched, step)));
  if (everything) {
    await expectRoom(settlement);
    await removeTree(fetched, step);
    const request = { snapshotId: part.snapshotId, path: part.path, target: fetched, include: [] };
    await repository.restore({ ...request, expectedBytes: before.bytes }, step);
  }
  await writeManifest({ root: fetched, output: fetchedFile, scratch: workspace.scratch, getfattr }, step);
  const known = await openManifest(file);
  const found = await openManifest(fetchedFile);
  try {
    const entries = merge(known.entries, found.entries, everything ? null : changes.entries);
    return await writeEntries(entries, output, headerLine(known.begunAt));
  } finally {
    await Promise.all([known.close(), found.close()]);
    await removeTree(fetched, clearingUp(step));
  }
}

/** False when the snapshot turns out to have less than was thought, and only everything will do. */
async function fetchSome(
  include: string[],
  part: StoredPart,
  repository: Repository,
  target: string,
  step: Step,
): Promise<boolean> {
  await removeTree(target, step);
  await mkdir(target, { mode: 0o700 });
  if (include.length === 0) return true;
  const request = { snapshotId: part.snapshotId, path: part.path, target, include, expectedBytes: null };
  try {
    await repository.restore(request, step);
    return true;
  } catch (thrown) {
    if (thrown instanceof HoldfastError && thrown.code === 'notFound') return false;
    throw thrown;
  }
}

/** Of what changed, what was stored; of the rest, what was known before. `changed: null`: everything was fetched. */
async function* merge(
  known: AsyncIterable<Entry>,
  fetched: AsyncIterable<Entry>,
  changed: ReadonlyMap<RawPath, ChangedEntry> | null,
): AsyncGenerator<Entry> {
  const asRoot = process.geteuid?.() === 0;
  for await (const { left: before, right: stored } of mergeEntries(known, fetched)) {
    const path = before?.path ?? stored?.path ?? '';
    if (path === '' && before) yield before;
    else if (before && changed && !changed.has(path)) yield before;
    else if (stored && before && !asRoot) yield { ...stored, uid: before.uid, gid: before.gid };
    else if (stored) yield stored;
  }
}

async function expectRoom({ before, workspace, asset }: Settlement): Promise<void> {
  const free = await freeBytes(workspace.scratch);
  const needed = Math.ceil(before.bytes * 1.05);
  if (free >= needed) return;
  throw new HoldfastError({
    code: 'staging.full',
    message: `too much of ${asset.name} changed while it was read to check it piece by piece, and staging is too small to hold it`,
    cause: `needed ${formatBytes(needed)}, ${formatBytes(free)} free on ${workspace.scratch}`,
    hint: 'free space there, quiesce the folder with a `before` hook, or exclude what is always being written',
  });
}

function sentence({ count, examples }: Examples, what: string): string {
  const more = count > examples.length ? ', …' : '';
  return `${count} ${what}: ${examples.slice(0, 3).join(', ')}${examples.length > 3 || more ? ', …' : ''}`;
}
