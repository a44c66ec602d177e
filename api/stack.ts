import { readFile } from 'node:fs/promises';
import { z } from 'zod';

/** What `up` tells the API; it writes more into the file, which is the worker's. */
const stack = z.object({
  configuration: z.string(),
  dataDir: z.string(),
  temporal: z.object({ address: z.string(), namespace: z.string() }),
  catalogUrl: z.string(),
  host: z.string(),
  apiPort: z.number().nullable(),
});

export async function readStackFile(path: string): Promise<z.infer<typeof stack>> {
  return stack.parse(JSON.parse(await readFile(path, 'utf8')));
}
