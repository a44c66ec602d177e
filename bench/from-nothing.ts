// How long it takes from an empty machine: the service is lost whole, and comes back from one repository and its key.

import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { openService } from '../cli/service.ts';
import type { Restore } from '../domain/restore.ts';
import { folderBytes } from './folder-bytes.ts';
import { settledRestore, type BenchStack } from './stack.ts';

/** Seconds since the recovery was begun. */
export interface FromNothing {
  /** The catalogue is back. */
  recovered: number;
  /** The service answers. */
  up: number;
  firstByte: number;
  everything: number;
}

/** The data directory and the configuration are gone afterwards and before; what is restored goes to `to`. */
export async function fromNothing(
  { run, file, folder, dataDir }: BenchStack,
  repository: string,
  asset: string,
  to: string,
): Promise<FromNothing> {
  const configuration = JSON.parse(await readFile(file, 'utf8')) as object;
  await writeFile(file, JSON.stringify({ ...configuration, controlPlane: { repositories: [repository] } }));
  await run('apply');
  await run('control-plane', 'backup', '--repository', repository);
  await run('down');
  await rm(dataDir, { recursive: true });
  await rm(file);

  const from = performance.now();
  const since = () => (performance.now() - from) / 1000;
  const password = `file:${join(folder, 'bench.key')}`;
  await run('recover', '--repository', join(folder, repository), '--password', password);
  const recovered = since();
  await run('up', '--detach');
  const up = since();
  const service = await openService(file);
  const request = { asset, point: 'latest', time: null, include: [], to, from: repository };
  const { id } = await service.post<Restore>('/restores', request);
  while ((await folderBytes(join(dataDir, 'restores'))) === 0) await pause(20);
  const firstByte = since();
  await settledRestore(service, id, 'prepared');
  await service.post(`/restores/${id}/commit`, {});
  await settledRestore(service, id, 'completed');
  return { recovered, up, firstByte, everything: since() };
}
