import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';

// What the running parts of one data directory tell each other. 0600: it holds the catalogue's password.

const stack = z.object({
  /** The configuration file, absolute. */
  configuration: z.string(),
  dataDir: z.string(),
  temporal: z.object({ address: z.string(), namespace: z.string(), ui: z.string().nullable() }),
  /** As the application role, with its password. */
  catalogUrl: z.string(),
  /** Names the host's own task queue. */
  host: z.string(),
  apiPort: z.number().nullable(),
  metricsPort: z.number().nullable(),
});

export type Stack = z.infer<typeof stack>;

export function stackFile(dataDir: string): string {
  return join(dataDir, 'run', 'stack.json');
}

export async function readStack(path: string): Promise<Stack> {
  return stack.parse(JSON.parse(await readFile(path, 'utf8')));
}

/** Written by rename: whoever reads it sees all of the old or all of the new one. */
export async function writePrivately(path: string, content: unknown): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  await rename(temporary, path);
}
