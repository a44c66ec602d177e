// The digest of a directory tree, by which a restored copy is shown to be what was stored: SHA-256 over one
// line an entry in a canonical order. What it holds at any time is bounded by the largest single folder; the
// rest lies in files, so that a million entries need no more memory than a thousand.
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { IsExcluded } from '../../domain/exclude-pattern.ts';
import type { Step } from '../step.ts';
import { readLines, writeLines } from './byte-lines.ts';
import { UNREAD, writeDraft } from './directory-draft.ts';
import { coveredPart, entryOf, lineOf, unprivilegedPart, type Entry } from './directory-entry.ts';
import { digestsOfAttributes, readAttributes, type AttributesOfPath } from './extended-attributes.ts';
import type { Examples } from './examples.ts';
import { headerLine } from './manifest-file.ts';
import { joinRaw, rawOfText, showRaw, type RawPath } from './raw-path.ts';

/** What a manifest file holds, summed up. `unreadable` is not in the digest: no engine can store it either. */
export interface ManifestSummary {
  digest: string;
  /** The same without owners, set-id bits and system attributes: what a restore without root can bring back. */
  unprivilegedDigest: string;
  files: number;
  directories: number;
  others: number;
  bytes: number;
  notStored: Examples;
  unreadable: Examples;
  /** The folder itself; the digest covers what lies below it. */
  root: Entry;
}

export interface ManifestOptions {
  root: string;
  excluded?: IsExcluded;
  /** An earlier manifest of the same folder: what was not touched since is not read again. */
  previous?: string | null;
  /** The manifest's lines are written here. */
  output: string;
  /** An empty private folder for files in between. */
  scratch: string;
  /** Executable. */
  getfattr: string;
  bytesTotal?: number | null;
  phase?: string;
}

export async function writeManifest(options: ManifestOptions, step: Step): Promise<ManifestSummary> {
  const draft = join(options.scratch, 'manifest.draft');
  const pathsFile = join(options.scratch, 'manifest.paths');
  const attributesFile = join(options.scratch, 'manifest.attributes');
  try {
    const { notStored, unreadable, read } = await writeDraft(options, draft, pathsFile, step);
    const attributes =
      read > 0
        ? readAttributes(options.getfattr, pathsFile, attributesFile, step)
        : nothing<AttributesOfPath>();
    const entries = withAttributes(readDraft(draft), attributes, rawOfText(options.root));
    const header = await firstLine(draft);
    return { ...(await writeEntries(entries, options.output, header)), notStored, unreadable };
  } finally {
    await Promise.all([draft, pathsFile, attributesFile].map((file) => rm(file, { force: true })));
  }
}

/** Writes the lines of a manifest and sums them up. */
export async function writeEntries(
  entries: AsyncIterable<Entry>,
  output: string,
  header: string,
): Promise<Omit<ManifestSummary, 'notStored' | 'unreadable'>> {
  const file = writeLines(output);
  const digest = createHash('sha256');
  const unprivilegedDigest = createHash('sha256');
  const sums = { files: 0, directories: 0, others: 0, bytes: 0 };
  let root: Entry | null = null;
  try {
    await file.write(header);
    for await (const entry of entries) {
      await file.write(lineOf(entry));
      if (entry.path === '') {
        root = entry;
        continue;
      }
      digest.update(`${coveredPart(entry)}\n`);
      unprivilegedDigest.update(`${unprivilegedPart(entry)}\n`);
      if (entry.type === 'file') sums.files += 1;
      else if (entry.type === 'dir') sums.directories += 1;
      else sums.others += 1;
      if (entry.link === null) sums.bytes += entry.size;
    }
    await file.close();
  } finally {
    file.discard();
  }
  if (!root) throw new Error('a manifest without its root');
  return {
    digest: digest.digest('hex'),
    unprivilegedDigest: unprivilegedDigest.digest('hex'),
    ...sums,
    root,
  };
}

async function* readDraft(draft: string): AsyncGenerator<Entry> {
  let header = true;
  for await (const line of readLines(draft)) {
    if (!header) yield entryOf(line);
    header = false;
  }
}

async function firstLine(file: string): Promise<string> {
  for await (const line of readLines(file)) return line;
  return headerLine(0);
}

async function* withAttributes(
  entries: AsyncIterable<Entry>,
  attributes: AsyncIterable<AttributesOfPath>,
  base: RawPath,
): AsyncGenerator<Entry> {
  const records = attributes[Symbol.asyncIterator]();
  let next = await records.next();
  for await (const entry of entries) {
    if (entry.xattrs !== UNREAD) {
      yield entry;
    } else if (!next.done && next.value.path === joinRaw(base, entry.path)) {
      yield { ...entry, ...digestsOfAttributes(next.value.attributes) };
      next = await records.next();
    } else {
      yield { ...entry, xattrs: '-' };
    }
  }
  // An answer to no question: a name was not parsed as it was printed, and the digest would be wrong.
  if (!next.done) throw new Error(`getfattr answered for ${showRaw(next.value.path)}, which was not asked`);
}

async function* nothing<T>(): AsyncGenerator<T> {}
