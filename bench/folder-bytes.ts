import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Of all files below it; what vanishes while it looks counts as nothing. */
export async function folderBytes(path: string): Promise<number> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  const sizes = await Promise.all(
    entries.map((entry) => {
      const inner = join(path, entry.name);
      if (entry.isDirectory()) return folderBytes(inner);
      return stat(inner).then(
        ({ size }) => size,
        () => 0,
      );
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
