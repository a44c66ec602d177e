// An archive in memory, in the oldest form every `tar` reads: what is sealed must not lie on a disk in plain first.

import { HoldfastError } from '../../domain/errors.ts';

export interface ArchivedFile {
  /** Relative; at most 100 bytes, which the names of repositories keep to. */
  path: string;
  content: Buffer;
}

const BLOCK = 512;

/** Every file 0600, every folder 0700, by nobody in particular. */
export function writeTar(files: readonly ArchivedFile[], writtenAt: Date): Buffer {
  const folders = new Set(files.flatMap(({ path }) => foldersAbove(path)));
  return Buffer.concat([
    ...[...folders].sort().map((folder) => header(`${folder}/`, 0, '5', writtenAt)),
    ...files.flatMap(({ path, content }) => [
      header(path, content.length, '0', writtenAt),
      content,
      Buffer.alloc(-content.length & (BLOCK - 1)),
    ]),
    Buffer.alloc(2 * BLOCK),
  ]);
}

function foldersAbove(path: string): string[] {
  const names = path.split('/').slice(0, -1);
  return names.map((_, index) => names.slice(0, index + 1).join('/'));
}

function header(path: string, size: number, type: '0' | '5', writtenAt: Date): Buffer {
  const block = Buffer.alloc(BLOCK);
  if (Buffer.byteLength(path) > 100) {
    throw new HoldfastError({
      code: 'internal',
      message: 'the recovery kit cannot hold a file',
      cause: `${path} is too long a name`,
      hint: 'give the repository a shorter name',
    });
  }
  const number = (value: number, length: number) => `${value.toString(8).padStart(length - 1, '0')}\0`;
  block.write(path, 0);
  block.write(number(type === '5' ? 0o700 : 0o600, 8), 100);
  block.write(number(0, 8), 108);
  block.write(number(0, 8), 116);
  block.write(number(size, 12), 124);
  block.write(number(Math.floor(writtenAt.getTime() / 1000), 12), 136);
  // The sum is taken with blanks in its own place.
  block.write(' '.repeat(8), 148);
  block.write(type, 156);
  block.write('ustar\0', 257);
  block.write('00', 263);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}
