// The same work through Holdfast: one stack for the whole run, a repository and a policy for each round. Times
// are those of the job as a client of the API sees it; the command line's own start is measured apart.

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { openService } from '../cli/service.ts';
import type { Service } from '../cli/service.ts';
import type { Job } from '../domain/job.ts';
import type { Restore } from '../domain/restore.ts';
import { timed } from './bare-side.ts';
import type { CountedRestic } from './counted-restic.ts';
import { folderBytes } from './folder-bytes.ts';
import { cpuSeconds, findProcess, peakMemory } from './processes.ts';
import type { Tree } from './tree.ts';

/** Of an unchanged backup. CPU in seconds, restic's not counted. */
export interface Cost {
  /** restic calls of the job for one asset. */
  calls: string[];
  workerCpu: number;
  temporalCpu: number;
}

export interface Interrupted {
  repositoryBytes: number;
  /** From the worker's death until restic was called again for the job. */
  goesOnAfter: number;
  attempts: string[];
}

export interface HoldfastSide {
  /** Seconds, of a job as a client of the API sees it. */
  first(policy: string): Promise<number>;
  unchanged(policy: string): Promise<{ seconds: number } & Cost>;
  restore(policy: string): Promise<{ prepare: number; commit: number }>;
  interrupted(policy: string, minimum: number): Promise<Interrupted>;
  /** `status` on the command line: what Node.js and the program take before and after the work. */
  commandLine(): Promise<number>;
  memory(): Promise<Record<'worker' | 'temporal' | 'api', number>>;
  stop(): Promise<void>;
}

const holdfast = fileURLToPath(new URL('../cli/holdfast.mjs', import.meta.url));

export async function holdfastSide(
  folder: string,
  restic: CountedRestic,
  tree: Tree,
  policies: { name: string; proof: 'stored' | 'proven' }[],
  profileInto: string | null,
): Promise<HoldfastSide> {
  const configuration = join(folder, 'holdfast.yaml');
  const dataDir = join(folder, 'state');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'bench.key'), 'bench\n', { mode: 0o600 });
  await writeFile(configuration, JSON.stringify(configurationOf(policies, tree, dataDir)));

  const run = (...words: string[]) =>
    execa(process.execPath, [holdfast, '--config', configuration, '--json', ...words], {
      env: { PATH: `${restic.folder}:${process.env['PATH'] ?? ''}`, ...profiling(profileInto) },
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
  const service = await openService(configuration);
  const worker = () => findProcess('workers/main.ts', dataDir);
  const temporal = () => findProcess('start-dev', dataDir);

  const lastPoints = new Map<string, string>();

  async function backUp(policy: string): Promise<number> {
    return timed(async () => {
      const job = await runJob(service, policy);
      lastPoints.set(policy, job.assets[0]?.recoveryPointId ?? '');
    });
  }

  return {
    first: backUp,
    unchanged: async (policy) => {
      const before = [await cpuSeconds(await worker()), await cpuSeconds(await temporal())] as const;
      const counted = (await restic.calls()).length;
      const seconds = await backUp(policy);
      return {
        seconds,
        calls: (await restic.calls()).slice(counted).map(({ verb }) => verb),
        workerCpu: (await cpuSeconds(await worker())) - before[0],
        temporalCpu: (await cpuSeconds(await temporal())) - before[1],
      };
    },

    restore: async (policy) => {
      const to = join(folder, `${policy}-restored`);
      const request = {
        asset: policy,
        point: lastPoints.get(policy),
        time: null,
        include: [],
        to,
        from: null,
      };
      let id = '';
      const prepare = await timed(async () => {
        ({ id } = await service.post<Restore>('/restores', request));
        await settled(service, id, 'prepared');
      });
      const commit = await timed(async () => {
        await service.post(`/restores/${id}/commit`, {});
        await settled(service, id, 'completed');
      });
      await rm(to, { recursive: true });
      return { prepare, commit };
    },

    interrupted: async (policy, minimum) => {
      const repository = join(folder, policy);
      const started = await service.post<Job>('/backups', { policy, assets: [] });
      while ((await folderBytes(repository)) < minimum / 2) await pause(10);
      const counted = (await restic.calls()).length;
      const diedAt = Date.now();
      process.kill(await worker(), 'SIGKILL');
      await ended(service, started.id);
      const calls = (await restic.calls()).slice(counted);
      return {
        repositoryBytes: await folderBytes(repository),
        goesOnAfter: ((calls[0]?.at ?? NaN) - diedAt) / 1000,
        attempts: calls.map(({ verb }) => verb),
      };
    },

    commandLine: () => timed(() => run('status')),
    memory: async () => ({
      worker: await peakMemory(await worker()),
      temporal: await peakMemory(await temporal()),
      api: await peakMemory(await findProcess('api/main.ts', dataDir)),
    }),
    stop: async () => {
      await run('down');
    },
  };
}

function profiling(folder: string | null): Record<string, string> {
  if (folder === null) return {};
  return {
    NODE_OPTIONS: `--import ${import.meta.resolve('./cpu-profile.mjs')}`,
    HOLDFAST_BENCH_PROFILE: folder,
  };
}

/** Each policy with an asset of its own: what is remembered of a tree between rounds would help the later ones. */
function configurationOf(policies: { name: string; proof: string }[], tree: Tree, dataDir: string) {
  return {
    version: 1,
    dataDir,
    // It would share the disk with what is measured.
    controlPlane: { repositories: [] },
    repositories: policies.map(({ name }) => ({
      name,
      type: 'restic',
      url: `./${name}`,
      password: 'file:./bench.key',
    })),
    assets: policies.map(({ name }) => ({ name, type: 'directory', path: tree.path })),
    policies: policies.map(({ name, proof }) => ({
      name,
      assets: [name],
      every: '7d',
      repository: name,
      proof,
    })),
  };
}

async function runJob(service: Service, policy: string): Promise<Job> {
  const { id } = await service.post<Job>('/backups', { policy, assets: [] });
  return ended(service, id);
}

async function ended(service: Service, id: string): Promise<Job> {
  for (;;) {
    const job = await service.get<Job>(`/jobs/${id}`);
    if (job.status === 'success') return job;
    if (job.status !== 'running' && job.status !== 'waiting') throw new Error(JSON.stringify(job));
    await pause(50);
  }
}

async function settled(service: Service, id: string, wanted: Restore['status']): Promise<Restore> {
  for (;;) {
    const restore = await service.get<Restore>(`/restores/${id}`);
    if (restore.status === wanted) return restore;
    if (restore.error) throw new Error(JSON.stringify(restore));
    await pause(50);
  }
}
