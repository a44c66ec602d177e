import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import {
  catalogOwner,
  initialiseCluster,
  majorOf,
  newPassword,
  startCluster,
} from '../../activities/hosts/postgres-cluster.ts';
import { postgresServerBinaries } from '../../activities/hosts/postgres-binaries.ts';
import { writePrivately } from '../stack-file.ts';
import type { Part } from './part.ts';

const credentials = z.object({ owner: z.string(), application: z.string() });

export interface CatalogServer {
  part: Part;
  /** As the cluster's superuser: for migrations only. */
  ownerUrl: string;
  applicationPassword: string;
}

/** The embedded catalogue: a durable private cluster in the data directory, on a port of its own. */
export async function catalogServer(dataDir: string, port: number): Promise<CatalogServer> {
  const folder = join(dataDir, 'catalog', 'cluster');
  const passwords = await readOrMakePasswords(join(dataDir, 'catalog', 'credentials.json'));
  const binaries = await postgresServerBinaries((await majorOf(folder)) ?? undefined);
  await mkdir(join(dataDir, 'catalog'), { recursive: true, mode: 0o700 });
  const part: Part = {
    name: 'catalog',
    launch: async () => {
      await initialiseCluster({
        folder,
        binaries: binaries.folder,
        owner: await catalogOwner(),
        password: passwords.owner,
      });
      const { pid, exited, stop } = await startCluster({
        folder,
        binaries: binaries.folder,
        port,
        durable: true,
      });
      return { pid, exited, stop };
    },
  };
  return {
    part,
    ownerUrl: `postgresql://postgres:${passwords.owner}@127.0.0.1:${port}/postgres`,
    applicationPassword: passwords.application,
  };
}

/** Made once, before the cluster: a crash in between leaves passwords that the next start uses. */
async function readOrMakePasswords(path: string): Promise<z.infer<typeof credentials>> {
  const text = await readFile(path, 'utf8').catch(() => null);
  if (text !== null) return credentials.parse(JSON.parse(text));
  const made = { owner: newPassword(), application: newPassword() };
  await writePrivately(path, made);
  return made;
}
