// Where a swap brings data from and to.
import { dirname } from 'node:path';
import { lookAt } from '../hosts/filesystem.ts';
import { rawOfText, type RawPath } from '../verify/raw-path.ts';
import type { Bring } from './swap-journal.ts';

export async function bringOf(source: string, fresh: RawPath, folder: string): Promise<Bring> {
  const [itself, above] = await Promise.all([lookAt(source), lookAt(dirname(source))]);
  return {
    source: rawOfText(source),
    fresh,
    how: await howToBring(source, folder),
    sourceMtime: itself && String(itself.mtimeNs),
    sourceFolderMtime: above && String(above.mtimeNs),
  };
}

/** Renaming needs one file system. The nearest folder above counts where the target's is yet to be made. */
async function howToBring(source: string, folder: string): Promise<'rename' | 'copy'> {
  const from = await lookAt(source);
  for (let at = folder; ; at = dirname(at)) {
    const stats = await lookAt(at);
    if (stats) return from?.dev === stats.dev ? 'rename' : 'copy';
    if (at === dirname(at)) return 'copy';
  }
}

/** From the outermost on. */
export async function missingFolders(folder: string): Promise<string[]> {
  const missing: string[] = [];
  for (let at = folder; !(await lookAt(at)); at = dirname(at)) missing.unshift(rawOfText(at));
  return missing;
}

export async function nearestFolder(folder: string, root: string): Promise<string | null> {
  for (let at = folder; at === root || at.startsWith(`${root}/`); at = dirname(at)) {
    if (await lookAt(at)) return at;
  }
  return null;
}
