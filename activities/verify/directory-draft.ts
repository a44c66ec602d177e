// The first pass of a manifest: everything but extended attributes, which are read for a whole list at once.
import { readlink } from 'node:fs/promises';
import { wordsOf } from '../../domain/errors.ts';
import type { Progress } from '../../domain/job.ts';
import type { Step } from '../step.ts';
import { writeLines } from './byte-lines.ts';
import { type ManifestOptions } from './directory-digest.ts';
import { addExample, type Examples } from './examples.ts';
import { isUntouched, lineOf, type Entry } from './directory-entry.ts';
import { isGone, touchOf, walk, type Found } from './directory-walk.ts';
import { digestOfFile } from './file-digest.ts';
import { headerLine, openManifest } from './manifest-file.ts';
import { mergeEntries } from './merge-entries.ts';
import { bufferOfRaw, encodeRaw, joinRaw, rawOfText, showRaw, type RawPath } from './raw-path.ts';

/** Files read at once: enough to keep two cores busy, too few to disturb a disk that is in use. */
const READ_TOGETHER = 8;
/** A timestamp younger than this may stay the same through a second change (kernel tick, coarse file systems). */
const SETTLED_MILLISECONDS = 2_000;

/** Marks, in the draft, a line whose extended attributes are still to be read. */
export const UNREAD = '?';

/** Writes a line an entry, and the absolute paths of those whose attributes must be read, each ended by NUL. */
export async function writeDraft(options: ManifestOptions, draft: string, pathsFile: string, step: Step) {
  const notStored: Examples = { count: 0, examples: [] };
  const unreadable: Examples = { count: 0, examples: [] };
  const begunAt = Date.now();
  const previous = options.previous ? await openManifest(options.previous).catch(() => null) : null;
  const trustedUntil = previous ? BigInt(previous.begunAt - SETTLED_MILLISECONDS) * 1_000_000n : 0n;
  const found = walk(
    options.root,
    {
      ...(options.excluded && { excluded: options.excluded }),
      onSocket: (path) => addExample(notStored, showRaw(path)),
      onUnreadable: (path, words) => addExample(unreadable, `${showRaw(path)}: ${words}`),
    },
    step,
  );
  const lines = writeLines(draft);
  const paths = writeLines(pathsFile, '\0');
  const base = rawOfText(options.root);
  const report = progressReporter(options, step);
  const links = new LinkGroups();
  let read = 0;
  const lost = new Set<RawPath>();
  const flush = async ({ path, pending }: { path: RawPath; pending: Promise<Entry | null> }) => {
    const entry = await pending;
    // The other names of a file that could not be read cannot be either, or will be found changed.
    if (!entry) lost.add(path);
    if (!entry || (entry.link !== null && lost.has(entry.link))) return;
    if (entry.xattrs === UNREAD) {
      read += 1;
      await paths.write(joinRaw(base, entry.path));
    }
    await lines.write(lineOf(entry));
    report.entry(entry);
  };

  const inFlight: { path: RawPath; pending: Promise<Entry | null> }[] = [];
  try {
    await lines.write(headerLine(begunAt));
    for await (const { left: now, right: before } of mergeEntries(
      found,
      previous?.entries ?? nothing<Entry>(),
    )) {
      if (!now) continue;
      const described = describe(now, links);
      const reusable =
        before !== null &&
        isUntouched(before, described) &&
        BigInt(before.ctime) < trustedUntil &&
        (before.content !== '-' || described.type !== 'file' || described.link !== null);
      const pending = reusable
        ? Promise.resolve({ ...described, ...contentOf(before, described), ...attributesOf(before) })
        : readEntry(base, described, step, report.bytes, (words) =>
            addExample(unreadable, `${showRaw(described.path)}: ${words}`),
          );
      pending.catch(() => undefined);
      inFlight.push({ path: now.path, pending });
      const first = inFlight.length >= READ_TOGETHER ? inFlight.shift() : undefined;
      if (first) await flush(first);
    }
    for (const entry of inFlight) await flush(entry);
    await Promise.all([lines.close(), paths.close()]);
    return { notStored, unreadable, read };
  } finally {
    lines.discard();
    paths.discard();
    await previous?.close();
  }
}

/** All there is to know without reading. */
function describe(found: Found, links: LinkGroups): Entry {
  const { path, type, stats } = found;
  return {
    ...touchOf(found),
    path,
    mode: Number(stats.mode & 0o7777n),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    content: type === 'chardev' || type === 'dev' ? String(stats.rdev) : '-',
    link: type === 'file' && stats.nlink > 1n ? links.firstOf(path, stats) : null,
    xattrs: UNREAD,
    privilegedXattrs: '-',
  };
}

function contentOf(before: Entry, now: Entry): Pick<Entry, 'content'> {
  return { content: now.link === null ? before.content : '-' };
}

function attributesOf({ xattrs, privilegedXattrs }: Entry): Pick<Entry, 'xattrs' | 'privilegedXattrs'> {
  return { xattrs, privilegedXattrs };
}

async function readEntry(
  base: RawPath,
  entry: Entry,
  step: Step,
  onBytes: (bytes: number) => void,
  onUnreadable: (words: string) => void,
): Promise<Entry | null> {
  const absolute = bufferOfRaw(joinRaw(base, entry.path));
  try {
    if (entry.type === 'file' && entry.link === null) {
      return { ...entry, content: await digestOfFile(absolute, step, { size: entry.size, onBytes }) };
    }
    if (entry.type === 'symlink') {
      const target = (await readlink(absolute, { encoding: 'buffer' })).toString('latin1');
      return { ...entry, content: `>${encodeRaw(target)}` };
    }
    return entry;
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code;
    if (code === 'EACCES' || code === 'EPERM' || code === 'EIO') {
      onUnreadable(wordsOf(thrown));
      return null;
    }
    // It vanished or became something else meanwhile: the second look will find that it changed.
    if (isGone(thrown) || code === 'ELOOP' || code === 'EINVAL' || code === 'ENXIO') return null;
    throw thrown;
  }
}

/** Which paths share an inode. A group is forgotten when its last member was met, so few are held at a time. */
class LinkGroups {
  readonly #open = new Map<string, { first: RawPath; left: bigint }>();

  firstOf(path: RawPath, stats: { dev: bigint; ino: bigint; nlink: bigint }): RawPath | null {
    const key = `${stats.dev}:${stats.ino}`;
    const group = this.#open.get(key);
    if (!group) {
      this.#open.set(key, { first: path, left: stats.nlink - 1n });
      return null;
    }
    group.left -= 1n;
    if (group.left <= 0n) this.#open.delete(key);
    return group.first;
  }
}

function progressReporter(options: ManifestOptions, step: Step) {
  const startedAt = performance.now();
  const done: Progress = {
    phase: options.phase ?? 'digest',
    bytesDone: 0,
    bytesTotal: options.bytesTotal ?? null,
    filesDone: 0,
    filesTotal: null,
    bytesPerSecond: 0,
    etaSeconds: null,
  };
  const report = () => {
    const seconds = (performance.now() - startedAt) / 1000;
    done.bytesPerSecond = seconds > 0 ? Math.round(done.bytesDone / seconds) : 0;
    step.progress({ ...done });
  };
  return {
    bytes: (bytes: number) => {
      done.bytesDone += bytes;
      report();
    },
    entry: (entry: Entry) => {
      if (entry.type === 'file') done.filesDone += 1;
      if (done.filesDone % 256 === 0) report();
    },
  };
}

async function* nothing<T>(): AsyncGenerator<T> {}
