// An asset with points in a repository and a copy elsewhere, with the real steps, a real catalogue and real restic: what
// one run of a sync does, without the workflow.

import { randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createBackupSteps } from '../../../activities/backup-steps.ts';
import { createDamagedCopySteps } from '../../../activities/clear-damaged.ts';
import type { DueCopy } from '../../../activities/contract.ts';
import type { Deployment } from '../../../activities/deployment.ts';
import { createProcessFence } from '../../../activities/hosts/process-fence.ts';
import { planCopies } from '../../../activities/plan-copies.ts';
import { createProofSteps } from '../../../activities/proof-steps.ts';
import { createResticRepository } from '../../../activities/repositories/restic.ts';
import { createSources } from '../../../activities/sources/index.ts';
import type { CopyState } from '../../../domain/copies/lag.ts';
import { parseConfiguration } from '../../../domain/configuration/parse.ts';
import type { Failure } from '../../../domain/job.ts';
import { proofOfCopy } from '../../../domain/proof.ts';
import { aJob, type Fixture } from '../../catalog/fixture.ts';
import {
  digestOf,
  randomFiles,
  recordedStep,
  removeFolder,
  resticTool,
  temporaryFolder,
} from '../repositories/repository-fixtures.ts';

export interface TravellingAsset {
  deployment: Deployment;
  at(...names: string[]): string;
  /** A new point of new files in `local`. */
  backUp(files?: number, bytesEach?: number): Promise<string>;
  due(): Promise<DueCopy[]>;
  /** Sends what is due, newest first, until something fails; returns what failed. */
  sync(attempt?: number): Promise<Failure | null>;
  /** Reads the point back there; null: it is whole. */
  readBack(point: string): Promise<Failure | null>;
  /** Whether what is in the copy is what was backed up, byte by byte. */
  restores(point: string): Promise<boolean>;
  snapshots(point: string): Promise<string[]>;
  /** Repositories the catalogue lists for the point, with the proof of each copy. */
  copies(point: string): Promise<string[]>;
  state(): Promise<CopyState>;
  close(): Promise<void>;
}

/** `env`: of the copy's repository, by name; each value lies in a file of that name. */
export async function travellingAsset(
  fixture: Fixture,
  offsite: { url?: string; env?: Record<string, string> } = {},
): Promise<TravellingAsset> {
  const { catalog } = fixture;
  const folder = await temporaryFolder();
  const at = (...names: string[]) => join(folder, ...names);
  for (const name of ['asset', 'data', 'kept']) await mkdir(at(name));
  const { url = './offsite', env = {} } = offsite;
  for (const [name, value] of Object.entries({ key: 'a key', offkey: 'another', ...env }))
    await writeFile(at(name), value, { mode: 0o600 });
  const references = Object.keys(env).map((name) => `${name}: "file:./${name}"`);
  const source = `version: 1
dataDir: ./data
repositories:
  - { name: local, type: restic, url: ./local, password: file:./key }
  - { name: offsite, type: restic, url: "${url}", password: file:./offkey, env: { ${references.join(', ')} } }
assets:
  - { name: uploads, type: directory, path: ./asset }
policies:
  - { name: daily, assets: [uploads], every: 24h, repository: local, copies: [{ repository: offsite, every: 1h }],
      proof: stored, retention: { keepLast: 100 } }`;
  const { configuration } = parseConfiguration(source, { file: 'holdfast.yaml', folder });
  // Each has repositories of its own, under names and with points that others had before.
  await fixture.sql(
    'truncate recovery_points, point_copies, dropped_copies, sync_state, copy_attempts, repositories, repository_looks cascade',
  );
  await catalog.configurations.apply(configuration);
  const digest = (await catalog.configurations.current())?.digest ?? '';
  const tool = await resticTool();
  const deployment: Deployment = {
    catalog,
    catalogUrl: fixture.ownerUrl,
    processes: createProcessFence(at('data')),
    dataDir: at('data'),
    hostQueue: 'host',
    clock: () => new Date(),
    leases: { ask: async () => {}, holderRuns: async () => true },
    openRepository: async ({ repositories }, name) => {
      const configured = repositories.find((repository) => repository.name === name);
      if (!configured) throw new Error(name);
      const { url: location, password, env: variables } = configured;
      const cacheFolder = at('data', 'cache');
      const bounds = { unreachableSeconds: 2, lockWaitSeconds: 1 };
      return createResticRepository({
        name,
        url: location,
        password,
        env: variables,
        cacheFolder,
        tool,
        ...bounds,
      });
    },
    sourceOf: createSources(at('data')),
  };
  const steps = {
    ...createBackupSteps(deployment),
    ...createDamagedCopySteps(deployment),
    ...createProofSteps(deployment),
  };
  const run = <I, O>(step: (input: I) => Promise<O>, input: I, attempt = 1): Promise<O> =>
    new MockActivityEnvironment({ attempt }, { logger: new DefaultLogger('ERROR') }).run<[I], O, typeof step>(
      step,
      input,
    );
  const beginJob = async () => {
    const startedAt = new Date().toISOString();
    const { id } = await catalog.jobs.begin(aJob({ assets: ['uploads'], startedAt }));
    await catalog.jobs.setAsset(id, 'uploads', { status: 'running' });
    return { jobId: id, configuration: digest, policy: 'daily', asset: 'uploads' };
  };
  const opened = () => deployment.openRepository(configuration, 'offsite');

  const asset: TravellingAsset = {
    deployment,
    at,
    async backUp(files = 2, bytesEach = 300_000) {
      const point = randomUUID();
      await randomFiles(at('asset'), files, bytesEach);
      const scope = await beginJob();
      await run(steps.snapshotAsset, { ...scope, fences: [], point, repository: 'local', manifest: false });
      await writeFile(at('kept', point), await digestOf(at('asset')));
      return point;
    },
    due: async () => {
      const scope = { jobId: randomUUID(), configuration: digest, policy: 'daily' };
      return planCopies(deployment, { ...scope, repository: 'offsite', without: [] });
    },
    async sync(attempt = 1) {
      const scope = await beginJob();
      return failureIn(async () => {
        for (const { point, damaged } of await asset.due()) {
          const copy = { ...scope, fences: [], point, from: 'local', to: 'offsite' };
          if ((await catalog.repositories.find('offsite'))?.needsRepair)
            await run(steps.repairRepository, { ...scope, repository: 'offsite' });
          if (damaged) await run(steps.clearDamagedCopy, copy);
          await run(steps.copyPoint, { ...copy, repaired: true }, attempt);
        }
      });
    },
    async readBack(point) {
      const scope = await beginJob();
      return failureIn(() => run(steps.verifyPoints, { ...scope, points: [point], repository: 'offsite' }));
    },
    async restores(point) {
      const copy = (await catalog.points.find(point)).copies.find(
        ({ repository }) => repository === 'offsite',
      );
      const [part] = copy?.parts ?? [];
      if (!part) return false;
      const target = at(`restored-${randomUUID()}`);
      const request = {
        snapshotId: part.snapshotId,
        path: part.path,
        target,
        include: [],
        expectedBytes: null,
      };
      await (await opened()).restore(request, recordedStep());
      return (await digestOf(target)) === (await readFile(at('kept', point), 'utf8'));
    },
    snapshots: async (point) =>
      (await (await opened()).snapshots({ point }, recordedStep())).map(({ id }) => id),
    copies: async (point) => {
      const found = await catalog.points.find(point);
      return found.copies.map((copy) => `${copy.repository} ${proofOfCopy(copy, found)}`).sort();
    },
    state: async () => {
      const [state] = await catalog.copies.states(configuration.policies, new Date());
      if (!state) throw new Error('the policy has no copy');
      return state;
    },
    close: () => removeFolder(folder),
  };
  return asset;
}

/** As the workflow reads it. */
async function failureIn(work: () => Promise<unknown>): Promise<Failure | null> {
  try {
    await work();
    return null;
  } catch (error) {
    const [failure] = (error as { details?: Failure[] }).details ?? [];
    if (!failure) throw error;
    return failure;
  }
}
