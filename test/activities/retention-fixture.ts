// A policy with one asset in one real restic repository, a real catalogue, and the steps of retention by hand.

import { randomUUID } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import type { HostActivities, RetentionStep } from '../../activities/contract.ts';
import type { Deployment } from '../../activities/deployment.ts';
import { createProcessFence } from '../../activities/hosts/process-fence.ts';
import type { Repository } from '../../activities/repositories/repository.ts';
import { createRetentionSteps } from '../../activities/retention-steps.ts';
import type { PolicyRetention } from '../../domain/configuration/types.ts';
import { aConfiguration, aJob, aPoint, type Fixture } from '../catalog/fixture.ts';
import { retention } from '../domain/retention/retention-fixture.ts';
import {
  digestOf,
  folderPart,
  labels,
  randomFiles,
  recordedStep,
  repositoryAt,
  temporaryFolder,
} from './repositories/repository-fixtures.ts';

/** The audit chain goes by this host's clock. */
export const NOW = new Date();
export const daysAgo = (days: number) => new Date(NOW.getTime() - days * 86_400_000).toISOString();

export interface Depot {
  room: string;
  folder: string;
  repository: Repository;
  fixture: Fixture;
  /** Stores a point taken so many days ago; its content is its own. */
  take(days: number): Promise<{ id: string; snapshotId: string; digest: string }>;
  /** A job under a lease of its own. */
  begin(options?: RunOptions): Promise<{ step: RetentionStep; steps: Steps }>;
  /** All steps, as the workflow calls them. */
  run(options?: RunOptions & { confirm?: boolean }): Promise<RetentionStep>;
  /** The content of a point as restic restores it now. */
  restored(snapshotId: string): Promise<string>;
}

export type Steps = Pick<
  HostActivities,
  'planRetention' | 'forgetPlanned' | 'pruneRepository' | 'checkRepository'
>;

export interface RunOptions {
  repository?: Repository;
  catalog?: Deployment['catalog'];
  jobId?: string;
  now?: Date;
  /** Of each step; 1 if left out. */
  attempt?: number;
}

export async function depot(fixture: Fixture, rules: Partial<PolicyRetention>): Promise<Depot> {
  const room = await temporaryFolder();
  const folder = join(room, 'repository');
  const repository = await repositoryAt({ url: folder, env: {}, folder }, room);
  await repository.ensure(recordedStep());
  const whole = aConfiguration();
  const policies = whole.policies.map((policy) => ({
    ...policy,
    assets: ['orders'],
    repository: 'depot',
    copies: [],
    retention: { ...retention({}), ...rules },
  }));
  const configuration = { ...whole, folder: room, dataDir: room, policies };
  await fixture.catalog.configurations.apply(configuration);
  await fixture.catalog.repositories.markInitialised('depot', NOW.toISOString());
  await fixture.catalog.clock.note(NOW);
  const digest = (await fixture.catalog.configurations.current())?.digest ?? '';

  const made: Depot = {
    room,
    folder,
    repository,
    fixture,
    take: async (days) => {
      const id = randomUUID();
      const takenAt = daysAgo(days);
      const source = join(room, 'source');
      await rm(source, { recursive: true, force: true });
      await mkdir(source);
      await randomFiles(source, 3, 200_000);
      await writeFile(join(source, 'common'), 'in every point');
      const stored = await repository.store(folderPart(source), labels(id, { takenAt }), recordedStep());
      const parts = [{ name: 'files', snapshotId: stored.snapshotId, path: stored.path }];
      const copy = { repository: 'depot', artifactId: stored.snapshotId, parts, storedAt: takenAt };
      await fixture.catalog.points.record(aPoint({ id, takenAt, copies: [copy] }), null);
      return { id, snapshotId: stored.snapshotId, digest: await digestOf(source) };
    },
    begin: async (options = {}) => {
      const catalog = options.catalog ?? fixture.catalog;
      const jobId = options.jobId ?? randomUUID();
      const workflowId = `retention/${jobId}`;
      await catalog.jobs.begin(aJob({ id: jobId, workflowId, type: 'retention', policy: 'critical' }));
      const lease = { key: randomUUID(), holder: workflowId, mode: 'exclusive' as const };
      const fence = await catalog.leases.grant({ ...lease, repository: 'depot', after: 0 });
      const deployment = {
        catalog,
        processes: createProcessFence(room),
        dataDir: room,
        openRepository: () => Promise.resolve(options.repository ?? repository),
        clock: () => options.now ?? NOW,
      } as unknown as Deployment;
      const step = { jobId, configuration: digest, policy: 'critical', repository: 'depot', fence };
      return { step, steps: inActivities(createRetentionSteps(deployment), options.attempt) };
    },
    run: async (options = {}) => {
      const { step, steps } = await made.begin(options);
      await carryOut(steps, step, options.confirm ?? false);
      return step;
    },
    restored: async (snapshotId) => {
      const target = join(room, `restored-${randomUUID()}`);
      const request = { snapshotId, path: join(room, 'source'), target, include: [], expectedBytes: null };
      await repository.restore(request, recordedStep());
      return digestOf(target);
    },
  };
  return made;
}

export async function carryOut(steps: Steps, step: RetentionStep, confirm = false): Promise<void> {
  const { leftovers } = await steps.planRetention({ ...step, confirm, actor: 'anna' });
  await steps.forgetPlanned({ ...step, leftovers });
  const sizes = await steps.pruneRepository(step);
  await steps.checkRepository({ ...step, ...sizes });
}

function inActivities(steps: Steps, attempt = 1): Steps {
  const entries = Object.entries(steps).map(([name, work]) => [
    name,
    (input: unknown) =>
      new MockActivityEnvironment({ attempt }, { logger: new DefaultLogger('ERROR', () => undefined) }).run(
        () => (work as (input: unknown) => Promise<unknown>)(input),
      ),
  ]);
  return Object.fromEntries(entries) as Steps;
}
