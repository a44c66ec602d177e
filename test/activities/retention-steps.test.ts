import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { watch } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deployment } from '../../activities/deployment.ts';
import { beginDrill, endDrill } from '../../activities/drills/drill-control.ts';
import type { Repository } from '../../activities/repositories/repository.ts';
import type { Step } from '../../activities/step.ts';
import { planRepository } from '../../catalog/retention-plan.ts';
import type { Drill } from '../../domain/configuration/drill-types.ts';
import { HoldfastError } from '../../domain/errors.ts';
import type { Retention } from '../../domain/configuration/types.ts';
import { withCatalog } from '../catalog/fixture.ts';
import { leftovers, restic } from '../fixtures/restic.ts';
import { labels, folderPart, recordedStep } from './repositories/repository-fixtures.ts';
import { carryOut, daysAgo, depot, NOW, type Depot } from './retention-fixture.ts';

describe('retention in a real repository', function () {
  this.timeout(240_000);
  const fixture = withCatalog();
  const made: Depot[] = [];

  const newDepot = async (rules: Partial<Retention> & { maxDropShare?: number } = { keepLast: 2 }) => {
    // Files only: each test has the catalogue to itself, and what the one before kept is out of the way.
    for (const table of [
      'retention_drops',
      'dropped_copies',
      'point_copies',
      'sync_state',
      'recovery_points',
    ])
      await fixture.sql(`delete from ${table}`);
    const depot_ = await depot(fixture, rules);
    made.push(depot_);
    return depot_;
  };
  afterEach(async () => {
    for (const { room } of made.splice(0)) await rm(room, { recursive: true, force: true });
  });

  const ids = async (from: Depot) =>
    (await from.repository.snapshots({}, recordedStep())).map(({ id }) => id).sort();
  const listed = async () =>
    (await fixture.catalog.points.list({ asset: 'orders' })).items.map(({ id }) => id);
  const actions = async (subject: string) =>
    (await fixture.catalog.audit.list({ subject })).items.map(({ action }) => action).reverse();
  const failing = (repository: Repository, changes: Partial<Repository>): Repository => ({
    ...repository,
    ...changes,
  });
  const die = () => Promise.reject(new HoldfastError({ code: 'tool.stalled', message: 'killed', hint: '' }));

  it('takes away what no rule keeps, frees its space, and restores what it keeps', async () => {
    const from = await newDepot();
    const points = [await from.take(4), await from.take(3), await from.take(2), await from.take(1)];
    const [oldest, , third, newest] = points;
    const step = await from.run();
    assert.deepEqual(await ids(from), [third!.snapshotId, newest!.snapshotId].sort());
    assert.deepEqual(await listed(), [newest!.id, third!.id]);
    for (const { snapshotId, digest } of [third!, newest!])
      assert.equal(await from.restored(snapshotId), digest);
    const [run] = await fixture.sql<{ freed: string; left: string }>(
      'select freed_bytes as freed, remaining_bytes as left from retention_runs where job_id = $1',
      [step.jobId],
    );
    assert.ok(Number(run?.freed) > 1_100_000 && Number(run?.left) > 1_100_000, JSON.stringify(run));
    await assert.rejects(fixture.catalog.points.find(oldest!.id), {
      code: 'point.unknown',
      cause:
        /^retention removed it at .*: its last copy, in depot, was dropped: no rule keeps it \(newest 2\)$/,
    });
    assert.deepEqual(await actions(`point/${oldest!.id}`), [
      'point.recorded',
      'copy.recorded',
      'copy.dropped',
      'point.removed',
      'copy.gone',
    ]);
    const { catalog } = fixture;
    const size = await catalog.objectives.lastSize('depot');
    assert.ok(
      size && size.at === NOW.toISOString() && Math.abs(size.storedBytes - Number(run?.left)) < 100_000,
    );
    assert.deepEqual(
      await catalog.rooms.size('depot', NOW.toISOString()),
      { bytes: size?.storedBytes, measuredAt: NOW.toISOString() },
      'what guards judge by',
    );
    assert.deepEqual(await leftovers(from.folder), []);
    const { notes } = (await fixture.catalog.jobs.find(step.jobId)).assets[0]!;
    assert.deepEqual(notes, ['depot: 2 kept, 2 to go']);
  });

  const stages: [what: string, changes: (real: Repository) => Partial<Repository>][] = [
    ['before anything was forgotten', () => ({ forget: die })],
    [
      'between forget and its record',
      (real) => ({ forget: (snapshots, step) => real.forget(snapshots, step).then(die) }),
    ],
    [
      'in the middle of forget',
      (real) => ({ forget: (snapshots, step) => real.forget(snapshots.slice(0, 1), step).then(die) }),
    ],
    ['before prune', () => ({ prune: die })],
    ['before check', () => ({ check: die })],
  ];
  for (const [what, changes] of stages) {
    it(`stopped ${what}, lists nothing that is gone, and the next run converges`, async () => {
      const from = await newDepot();
      const points = [await from.take(4), await from.take(3), await from.take(2), await from.take(1)];
      const repository = failing(from.repository, changes(from.repository));
      await assert.rejects(from.run({ repository }));
      const there = await ids(from);
      for (const point of (await fixture.catalog.points.list({ asset: 'orders' })).items) {
        for (const { parts } of point.copies)
          assert.ok(there.includes(parts[0]!.snapshotId), 'listed and gone');
      }
      await from.run();
      const kept = points.slice(2);
      assert.deepEqual(await ids(from), kept.map(({ snapshotId }) => snapshotId).sort());
      assert.deepEqual((await listed()).sort(), kept.map(({ id }) => id).sort());
      for (const { snapshotId, digest } of kept) assert.equal(await from.restored(snapshotId), digest);
      assert.deepEqual(await fixture.sql('select from dropped_copies where gone_at is null'), []);
    });
  }

  for (const verb of ['forget', 'prune'] as const) {
    it(`restic killed (-9) during ${verb}: the next run converges and every kept point restores`, async () => {
      const from = await newDepot();
      for (let day = 9; day > 2; day -= 1) await from.take(day);
      const kept = [await from.take(2), await from.take(1)];
      const { step, steps } = await from.begin({ repository: killedDuring(from, verb) });
      await assert.rejects(carryOut(steps, step, true));
      await from.run({ confirm: true });
      assert.deepEqual(await ids(from), kept.map(({ snapshotId }) => snapshotId).sort());
      for (const { snapshotId, digest } of kept) assert.equal(await from.restored(snapshotId), digest);
      const check = await restic(from.folder, `${from.room}/password`, 'check', '--read-data');
      assert.equal(check.exitCode, 0, check.stderr);
    });
  }

  it('refuses a plan that would drop most of what there is, and does it when a person confirms', async () => {
    const from = await newDepot({ keepLast: 1 });
    for (let day = 6; day > 0; day -= 1) await from.take(day);
    const before = await ids(from);
    await assert.rejects(from.run(), (error: Error & { type: string; details: { hint: string }[] }) => {
      assert.equal(error.type, 'retention.dropsTooMuch');
      assert.match(error.details[0]!.hint, /retention run critical --confirm/);
      return true;
    });
    assert.deepEqual(await ids(from), before);
    await from.run({ confirm: true });
    assert.equal((await ids(from)).length, 1);
    const [confirmed] = (await fixture.catalog.audit.list({ action: 'retention.confirmed' })).items;
    assert.equal(confirmed?.actor, 'anna');
    assert.deepEqual(
      (confirmed?.details as { anomalies: { code: string }[] }).anomalies.map(({ code }) => code),
      ['retention.dropsTooMuch'],
    );
  });

  it('keeps what a person holds, also when it was held after the plan, and lets it go when it is released', async () => {
    const from = await newDepot({ keepLast: 1 });
    const [early, late] = [await from.take(3), await from.take(2)];
    const newest = await from.take(1);
    const hold = { owner: 'legal', reason: 'a case' };
    await fixture.catalog.holds.place(early.id, hold);
    const { step, steps } = await from.begin();
    const { leftovers } = await steps.planRetention({ ...step, confirm: false, actor: 'anna' });
    await fixture.catalog.holds.place(late.id, hold);
    await steps.forgetPlanned({ ...step, leftovers });
    const held = [early, late, newest].map(({ snapshotId }) => snapshotId).sort();
    assert.deepEqual(await ids(from), held);
    for (const { id } of [early, late]) await fixture.catalog.holds.release(id, 'it is closed');
    await from.run();
    assert.deepEqual(await ids(from), [newest.snapshotId]);
  });

  it('leaves what a drill restores for as long as it is held, and no longer', async () => {
    const from = await newDepot({ keepLast: 1 });
    const drilled = await from.take(2);
    const { configuration } = (await fixture.catalog.configurations.current())!;
    const drill: Drill = {
      ...{
        name: 'loss',
        scenario: 'assetLoss',
        policies: [],
        assets: ['orders'],
        classes: [],
        from: 'depot',
      },
      ...{ select: { rule: 'latest' }, cadence: null, objectives: { rtoSeconds: null, rpoSeconds: null } },
      ...{ start: null, smoke: [], smokeSeconds: 60 },
    };
    await fixture.catalog.configurations.apply({ ...configuration, drills: [drill] });
    const deployment = { catalog: fixture.catalog, clock: () => new Date() } as unknown as Deployment;
    const begun = { drill: 'loss', drillId: randomUUID(), workflowId: 'drill/loss', actor: 'ada' };
    const plan = await beginDrill(deployment, { ...begun, trigger: 'manual', dueAt: null });
    assert.equal(plan.record.assets[0]?.point?.id, drilled.id);
    const newest = await from.take(1);
    const [policy] = configuration.policies;
    const request = { configuration, policy: policy!, repository: 'depot', now: NOW };
    const [planned] = (await planRepository(fixture.catalog, request)).assets;
    const why = planned?.decisions.find(({ recoveryPointId }) => recoveryPointId === drilled.id);
    assert.deepEqual(
      [why?.decision, why?.reasons],
      ['keep', [`held by drill ${begun.drillId}: drill loss restores it`]],
    );
    await from.run();
    assert.deepEqual(await ids(from), [drilled.snapshotId, newest.snapshotId].sort());
    await endDrill(deployment, { ...begun, record: null, evidence: null, error: null });
    await from.run();
    assert.deepEqual(await ids(from), [newest.snapshotId]);
  });

  it('lets more go at once where the policy says so', async () => {
    const from = await newDepot({ keepLast: 1, maxDropShare: 0.9 });
    for (let day = 6; day > 0; day -= 1) await from.take(day);
    await from.run();
    assert.equal((await ids(from)).length, 1);
  });

  it('stops when a snapshot is not there any more, or is there and nobody made it', async () => {
    const from = await newDepot();
    const gone = await from.take(2);
    await from.take(1);
    await from.repository.forget([gone.snapshotId], recordedStep());
    await assert.rejects(from.run(), { type: 'repository.disagrees' });
    await from.run({ confirm: true });
    assert.equal(
      (await fixture.catalog.points.find(gone.id)).proof,
      'damaged',
      'it is not shown as restorable',
    );
    await from.run();

    const foreign = labels(randomUUID(), { takenAt: daysAgo(5) });
    await from.repository.store(folderPart(`${from.room}/source`), foreign, recordedStep());
    await assert.rejects(from.run(), { type: 'repository.disagrees' });
  });

  it('stops when the clock went back a year, or ahead', async () => {
    const from = await newDepot({ keepWithinSeconds: 86_400 });
    await from.take(2);
    await from.take(1);
    const before = await ids(from);
    for (const days of [-365, 365]) {
      const now = new Date(NOW.getTime() + days * 86_400_000);
      // A backup that ran since does not make it right.
      await fixture.catalog.clock.note(new Date(now.getTime() - 3_600_000));
      await assert.rejects(from.run({ now }), { type: 'clock.untrusted' }, `${days} days`);
    }
    assert.deepEqual(await ids(from), before);
  });

  it('keeps a point that a restore has taken up since the plan was made', async () => {
    const from = await newDepot({ keepLast: 1 });
    const [old] = [await from.take(3), await from.take(2), await from.take(1)];
    const { step, steps } = await from.begin();
    await steps.planRetention({ ...step, confirm: false, actor: 'anna' });
    await fixture.catalog.restores.create({
      requestId: randomUUID(),
      asset: 'orders',
      point: old.id,
      target: 'in place',
      include: [],
    });
    await steps.forgetPlanned({ ...step, leftovers: [] });
    assert.ok((await listed()).includes(old.id));
    assert.equal(await from.restored(old.snapshotId), old.digest);
    await fixture.sql(`update restores set status = 'cancelled', ended_at = now()`);
  });

  it('takes nothing away under a lease that was granted to somebody else since', async () => {
    const from = await newDepot({ keepLast: 1 });
    await from.take(2);
    await from.take(1);
    const before = await ids(from);
    const { step, steps } = await from.begin();
    await steps.planRetention({ ...step, confirm: false, actor: 'anna' });
    await from.begin();
    await assert.rejects(steps.forgetPlanned({ ...step, leftovers: [] }), { type: 'fenced' });
    await assert.rejects(steps.pruneRepository(step), { type: 'fenced' });
    assert.deepEqual(await ids(from), before);
    assert.equal((await listed()).length, 2);
  });

  it('takes no leftovers away under a lease that was granted to somebody else since', async () => {
    const from = await newDepot();
    const { snapshotId } = await from.take(1);
    const { step, steps } = await from.begin();
    await from.begin();
    await assert.rejects(steps.forgetPlanned({ ...step, leftovers: [snapshotId] }), { type: 'fenced' });
    assert.deepEqual(await ids(from), [snapshotId]);
  });

  it('that was interrupted clears nothing up under such a lease', async () => {
    const from = await newDepot();
    await from.take(1);
    const recovered: string[] = [];
    const repository = failing(from.repository, {
      recover: async () => {
        recovered.push('recover');
        return { packs: 0, bytes: 0 };
      },
    });
    const { step, steps } = await from.begin({ repository, attempt: 2 });
    await steps.planRetention({ ...step, confirm: false, actor: 'anna' });
    assert.equal(recovered.length, 1);
    await from.begin();
    const sizes = { freedBytes: 0, remainingBytes: 0 };
    for (const again of [
      () => steps.planRetention({ ...step, confirm: false, actor: 'anna' }),
      () => steps.forgetPlanned({ ...step, leftovers: [] }),
      () => steps.pruneRepository(step),
      () => steps.checkRepository({ ...step, ...sizes }),
    ])
      await assert.rejects(again(), { type: 'fenced' });
    assert.equal(recovered.length, 1);
  });

  it('counts what the store does not let go as kept', async () => {
    const from = await newDepot({ keepLast: 1 });
    await from.take(2);
    await from.take(1);
    const refuse = () =>
      Promise.reject(
        new HoldfastError({
          code: 'repository.forbidden',
          message: 'removal failed',
          cause: 'Object is WORM protected and cannot be overwritten',
          hint: '',
        }),
      );
    await from.run({ repository: failing(from.repository, { forget: refuse }) });
    assert.equal((await listed()).length, 2);
    assert.equal((await actions('repository/depot')).at(-1), 'retention.done');
  });

  it('counts what an append-only repository does not let go as kept, and frees nothing', async () => {
    const from = await newDepot({ keepLast: 1 });
    await from.take(2);
    await from.take(1);
    const refuse = () =>
      Promise.reject(
        new HoldfastError({
          code: 'repository.appendOnly',
          message: 'removal failed',
          cause: '403',
          hint: '',
        }),
      );
    await from.run({ repository: failing(from.repository, { forget: refuse, prune: refuse }) });
    assert.equal((await listed()).length, 2);
    assert.equal((await actions('repository/depot')).at(-1), 'retention.done');
  });

  /** restic itself, ended by SIGKILL when the first change of this verb shows in the repository's folder. */
  function killedDuring(from: Depot, verb: 'forget' | 'prune'): Repository {
    const killed = async (work: (step: Step) => Promise<unknown>) => {
      let pid = 0;
      const step = { ...recordedStep(), started: (process: { pid: number }) => (pid = process.pid) };
      const changes = watch(join(from.folder, verb === 'forget' ? 'snapshots' : 'index'), () =>
        process.kill(pid, 'SIGKILL'),
      );
      try {
        await assert.rejects(work(step), { code: 'tool.failed' }, 'it came to its end before it was killed');
      } finally {
        changes.close();
      }
      return die();
    };
    return failing(from.repository, {
      forget:
        verb === 'forget'
          ? (snapshots) => killed((step) => from.repository.forget(snapshots, step))
          : from.repository.forget,
      prune: verb === 'prune' ? () => killed((step) => from.repository.prune(step)) : from.repository.prune,
    });
  }
});
