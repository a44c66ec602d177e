import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { beginDrill, endDrill } from '../../../activities/drills/drill-control.ts';
import type { DrillPlan } from '../../../activities/contract.ts';
import type { Deployment } from '../../../activities/deployment.ts';
import { createDrillSteps } from '../../../activities/drills/drill-steps.ts';
import { createProcessFence } from '../../../activities/hosts/process-fence.ts';
import type { Repository } from '../../../activities/repositories/repository.ts';
import type { Drill } from '../../../domain/configuration/drill-types.ts';
import { gameDayHolder } from '../../../domain/drills/holder.ts';
import { HoldfastError } from '../../../domain/errors.ts';
import type { DrillRecord } from '../../../domain/evidence/record.ts';
import type { PointCopy } from '../../../domain/recovery-point.ts';
import { aConfiguration, aCopy, aPoint, withCatalog } from '../../catalog/fixture.ts';

describe('the beginning and end of a drill', function () {
  this.timeout(60_000);
  const fixture = withCatalog();
  let dataDir: string;
  let repository: Partial<Repository> = {};
  let clock = () => new Date();
  const deployment = () =>
    ({
      catalog: fixture.catalog,
      clock,
      hostQueue: 'host',
      dataDir,
      processes: createProcessFence(dataDir),
      openRepository: async () => ({ name: 'offsite', ...repository }),
      sourceOf: () => ({}),
    }) as unknown as Deployment;

  const drill = (name: string, changes: Partial<Drill> = {}): Drill => ({
    ...{ name, scenario: 'siteLoss', policies: [], assets: ['orders'], classes: [], from: 'offsite' },
    ...{ select: { rule: 'latest' }, cadence: null, objectives: { rtoSeconds: null, rpoSeconds: null } },
    ...{ start: null, smoke: [], smokeSeconds: 60 },
    ...changes,
  });
  const gameDay = {
    takeDown: [['/stop']] as [[string]],
    watch: { kind: 'http', url: 'http://127.0.0.1:1/' } as const,
    ...{ noticeSeconds: 1, backSeconds: 1 },
  };

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'holdfast-drills-'));
    const drills = [drill('one'), drill('two'), drill('outage', { gameDay })];
    await fixture.catalog.configurations.apply({ ...aConfiguration(), drills });
  });
  after(() => rm(dataDir, { recursive: true, force: true }));
  beforeEach(() => fixture.sql('delete from recovery_points'));

  const begin = (name: string, more: { drillId?: string; gameDay?: true } = {}) => {
    const drillId = more.drillId ?? randomUUID();
    const common = { trigger: 'manual', dueAt: null, actor: 'ada' } as const;
    return beginDrill(deployment(), {
      ...common,
      drill: name,
      workflowId: `drill/${drillId}`,
      drillId,
      ...more,
    });
  };
  const end = ({ drillId }: DrillPlan, record: DrillRecord | null = null) =>
    endDrill(deployment(), { drillId, record, evidence: null, error: null, actor: 'ada' });
  const taken = (day: number, ...copies: (Partial<PointCopy> & { repository: string })[]) => {
    const takenAt = `2026-11-${day}T02:00:00.000Z`;
    const [first, ...others] = copies.map((copy) => ({ ...aCopy(copy.repository, takenAt), ...copy }));
    return fixture.catalog.points.record(aPoint({ takenAt, copies: [first!, ...others] }), null);
  };
  const inRoom = (where: Deployment, plan: DrillPlan): Promise<DrillRecord> => {
    const quiet = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR', () => undefined) });
    const { holdDrill } = createDrillSteps(where);
    return quiet.run<[DrillPlan], DrillRecord, typeof holdDrill>(holdDrill, plan);
  };
  const chosen = (plan: DrillPlan) => plan.record.assets[0]?.point?.id ?? null;
  const holders = async () => (await fixture.catalog.holds.open()).map(({ owner }) => owner);

  it('holds its points until it has ended, so that retention leaves them', async () => {
    const { id } = await taken(20, { repository: 'offsite' });
    const plan = await begin('one');
    assert.equal(chosen(plan), id);
    assert.deepEqual(await holders(), [`drill ${plan.drillId}`]);
    assert.equal(await end(plan), 'cancelled');
    assert.deepEqual(await holders(), []);
  });

  it('refuses a second one of its name while it is held, and names the first; another name is held beside it', async () => {
    await taken(20, { repository: 'offsite' });
    const plan = await begin('one');
    await assert.rejects(begin('one'), (error: HoldfastError) => {
      assert.deepEqual([error.code, error.message], ['request.conflict', 'drill one is being held already']);
      assert.match(error.cause, new RegExp(plan.drillId));
      return true;
    });
    assert.equal(
      chosen(await begin('one', { drillId: plan.drillId })),
      chosen(plan),
      'begun again, it goes on',
    );
    const beside = await begin('two');
    assert.deepEqual(new Set(await holders()), new Set([`drill ${plan.drillId}`, `drill ${beside.drillId}`]));
    for (const one of [plan, beside]) await end(one);
    await end(await begin('one'));
  });

  it('never chooses a point of which not every part has arrived in the copy', async () => {
    const part = (name: string) => ({ name, snapshotId: randomUUID(), path: `/${name}` });
    const whole = await taken(19, { repository: 'offsite', parts: [part('dump'), part('globals')] });
    const both = [part('dump'), part('globals')];
    await taken(20, { repository: 'local', parts: both }, { repository: 'offsite', parts: [part('dump')] });
    const plan = await begin('one');
    assert.equal(chosen(plan), whole.id);
    await end(plan);
  });

  it('of a game day is refused where nothing is proven in the copy or that is too old, and restores the newest', async () => {
    const provenAt = '2026-11-19T03:00:00.000Z';
    await taken(18, { repository: 'local', provenAt }, { repository: 'offsite' });
    await assert.rejects(begin('outage', { gameDay: true }), (error: HoldfastError) => {
      assert.equal(error.code, 'point.unknown');
      assert.match(error.cause, /in offsite is proven and undamaged of: orders/);
      return true;
    });
    assert.deepEqual(await holders(), []);
    await fixture.sql(
      `update jobs set status = 'failed', ended_at = now() where type = 'drill' and ended_at is null`,
    );
    const proven = await taken(19, { repository: 'offsite', provenAt });
    await taken(20, { repository: 'offsite' });
    clock = () => new Date(Date.parse(proven.takenAt) + 90_000_000);
    await assert.rejects(begin('outage', { gameDay: true }), (error: HoldfastError) => {
      assert.equal(error.code, 'objective.breached');
      assert.match(error.cause, /older than what may be lost: orders 1 d 1 h \(RPO 1d\)/);
      return true;
    });
    await fixture.sql(
      `update jobs set status = 'failed', ended_at = now() where type = 'drill' and ended_at is null`,
    );
    clock = () => new Date(Date.parse(proven.takenAt) + 80_000_000);
    const plan = await begin('outage', { gameDay: true });
    clock = () => new Date();
    assert.equal(chosen(plan), proven.id);
    assert.equal(plan.record.drill.trigger, 'gameDay');
    assert.ok((await fixture.catalog.drills.find(plan.drillId)).gameDay);
    await end(plan);
  });

  it('that was lost after it was planned, or left no evidence, has failed until another one of it passes', async () => {
    await taken(20, { repository: 'offsite' });
    const verdict = async () =>
      (await fixture.catalog.drills.verdicts()).find(({ drill: name }) => name === 'two');
    const lost = await begin('two');
    assert.equal(await verdict(), undefined, 'it still runs');
    const error = { code: 'internal', message: 'it was lost', cause: 'no workflow', hint: 'look' } as const;
    await endDrill(deployment(), {
      ...{ drillId: lost.drillId, record: lost.record, evidence: null, actor: 'ada', error },
    });
    const failed = { drill: 'two', id: lost.drillId, outcome: 'failed', reason: 'it was lost: no workflow' };
    assert.deepEqual(await verdict(), { ...failed, told: {} });
    await end(await begin('two'));
    assert.equal((await verdict())?.id, lost.drillId, 'cancelling another one settles nothing');
  });

  it('of a game day releases its safety points only where it passed or was cancelled', async () => {
    const { id: point } = await taken(20, { repository: 'offsite' });
    for (const status of ['cancelled', 'failed'] as const) {
      const { drillId } = await begin('one');
      await fixture.catalog.holds.place(point, { owner: gameDayHolder(drillId), reason: 'it was there' });
      await fixture.catalog.jobs.end(drillId, { status });
      assert.deepEqual(await holders(), status === 'failed' ? [gameDayHolder(drillId)] : []);
    }
  });

  it('of one whose room is too small says what it needs and has, and opens no repository', async () => {
    const takenAt = '2026-11-20T02:00:00.000Z';
    await fixture.catalog.points.record(
      aPoint({ takenAt, bytes: 2 ** 50, copies: [aCopy('offsite', takenAt)] }),
      null,
    );
    const plan = await begin('one');
    const closed = {
      ...deployment(),
      openRepository: () => assert.fail('it was opened'),
    } as unknown as Deployment;
    const record = await inRoom(closed, plan);
    assert.equal(record.failures[0]?.code, 'staging.full');
    assert.match(record.failures[0]?.cause ?? '', /needed 2048 TiB, .+ free on/);
    assert.equal(await end(plan, record), 'failed');
  });

  it('of one whose credentials expire while it fetches says so, and has failed', async () => {
    const { id } = await taken(20, { repository: 'offsite' });
    const plan = await begin('one');
    repository = {
      restore: () => {
        throw new HoldfastError({
          ...{ code: 'repository.credentialsRefused', message: 'offsite refused the credentials' },
          ...{ cause: 'ExpiredToken', hint: 'renew them' },
        });
      },
    };
    const record = await inRoom(deployment(), plan);
    assert.equal(record.failures[0]?.code, 'repository.credentialsRefused');
    assert.equal(await end(plan, record), 'failed');
    const job = await fixture.catalog.jobs.find(plan.drillId);
    assert.deepEqual(
      [job.error?.code, job.assets[0]?.error?.code, job.assets[0]?.recoveryPointId],
      ['repository.credentialsRefused', 'repository.credentialsRefused', id],
    );
  });
});
