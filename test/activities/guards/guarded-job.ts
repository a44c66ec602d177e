// A job with the real steps, a real catalogue and real restic, its clock in the test's hands.

import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createBackupSteps } from '../../../activities/backup-steps.ts';
import type { GuardInput, GuardVerdict } from '../../../activities/contract.ts';
import type { Deployment } from '../../../activities/deployment.ts';
import { createGuardSteps } from '../../../activities/guard-steps.ts';
import { createProcessFence } from '../../../activities/hosts/process-fence.ts';
import { openRepository } from '../../../activities/repositories/open.ts';
import { createSources } from '../../../activities/sources/index.ts';
import { parseConfiguration } from '../../../domain/configuration/parse.ts';
import type { RepositoryFence } from '../../../domain/lease.ts';
import { aJob, type Fixture } from '../../catalog/fixture.ts';

export interface GuardedJob {
  jobId: string;
  /** Of the leases that the steps work under. */
  fences: RepositoryFence[];
  at(...names: string[]): string;
  deployment: Deployment;
  /** A further job of the asset, with everything it needs begun. */
  next(): Promise<string>;
  guard(step?: 'store' | 'copy', repository?: string): Promise<string | null>;
  /** By the attempt of the activity. */
  store(attempt?: number, environment?: MockActivityEnvironment): Promise<unknown>;
  copy(attempt?: number): Promise<unknown>;
  notes(): Promise<string[]>;
  events(): Promise<string[]>;
  /** The one started last. */
  killTool(): void;
  close(): Promise<void>;
}

/** `repositories`: YAML of `local`'s and `offsite`'s further keys. */
export async function makeGuardedJob(
  fixture: Fixture,
  clock: () => Date,
  { local = '', offsite = '', dataClass = 'standard' },
): Promise<GuardedJob> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-guards-'));
  const at = (...names: string[]) => join(folder, ...names);
  for (const name of ['asset', 'data', 'local', 'offsite']) await mkdir(at(name));
  await writeFile(at('key'), 'a key\n', { mode: 0o600 });
  const source = `version: 1
dataDir: ./data
repositories:
  - { name: local, type: restic, url: ./local, password: file:./key, ${local} }
  - { name: offsite, type: restic, url: ./offsite, password: file:./key, ${offsite} }
assets:
  - { name: uploads, type: directory, path: ./asset, class: ${dataClass} }
policies:
  - { name: daily, assets: [uploads], every: 24h, repository: local, copies: [offsite], proof: stored }`;
  const { configuration } = parseConfiguration(source, { file: 'holdfast.yaml', folder });
  const { catalog } = fixture;
  // Each job has repositories of its own, under names that others had before.
  await fixture.sql('update repositories set initialised_at = null');
  await catalog.configurations.apply(configuration);
  const digest = (await catalog.configurations.current())?.digest ?? '';
  const fence = createProcessFence(at('data'));
  const pids: number[] = [];
  const deployment: Deployment = {
    catalog,
    processes: {
      ...fence,
      record: (key, started) => {
        pids.push(started.pid);
        return fence.record(key, started);
      },
    },
    catalogUrl: fixture.applicationUrl,
    dataDir: at('data'),
    hostQueue: 'host',
    clock,
    leases: { ask: async () => {}, holderRuns: async () => true },
    openRepository,
    sourceOf: createSources(at('data')),
  };
  const steps = { ...createBackupSteps(deployment), ...createGuardSteps(deployment) };
  let point = '';
  const scope = () => ({ jobId: job.jobId, configuration: digest, policy: 'daily', asset: 'uploads' });
  const run = <I, O>(
    step: (input: I) => Promise<O>,
    input: I,
    attempt = 1,
    environment = new MockActivityEnvironment({ attempt }),
  ): Promise<O> => environment.run<[I], O, typeof step>(step, input);

  const job: GuardedJob = {
    jobId: '',
    fences: [],
    at,
    deployment,
    async next() {
      const { id } = await catalog.jobs.begin(aJob({ assets: ['uploads'] }));
      await catalog.jobs.setAsset(id, 'uploads', { status: 'running' });
      job.jobId = id;
      point = randomUUID();
      return id;
    },
    async guard(step = 'store', repository = step === 'store' ? 'local' : 'offsite') {
      const input: GuardInput = { ...scope(), repository, step, point: step === 'copy' ? point : null };
      return (await run<GuardInput, GuardVerdict>(steps.guardUpload, input)).goesOnAt;
    },
    store: (attempt, environment) =>
      run(
        steps.snapshotAsset,
        { ...scope(), fences: job.fences, point, repository: 'local', manifest: false },
        attempt,
        environment,
      ),
    copy: (attempt) =>
      run(steps.copyPoint, { ...scope(), fences: job.fences, point, from: 'local', to: 'offsite' }, attempt),
    notes: async () => (await catalog.jobs.find(job.jobId)).assets[0]?.notes ?? [],
    events: async () => (await catalog.jobEvents.list(job.jobId)).items.map(({ message }) => message),
    killTool: () => process.kill(pids.at(-1) ?? 0, 'SIGKILL'),
    close: () => rm(folder, { recursive: true, force: true }),
  };
  await job.next();
  return job;
}

/** What lies in a folder, to the byte. */
export async function bytesIn(folder: string): Promise<number> {
  let sum = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) sum += (await stat(join(entry.parentPath, entry.name))).size;
  return sum;
}
