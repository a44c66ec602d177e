import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createControlSteps } from '../../activities/control-steps.ts';
import type { ControlActivities } from '../../activities/contract.ts';
import type { Deployment } from '../../activities/deployment.ts';
import { aConfiguration, aCopy, aJob, aPoint, withCatalog } from '../catalog/fixture.ts';

describe('the steps that only read and write the catalogue', () => {
  const fixture = withCatalog();
  const at = (minute: number) => new Date(Date.UTC(2026, 10, 20, 3, minute)).toISOString();
  const partial = '2 of its files could not be read';
  const impact = { files: null, tables: null, bytes: 1, stops: [], starts: [], warnings: ['mind'] };
  let steps: ControlActivities;
  let digest: string;

  before(async () => {
    const whole = aConfiguration();
    const policies = whole.policies.map((policy) => ({ ...policy, proof: 'proven' as const }));
    await fixture.catalog.configurations.apply({ ...whole, policies });
    digest = (await fixture.catalog.configurations.current())?.digest ?? '';
    steps = createControlSteps({
      catalog: fixture.catalog,
      hostQueue: 'host',
      clock: () => new Date(),
    } as unknown as Deployment);
  });
  beforeEach(() => fixture.sql('delete from recovery_points'));

  const record = async (minute: number, changes: Parameters<typeof aPoint>[0] = {}) => {
    const takenAt = at(minute);
    const point = aPoint({ takenAt, copies: [aCopy('local', takenAt)], ...changes });
    return (await fixture.catalog.points.record(point, null)).id;
  };
  const toVerify = (points: string[] = [], all = true) =>
    steps.pointsToVerify({ jobId: 'job', configuration: digest, policy: 'critical', points, all });
  const prepare = async (
    point = 'latest',
    include: string[] = [],
    more: { hostQueue?: string; not?: string[] } = {},
  ) => {
    const { id: restoreId } = await fixture.catalog.restores.create({
      requestId: randomUUID(),
      asset: 'orders',
      point,
      target: '/srv/orders',
      include,
    });
    const request = { restoreId, workflowId: `restore/${restoreId}`, asset: 'orders', point, include };
    return steps.beginRestore({ ...request, ...more, time: null, to: null, from: null, actor: 'test' });
  };

  it('plans every copy for retention, and for a backup those that are made with it', async () => {
    const whole = aConfiguration();
    const copies = [
      { repository: 'nearby', retention: null },
      { repository: 'offsite', retention: null, cadence: { kind: 'every' as const, seconds: 3600 } },
    ];
    const policies = whole.policies.map((policy) => ({ ...policy, copies }));
    const before = (await fixture.catalog.configurations.current())!.configuration;
    await fixture.catalog.configurations.apply({ ...whole, policies });
    const planOf = async (type: 'backup' | 'retention') => {
      const jobId = randomUUID();
      const request = { jobId, workflowId: `${type}/of-copies`, type, policy: 'critical', assets: [] };
      const plan = await steps.beginJob({ ...request, trigger: 'manual', actor: 'test' });
      await fixture.catalog.jobs.end(jobId, { status: 'failed' });
      return plan.copies;
    };
    assert.deepEqual(await planOf('backup'), ['nearby']);
    assert.deepEqual(await planOf('retention'), ['nearby', 'offsite']);
    await fixture.catalog.configurations.apply(before);
  });

  it('leaves out the scheduled run of a paused policy, and goes on with one that was begun before', async () => {
    const begin = (jobId: string) =>
      steps.beginJob({
        ...{ jobId, workflowId: `backup/${jobId}`, type: 'backup', policy: 'critical' },
        ...{ trigger: 'schedule', actor: 'schedule', assets: [] },
      });
    const begun = randomUUID();
    assert.equal((await begin(begun)).refused, null);
    await fixture.catalog.policyPauses.pause('critical', 'a move', new Date().toISOString());
    assert.equal((await begin(begun)).refused, null);
    await fixture.catalog.jobs.end(begun, { status: 'failed' });
    assert.match((await begin(randomUUID())).refused?.cause ?? '', /paused/);
    await fixture.catalog.policyPauses.resume('critical', 'done', new Date().toISOString());
  });

  it('reads a partial point back, and rehearses the newest whole one', async () => {
    const newer = await record(2, { partial });
    assert.equal((await toVerify())[0]?.rehearse, null);
    const whole = await record(1);
    const [target] = await toVerify();
    assert.deepEqual(target, {
      asset: 'orders',
      repository: 'local',
      points: [newer],
      every: true,
      rehearse: whole,
    });
    assert.deepEqual(
      (await toVerify([], false))[0]?.points,
      [newer, whole],
      'the newest, and one to rehearse',
    );
  });

  it('says in a few words that every point of an asset is read, however many there are', async () => {
    const newest = await record(0);
    await fixture.sql(
      `insert into recovery_points
         select (point.made).* from (
           select jsonb_populate_record(one, jsonb_build_object(
             'id', gen_random_uuid(), 'taken_at', one.taken_at - n * interval '1 minute')) as made
             from recovery_points as one, generate_series(1, 500) as n) as point`,
    );
    await fixture.sql(
      `insert into point_copies
         select (copy.made).* from (
           select jsonb_populate_record(one, jsonb_build_object('point_id', recovery_points.id)) as made
             from point_copies as one, recovery_points where recovery_points.id <> one.point_id) as copy`,
    );
    const targets = await toVerify();
    assert.deepEqual(targets[0]?.points, [newest]);
    // Temporal takes 2 MB at the most.
    assert.ok(JSON.stringify(targets).length < 1_000);
  });

  it('refuses a point that the policy or the configuration cannot reach', async () => {
    const foreign = await record(1, { asset: 'sales' });
    await assert.rejects(toVerify([foreign], false), {
      type: 'point.unknown',
      nonRetryable: true,
      message: `recovery point ${foreign} cannot be verified with policy critical`,
    });
    const away = await record(2, { copies: [aCopy('gone', at(2))] });
    await assert.rejects(toVerify([away], false), { type: 'point.unknown' });
    const reached = await record(3);
    assert.deepEqual((await toVerify([reached], false))[0]?.points, [reached]);
  });

  it('counts a partial point as no more than stored in the job that read it back', async () => {
    const point = await record(1, { partial });
    const job = await fixture.catalog.jobs.begin(aJob({ type: 'verify' }));
    const outcome = { status: 'success' as const, recoveryPointId: point, error: null };
    const end = (proof: 'verified' | 'damaged') =>
      steps.endAsset({
        jobId: job.id,
        configuration: digest,
        policy: 'critical',
        asset: 'orders',
        outcome: { ...outcome, proof },
      });
    await end('verified');
    assert.equal((await fixture.catalog.jobs.find(job.id)).assets[0]?.proof, 'stored');
  });

  it('measures restores of everything, not of parts', async () => {
    await record(1);
    const measured = async (include: string[]) => {
      const { restoreId } = await prepare('latest', include);
      for (const status of ['prepared', 'committing', 'checking'] as const)
        await steps.restoreStatus({ restoreId, status });
      await steps.restoreStatus({ restoreId, status: 'completed', measuredSeconds: 20 });
      return fixture.sql('select step from measured_durations where run = $1', [restoreId]);
    };
    assert.deepEqual(await measured(['photos']), []);
    assert.deepEqual(await measured([]), [{ step: 'restore' }]);
  });

  it('restores the newest whole point, and says so of a partial one', async () => {
    const only = await record(2, { partial });
    const plan = await prepare();
    assert.equal(plan.point, only);
    await steps.restoreStatus({ restoreId: plan.restoreId, status: 'prepared', impact });
    assert.deepEqual((await fixture.catalog.restores.find(plan.restoreId)).impact?.warnings, [
      `the recovery point is partial: ${partial}`,
      'mind',
    ]);

    const whole = await record(1);
    const next = await prepare();
    assert.equal(next.point, whole);
    await steps.restoreStatus({ restoreId: next.restoreId, status: 'prepared', impact });
    assert.deepEqual((await fixture.catalog.restores.find(next.restoreId)).impact?.warnings, ['mind']);
  });

  it('restores on the host that was asked for, or else on the one that begins it', async () => {
    await record(3);
    assert.equal((await prepare()).hostQueue, 'host');
    assert.equal((await prepare('latest', [], { hostQueue: 'other' })).hostQueue, 'other');
  });

  it('restores from the next undamaged copy where the first ones cannot be read', async () => {
    const takenAt = at(4);
    await record(4, { takenAt, copies: [aCopy('local', takenAt), aCopy('offsite', takenAt)] });
    assert.equal((await prepare()).repository, 'local');
    assert.equal((await prepare('latest', [], { not: ['local'] })).repository, 'offsite');
    await assert.rejects(prepare('latest', [], { not: ['local', 'offsite'] }), { type: 'point.unknown' });
  });

  describe('a scheduled run', () => {
    const begin = (startedAt?: string) => {
      const jobId = randomUUID();
      const workflowId = `backup/critical-${startedAt ?? jobId}`;
      return steps.beginJob({
        jobId,
        workflowId,
        type: 'backup',
        policy: 'critical',
        trigger: 'schedule',
        actor: 'schedule',
        assets: [],
      });
    };
    const skipped = async () =>
      (await fixture.catalog.audit.list({ action: 'job.skipped' })).items.map(({ details }) => details);

    it('of a paused policy is left out, and that is on record; one by hand is not', async () => {
      await fixture.catalog.policyPauses.pause('critical', 'a new disk', at(0));
      const plan = await begin();
      assert.match(plan.refused?.cause ?? '', /paused since .* by test: a new disk/);
      assert.match(String((await skipped())[0]?.['because']), /a new disk/);
      await fixture.catalog.policyPauses.resume('critical', 'it is in', at(1));
      const { jobId, refused } = await begin();
      assert.equal(refused, null);
      await steps.endJob({ jobId, status: 'cancelled', error: null });
    });

    it('that outlasts its cadence says which runs were left out', async () => {
      const { jobId } = await begin();
      const before = (await skipped()).length;
      const daysAgo = new Date(Date.now() - 2 * 86_400_000).toISOString();
      await fixture.sql('update jobs set started_at = $1 where id = $2', [daysAgo, jobId]);
      await steps.endJob({ jobId, status: 'cancelled', error: null });
      assert.equal((await skipped()).length, before + 1);
      assert.equal((await skipped())[0]?.['missed'], 2);
      const { items } = await fixture.catalog.jobEvents.list(jobId);
      assert.match(items[0]?.message ?? '', /took 2 d: 2 runs that came due meanwhile were left out/);
      await steps.endJob({ jobId, status: 'cancelled', error: null });
      assert.equal((await skipped()).length, before + 1, 'once');
    });
  });
});
