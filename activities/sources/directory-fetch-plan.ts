import { HoldfastError } from '../../domain/errors.ts';
import type { Repository, StoredPart } from '../repositories/repository.ts';
import type { Step } from '../step.ts';
import type { Entry } from '../verify/directory-entry.ts';
import { openManifest } from '../verify/manifest-file.ts';
import { isWithin, joinRaw, parentOfRaw, rawOfText, textOfRaw, type RawPath } from '../verify/raw-path.ts';
import type { ChangedEntry } from './directory-stored.ts';

/** Each one costs a call of the repository to list. */
const LISTED_FOLDERS = 32;

/**
 * The fewest paths to fetch from a stored snapshot so that the facts of every changed entry come back with
 * them; null when only everything will do. A folder in which something came or went may also hold, in the
 * snapshot, what neither look saw: it is listed there.
 */
export async function chooseWhatToFetch(
  changed: ReadonlyMap<RawPath, ChangedEntry>,
  part: StoredPart,
  repository: Repository,
  beforeFile: string,
  step: Step,
): Promise<string[] | null> {
  const stillFolders = [...changed].filter(([, entry]) => isStillFolder(entry)).map(([path]) => path);
  if (stillFolders.length > LISTED_FOLDERS) return null;
  const wanted = new Set([...changed].filter(([, entry]) => !isStillFolder(entry)).map(([path]) => path));
  const known = await lookInto(stillFolders, changed, beforeFile);
  for (const folder of stillFolders) {
    const { names, leaf } = known.get(folder) ?? { names: new Set<RawPath>(), leaf: null };
    const inside = await namesStored(folder, part, repository, step);
    if (inside === null) return null;
    for (const path of [...wanted]) {
      // It came or went, and was not there when the folder was read.
      if (parentOfRaw(path) === folder && !inside.has(lastName(path))) wanted.delete(path);
    }
    for (const name of inside) {
      if (!names.has(name)) wanted.add(joinRaw(folder, name));
    }
    // The engine restores a folder's own metadata together with anything inside it.
    if (folder !== '') wanted.add(leaf ?? folder);
  }
  return textPaths(withoutCovered([...wanted]));
}

function isStillFolder({ before, typeNow }: ChangedEntry): boolean {
  return before?.type === 'dir' && typeNow === 'dir';
}

interface KnownFolder {
  names: Set<RawPath>;
  leaf: RawPath | null;
  leafSize: number;
}

/** What the first look saw in these folders, and the smallest unchanged thing anywhere below each. */
async function lookInto(
  folders: RawPath[],
  changed: ReadonlyMap<RawPath, ChangedEntry>,
  beforeFile: string,
): Promise<Map<RawPath, KnownFolder>> {
  const known = new Map<RawPath, KnownFolder>();
  for (const folder of folders) known.set(folder, { names: new Set(), leaf: null, leafSize: Infinity });
  for (const path of changed.keys()) known.get(parentOfRaw(path))?.names.add(lastName(path));
  if (folders.length === 0) return known;
  const before = await openManifest(beforeFile);
  for await (const entry of before.entries) {
    if (entry.path === '') continue;
    known.get(parentOfRaw(entry.path))?.names.add(lastName(entry.path));
    if (entry.type === 'dir' || changed.has(entry.path)) continue;
    for (const folder of folders) considerLeaf(folder, entry, known);
  }
  return known;
}

function considerLeaf(folder: RawPath, entry: Entry, known: Map<RawPath, KnownFolder>): void {
  const facts = known.get(folder);
  if (!facts || entry.size >= facts.leafSize || entry.path === folder || !isWithin(entry.path, folder))
    return;
  if (textOfRaw(entry.path) === null || entry.link !== null) return;
  facts.leaf = entry.path;
  facts.leafSize = entry.size;
}

/** Null when the listing cannot be trusted: it replaces bytes that are not UTF-8. */
async function namesStored(
  folder: RawPath,
  part: StoredPart,
  repository: Repository,
  step: Step,
): Promise<Set<RawPath> | null> {
  const text = textOfRaw(folder);
  if (text === null) return null;
  const path = `${part.path.replace(/\/$/, '')}/${text}`.replace(/\/$/, '') || '/';
  const names = new Set<RawPath>();
  const prefix = path === '/' ? '/' : `${path}/`;
  const listed = await repository.list(part.snapshotId, path, step).catch((thrown: unknown) => {
    if (thrown instanceof HoldfastError && thrown.code === 'notFound') return null;
    throw thrown;
  });
  if (listed === null) return null;
  for (const entry of listed) {
    if (!entry.path.startsWith(prefix)) continue;
    const name = entry.path.slice(prefix.length).split('/')[0];
    if (!name) continue;
    if (name.includes('\ufffd')) return null;
    names.add(rawOfText(name));
  }
  return names;
}

function withoutCovered(paths: RawPath[]): RawPath[] {
  const all = new Set(paths);
  return paths.filter((path) => {
    for (let above = parentOfRaw(path); above !== ''; above = parentOfRaw(above)) {
      if (all.has(above)) return false;
    }
    return true;
  });
}

/** Requests are text: what is not UTF-8 is fetched with the nearest folder above it that is. */
function textPaths(paths: RawPath[]): string[] | null {
  const texts = new Set<string>();
  for (const path of paths) {
    let at = path;
    while (at !== '' && textOfRaw(at) === null) at = parentOfRaw(at);
    if (at === '') return null;
    texts.add(textOfRaw(at) ?? '');
  }
  return [...texts];
}

function lastName(path: RawPath): RawPath {
  return path.slice(path.lastIndexOf('/') + 1);
}
