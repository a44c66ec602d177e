// A directory's manifest as a file: a first line that says when it was begun, then one line an entry in the
// order of the walk. Kept compressed beside the staged copies of its asset.
import { mkdir, readFile, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compressFile, readLines } from './byte-lines.ts';
import { entryOf, type Entry } from './directory-entry.ts';

const KEPT_MANIFESTS = 50;
const FORMAT = 'holdfast-directory-manifest 1';

export function headerLine(begunAtMilliseconds: number): string {
  return `${FORMAT} ${begunAtMilliseconds}`;
}

/** When the walk began (milliseconds since 1970), and the entries. */
export async function openManifest(
  file: string,
): Promise<{ begunAt: number; entries: AsyncGenerator<Entry>; close: () => Promise<void> }> {
  const lines = readLines(file);
  const header = await lines.next();
  const text = header.done ? '' : header.value;
  if (!text.startsWith(`${FORMAT} `)) throw new Error(`${file} is not a directory manifest`);
  async function* entries() {
    for await (const line of lines) yield entryOf(line);
  }
  const close = async () => void (await lines.return(undefined));
  return { begunAt: Number(text.slice(FORMAT.length + 1)), entries: entries(), close };
}

/** Keeps a manifest under its digest and as the asset's latest, and drops the oldest. Runs twice alike. */
export async function keepManifest(file: string, staging: string, digest: string): Promise<void> {
  const folder = join(staging, 'manifests');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const kept = join(folder, `${digest}.gz`);
  await compressFile(file, `${kept}.partial`);
  await rename(`${kept}.partial`, kept);
  await writeFile(join(folder, 'latest.partial'), digest);
  await rename(join(folder, 'latest.partial'), join(folder, 'latest'));
  await dropOldest(folder);
}

/** The asset's last manifest, for the digests of files that nothing has touched since. */
export async function latestManifest(staging: string): Promise<string | null> {
  const digest = await readFile(join(staging, 'manifests', 'latest'), 'utf8').catch(() => '');
  return digest === '' ? null : await keptManifest(staging, digest);
}

export async function keptManifest(staging: string, digest: string): Promise<string | null> {
  if (!/^[0-9a-f]{64}$/.test(digest)) return null;
  const file = join(staging, 'manifests', `${digest}.gz`);
  const now = new Date();
  return await utimes(file, now, now).then(
    () => file,
    () => null,
  );
}

async function dropOldest(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.gz'));
  if (names.length <= KEPT_MANIFESTS) return;
  const aged = await Promise.all(
    names.map(async (name) => ({ name, usedAt: (await stat(join(folder, name))).mtimeMs })),
  );
  aged.sort((a, b) => b.usedAt - a.usedAt);
  await Promise.all(aged.slice(KEPT_MANIFESTS).map(({ name }) => rm(join(folder, name), { force: true })));
}
