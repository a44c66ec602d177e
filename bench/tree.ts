// The tree both sides back up: the same bytes on every machine, incompressible and text-like files mixed.

import { createCipheriv } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface Tree {
  path: string;
  files: number;
  bytes: number;
}

/** Of 120 files, 100 have 8 KiB, 19 have 64 KiB, one has 1.25 MiB: 27 KiB on average, 338 MB for 12,000. */
export async function buildTree(path: string, files: number): Promise<Tree> {
  const noise = endlessNoise();
  let bytes = 0;
  for (let start = 0; start < files; start += FILES_IN_FOLDER) {
    const folder = folderOf(path, start);
    await mkdir(folder, { recursive: true });
    for (let index = start; index < Math.min(files, start + FILES_IN_FOLDER); index += 1) {
      const content = contentOf(index, noise);
      await writeFile(join(folder, `file-${index}`), content);
      bytes += content.length;
    }
  }
  return { path, files, bytes };
}

/** Reads it once, so that neither side meets a colder cache than the other. */
export async function warm({ path, files }: Tree): Promise<void> {
  for (let index = 0; index < files; index += 1) await readFile(join(folderOf(path, index), `file-${index}`));
}

const FILES_IN_FOLDER = 100;

function folderOf(path: string, index: number): string {
  const number = Math.floor(index / FILES_IN_FOLDER);
  return join(path, `part-${number % 10}`, `folder-${number}`);
}

function contentOf(index: number, noise: (bytes: number) => Buffer): Buffer {
  const place = index % 120;
  const size = place === 119 ? 1.25 * 2 ** 20 : place >= 100 ? 64 * 1024 : 8 * 1024;
  const content = noise(size);
  // Every second one compresses to about half, as text does.
  return index % 2 === 0 ? content : Buffer.from(content.toString('hex').slice(0, size));
}

/** AES in counter mode over zeros, with a fixed key: fast, and as good as random. */
function endlessNoise(): (bytes: number) => Buffer {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, 7), Buffer.alloc(16));
  return (bytes) => cipher.update(Buffer.alloc(bytes));
}
