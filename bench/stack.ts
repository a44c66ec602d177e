// One Holdfast for a bench: its configuration in a folder, its processes, its API.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { openService, type Service } from '../cli/service.ts';
import type { Job } from '../domain/job.ts';
import type { Restore } from '../domain/restore.ts';

export interface BenchStack {
  folder: string;
  dataDir: string;
  /** Of the configuration. */
  file: string;
  service: Service;
  /** The command line. */
  run(...words: string[]): Promise<unknown>;
  stop(): Promise<void>;
}

/** Repositories lie below the folder; the password of each is `bench`, in `bench.key`. */
export async function benchStack(
  folder: string,
  configuration: object,
  env: Record<string, string>,
): Promise<BenchStack> {
  const file = join(folder, 'holdfast.yaml');
  const dataDir = join(folder, 'state');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'bench.key'), 'bench\n', { mode: 0o600 });
  await writeFile(file, JSON.stringify({ version: 1, dataDir, ...configuration }));
  const run = (...words: string[]) =>
    execa(process.execPath, [holdfast, '--config', file, '--json', ...words], {
      env,
      stdin: 'ignore',
      stderr: 'ignore',
    });
  await run('up', '--detach').catch(async (error: unknown) => {
    const logs = ['up', 'worker'].map((name) => readFile(join(dataDir, 'log', `${name}.log`), 'utf8'));
    const words = (await Promise.allSettled(logs)).map((log) =>
      'value' in log ? log.value.slice(-2000) : '',
    );
    throw new Error(`Holdfast could not be started: ${words.join('')}`, { cause: error });
  });
  return {
    ...{ folder, dataDir, file, run },
    service: await openService(file),
    stop: async () => {
      await run('down');
    },
  };
}

const holdfast = fileURLToPath(new URL('../cli/holdfast.mjs', import.meta.url));

/** Throws unless it was a success. */
export async function endedJob(service: Service, id: string): Promise<Job> {
  for (;;) {
    const job = await service.get<Job>(`/jobs/${id}`);
    if (job.status === 'success') return job;
    if (job.status !== 'running' && job.status !== 'waiting') throw new Error(JSON.stringify(job));
    await pause(50);
  }
}

export async function settledRestore(
  service: Service,
  id: string,
  wanted: Restore['status'],
): Promise<Restore> {
  for (;;) {
    const restore = await service.get<Restore>(`/restores/${id}`);
    if (restore.status === wanted) return restore;
    if (restore.error) throw new Error(JSON.stringify(restore));
    await pause(50);
  }
}
