import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { Deployment } from '../../activities/deployment.ts';
import { createProcessFence } from '../../activities/hosts/process-fence.ts';
import { createProofSteps } from '../../activities/proof-steps.ts';
import { aConfiguration, aJob, aPoint, withCatalog } from '../catalog/fixture.ts';

describe('the steps of a proof', () => {
  const fixture = withCatalog();
  let dataDir: string;
  let rehearse: () => Promise<{ ok: boolean; checks: { name: string; ok: boolean; detail: string }[] }>;
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'holdfast-proof-'));
    await fixture.catalog.configurations.apply(aConfiguration());
  });
  after(() => rm(dataDir, { recursive: true, force: true }));

  const report = (ok: boolean) => ({
    ok,
    checks: [{ name: 'digest', ok, detail: ok ? 'equal' : 'differs' }],
  });

  async function begun() {
    const { catalog } = fixture;
    const job = await catalog.jobs.begin(aJob({ policy: randomUUID(), startedAt: new Date().toISOString() }));
    const point = await catalog.points.record(aPoint(), null);
    const prove = (environment = new MockActivityEnvironment()) => {
      const { provePoint } = createProofSteps({
        catalog,
        dataDir,
        clock: () => new Date(),
        processes: createProcessFence(dataDir),
        openRepository: async () => ({ name: 'local', restore: async () => ({ files: 1, bytes: 1 }) }),
        sourceOf: () => ({ rehearse: () => rehearse() }),
      } as unknown as Deployment);
      return catalog.configurations.current().then((applied) => {
        const scope = { jobId: job.id, configuration: applied?.digest ?? '', policy: 'critical' };
        const input = { ...scope, asset: 'orders', point: point.id, repository: 'local' };
        return environment.run<[typeof input], void, typeof provePoint>(provePoint, input);
      });
    };
    const counted = async () => {
      const figures = await catalog.objectives.assetFigures(new Date());
      const own = figures.find(({ policy }) => policy === job.policy);
      return [own?.validations.days7.succeeded ?? 0, own?.validations.days7.failed ?? 0];
    };
    return { prove, counted };
  }

  it('count a rehearsal that was right once, also when the step runs again', async () => {
    const { prove, counted } = await begun();
    rehearse = async () => report(true);
    await prove();
    await prove();
    assert.deepEqual(await counted(), [1, 0]);
  });

  it('count one that found something wrong, and one that could not be carried out', async () => {
    const wrong = await begun();
    rehearse = async () => report(false);
    await assert.rejects(wrong.prove(), /is not what was backed up/);
    assert.deepEqual(await wrong.counted(), [0, 1]);
    const broken = await begun();
    rehearse = () => Promise.reject(new Error('no space left on device'));
    await assert.rejects(broken.prove());
    assert.deepEqual(await broken.counted(), [0, 1]);
    rehearse = async () => report(true);
    await broken.prove();
    assert.deepEqual(await broken.counted(), [1, 0], 'tried again, the last word counts');
  });

  it('count nothing of one that was stopped', async () => {
    const { prove, counted } = await begun();
    const environment = new MockActivityEnvironment();
    rehearse = () => {
      environment.cancel();
      return Promise.reject(new Error('killed'));
    };
    await assert.rejects(prove(environment));
    assert.deepEqual(await counted(), [0, 0]);
  });

  it('read every point of an asset that is in the repository, page by page, and mark each', async () => {
    const { catalog } = fixture;
    await fixture.sql('delete from recovery_points');
    const job = await catalog.jobs.begin(aJob({ policy: randomUUID(), startedAt: new Date().toISOString() }));
    const takenAt = new Date().toISOString();
    const { id: first } = await catalog.points.record(aPoint({ takenAt }), null);
    await fixture.sql(
      `insert into recovery_points
         select (point.made).* from (
           select jsonb_populate_record(one, jsonb_build_object(
             'id', gen_random_uuid(), 'taken_at', one.taken_at - n * interval '1 minute')) as made
             from recovery_points as one, generate_series(1, 600) as n) as point`,
    );
    // All but the oldest are in the repository.
    await fixture.sql(
      `insert into point_copies
         select (copy.made).* from (
           select jsonb_populate_record(one, jsonb_build_object('point_id', recovery_points.id)) as made
             from point_copies as one, recovery_points where recovery_points.id <> one.point_id
              and recovery_points.taken_at > (select min(taken_at) from recovery_points)) as copy`,
    );
    const read: string[] = [];
    const { verifyPoints } = createProofSteps({
      catalog,
      dataDir,
      clock: () => new Date(),
      processes: createProcessFence(dataDir),
      openRepository: async () => ({
        name: 'local',
        readBack: async (points: string[]) => {
          read.push(...points);
          return { ok: true, errors: [], damagedSnapshots: [], damagedPacks: [] };
        },
      }),
    } as unknown as Deployment);
    const applied = await catalog.configurations.current();
    const scope = { jobId: job.id, configuration: applied?.digest ?? '', policy: 'critical' };
    const input = { ...scope, asset: 'orders', points: [], every: true as const, repository: 'local' };
    assert.ok(JSON.stringify(input).length < 1_000, 'Temporal takes 2 MB at the most');
    await new MockActivityEnvironment().run(verifyPoints, input);
    assert.equal(new Set(read).size, 600);
    assert.equal(read[0], first);
    const [marked] = await fixture.sql(
      'select count(*)::int as count from point_copies where verified_at is not null',
    );
    assert.deepEqual(marked, { count: 600 });
  });
});
