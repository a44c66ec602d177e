import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Step } from '../step.ts';
import { stopIfCancelled } from './cancellation.ts';

const CHUNK_BYTES = 256 * 1024;

/**
 * SHA-256 of a regular file, to its end wherever that is by now. Follows no symlink and never waits for a fifo
 * that took the file's place. `size`: what it is thought to be, which spares a small file two system calls.
 */
export async function digestOfFile(
  path: string | Buffer,
  step: Pick<Step, 'signal'>,
  options: { size?: number; onBytes?: (bytes: number) => void } = {},
): Promise<string> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const hash = createHash('sha256');
    // One byte more than expected: a read that leaves it free has met the end.
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, (options.size ?? CHUNK_BYTES) + 1));
    for (let total = 0; ;) {
      stopIfCancelled(step);
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
      hash.update(buffer.subarray(0, bytesRead));
      if (bytesRead > 0) options.onBytes?.(bytesRead);
      total += bytesRead;
      // Some file systems answer with less than there is: only at the expected size is a short read the end.
      if (bytesRead === 0 || (bytesRead < buffer.length && total === options.size)) return hash.digest('hex');
    }
  } finally {
    await handle.close();
  }
}
