import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { ControlActivities, GroupOutcome } from '../../activities/contract.ts';
import { createControlSteps } from '../../activities/control-steps.ts';
import type { Deployment } from '../../activities/deployment.ts';
import { createProcessFence } from '../../activities/hosts/process-fence.ts';
import { createReadingSteps } from '../../activities/reading-steps.ts';
import type { Repository } from '../../activities/repositories/repository.ts';
import { planReadings } from '../../domain/verification/plan.ts';
import { readingCadences } from '../../domain/verification/reading-cadence.ts';
import { aConfiguration, aJob, withCatalog } from '../catalog/fixture.ts';
import {
  flipByte,
  folderPart,
  labels,
  packsIn,
  randomFiles,
  recordedStep,
  removeFolder,
  repositoryAt,
  temporaryFolder,
  type Place,
} from './repositories/repository-fixtures.ts';

const DAY = 86_400_000;
const SHARES = 5;

// Real restic and a real catalogue; only the clock is ours, a day for each run.
describe('the runs of a verification cadence', function () {
  this.timeout(180_000);
  const fixture = withCatalog();
  let room: string;
  let place: Place;
  let repository: Repository;
  let now: Date;
  let digest: string;
  let deployment: Deployment;
  let control: ControlActivities;

  beforeEach(async () => {
    room = await temporaryFolder();
    place = { url: join(room, 'repo'), env: {}, folder: join(room, 'repo') };
    repository = await repositoryAt(place, room, { name: 'local' });
    await repository.ensure(recordedStep());
    for (const table of ['recovery_points', 'repository_readings', 'repository_reading_cycles']) {
      await fixture.sql(`delete from ${table}`);
    }
    await fixture.sql('update repositories set needs_repair = false, damage = null');
    const whole = aConfiguration();
    const verification = {
      cadence: { kind: 'every' as const, seconds: 86_400 },
      readShare: 1 / SHARES,
      withinSeconds: 10 * 86_400,
      rehearseSeconds: null,
    };
    const policies = whole.policies.map((policy) => ({ ...policy, copies: [], verification }));
    await fixture.catalog.configurations.apply({ ...whole, policies });
    digest = (await fixture.catalog.configurations.current())?.digest ?? '';
    now = new Date('2026-11-01T02:00:00.000Z');
    deployment = {
      catalog: fixture.catalog,
      hostQueue: 'host',
      dataDir: room,
      processes: createProcessFence(room),
      openRepository: async () => repository,
      clock: () => now,
    } as unknown as Deployment;
    control = createControlSteps(deployment);
  });
  afterEach(() => removeFolder(room));

  /** Stores new files as a point of the asset, recorded as the backups do. */
  async function store(asset: string): Promise<string> {
    const id = randomUUID();
    const tree = join(room, asset);
    await randomFiles(tree, 2, 200_000);
    const storedAt = new Date(now.getTime() - 3600_000).toISOString();
    const own = labels(id, { asset, takenAt: storedAt });
    const { snapshotId, path } = await repository.store(folderPart(tree), own, recordedStep());
    await fixture.catalog.points.record(
      {
        ...{ id, asset, assetType: 'directory', policy: 'critical', jobId: null, kind: 'regular' },
        ...{ takenAt: storedAt, method: 'files', bytes: 400_000, addedBytes: 400_000, manifest: null },
        copies: [
          {
            ...{ repository: 'local', artifactId: snapshotId, storedAt },
            parts: [{ name: 'files', snapshotId, path }],
          },
        ],
      },
      null,
    );
    return id;
  }

  /** What the workflow does on one day: each group that is due, then the end of the cycle, if it is over. */
  async function runToday() {
    const job = await fixture.catalog.jobs.begin(aJob({ type: 'verify', policy: 'critical' }));
    const scope = { jobId: job.id, configuration: digest, policy: 'critical' };
    const plan = await control.planVerification(scope);
    const steps = createReadingSteps(deployment);
    const outcomes: GroupOutcome[] = [];
    for (const { repository: name, groups, readings } of plan.repositories) {
      for (const reading of readings) {
        const step = new MockActivityEnvironment();
        outcomes.push(await step.run(steps.readGroup, { ...scope, repository: name, ...reading }));
      }
      const step = new MockActivityEnvironment();
      await step.run(steps.endReadingCycle, { ...scope, repository: name, groups });
    }
    return { plan, outcomes };
  }
  const tomorrow = () => {
    now = new Date(now.getTime() + DAY);
  };
  const proofOf = async (id: string) => (await fixture.catalog.points.find(id)).proof;
  async function until(found: (outcomes: GroupOutcome[]) => boolean): Promise<number> {
    for (let run = 1; run <= SHARES; run += 1) {
      if (found((await runToday()).outcomes)) return run;
      tomorrow();
    }
    return assert.fail(`not found in ${SHARES} runs`);
  }
  const damaged = (outcomes: GroupOutcome[]) => outcomes.some(({ failure }) => failure !== null);

  it('find a flipped byte within one cycle, and mark the points it hurts and no other', async () => {
    const whole = await store('orders');
    const before = new Set(await packsIn(place));
    const hurt = await store('uploads');
    const [pack] = (await packsIn(place)).filter((path) => !before.has(path));
    await flipByte(pack!);
    await until(damaged);
    assert.equal(await proofOf(hurt), 'damaged');
    assert.equal(await proofOf(whole), 'stored');
    assert.equal((await fixture.catalog.repositories.find('local'))?.needsRepair, true);
    const again = await runToday();
    assert.ok(
      again.outcomes.some(({ assets }) => assets.includes('uploads')),
      'it is read again by the next run',
    );
  });

  it('find a missing pack in the next run, and go on without a new alarm once it is known lost', async () => {
    await store('orders');
    const before = new Set(await packsIn(place));
    const hurt = await store('uploads');
    const [pack = ''] = (await packsIn(place)).filter((path) => !before.has(path));
    await rm(pack);
    const { outcomes } = await runToday();
    assert.deepEqual(outcomes[0]?.assets, ['uploads']);
    assert.equal(await proofOf(hurt), 'damaged');

    await repository.repair(recordedStep(), outcomes.length > 0 ? [pack.split('/').at(-1)!] : []);
    tomorrow();
    const later = await runToday();
    assert.ok(later.outcomes.length > 0 && !damaged(later.outcomes));
    assert.equal(await proofOf(hurt), 'damaged', 'it still lacks what was lost');
  });

  it('verify what was stored before a cycle, once the cycle is over and nothing was damaged', async () => {
    const early = await store('orders');
    await runToday();
    tomorrow();
    const late = await store('uploads');
    for (let run = 2; run < SHARES; run += 1, tomorrow()) await runToday();
    assert.equal(await proofOf(early), 'stored', 'one group is still to be read');
    await runToday();
    assert.deepEqual([await proofOf(early), await proofOf(late)], ['verified', 'stored']);
    const [copy] = (await fixture.catalog.points.find(early)).copies;
    assert.equal(copy?.verifiedAt, '2026-11-01T02:00:00.000Z', 'the beginning of the cycle');
    for (let run = 1; run <= SHARES; run += 1, tomorrow()) await runToday();
    assert.equal(await proofOf(late), 'verified');
    assert.equal((await fixture.catalog.audit.verify()).ok, true);
  });

  it('read each group once, and what is oldest is never older than a cycle', async () => {
    await store('orders');
    const first = await runToday();
    assert.deepEqual(first.plan.repositories[0]?.readings, [{ group: 1, groups: SHARES }]);
    assert.deepEqual((await runToday()).plan.repositories, [], 'a second run on the same day reads nothing');
    for (let run = 2; run <= SHARES; run += 1) {
      tomorrow();
      const { plan } = await runToday();
      assert.deepEqual(plan.repositories[0]?.readings, [{ group: run, groups: SHARES }]);
    }
    const applied = (await fixture.catalog.configurations.current())!;
    const cadence = readingCadences(applied.configuration.policies).get('local')!;
    const [facts] = await fixture.catalog.readings.facts(['local']);
    assert.equal(planReadings(cadence, facts!, now).unreadSince, '2026-11-01T02:00:00.000Z');
  });

  it('are refused where the policy has no verification', async () => {
    await fixture.catalog.configurations.apply(aConfiguration());
    const { digest: configuration } = (await fixture.catalog.configurations.current())!;
    await assert.rejects(control.planVerification({ jobId: 'job', configuration, policy: 'critical' }), {
      type: 'usage',
      nonRetryable: true,
    });
  });
});
