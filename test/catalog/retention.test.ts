import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { planRepository } from '../../catalog/index.ts';
import type { PolicyRetention } from '../../domain/configuration/types.ts';
import { retention } from '../domain/retention/retention-fixture.ts';
import { aConfiguration, aCopy, aJob, aPoint, runSql, withCatalog } from './fixture.ts';

const NOW = new Date('2026-11-20T12:00:00.000Z');
const daysAgo = (days: number) => new Date(NOW.getTime() - days * 86_400_000).toISOString();

describe('what retention takes out of the catalogue', () => {
  const fixture = withCatalog();
  beforeEach(async () => {
    for (const table of ['retention_runs', 'dropped_copies', 'sync_state', 'recovery_points', 'restores'])
      await fixture.sql(`truncate ${table} cascade`);
  });

  const taken = async (days: number, repositories = ['local']) => {
    const takenAt = daysAgo(days);
    const copies = repositories.map((name) => aCopy(name, takenAt));
    const [first, ...others] = copies;
    return (await fixture.catalog.points.record(aPoint({ takenAt, copies: [first!, ...others] }), null)).id;
  };
  const planned = async (rules: Partial<PolicyRetention>, repository = 'local') => {
    const configuration = aConfiguration();
    const policy = { ...configuration.policies[0]!, retention: { ...retention({}), ...rules } };
    const { assets } = await planRepository(fixture.catalog, { configuration, policy, repository, now: NOW });
    return assets.find(({ asset }) => asset === 'orders')!.decisions;
  };
  /** The plan of a new job: `withdraw` then does it. */
  const recorded = async (decisions: Awaited<ReturnType<typeof planned>>, repository = 'local') => {
    const { catalog } = fixture;
    const jobId = randomUUID();
    await catalog.jobs.begin(aJob({ id: jobId, type: 'retention', policy: null }));
    const drops = decisions.filter(({ decision }) => decision === 'drop');
    await catalog.retention.recordPlan({
      ...{
        jobId,
        repository,
        plannedAt: NOW.toISOString(),
        kept: 0,
        drops,
        anomalies: [],
        confirmedBy: null,
      },
    });
    return async () => {
      const open = await catalog.retention.planned(jobId, repository, 50);
      const kept = await catalog.retention.withdraw(jobId, repository, open);
      assert.deepEqual(await catalog.retention.planned(jobId, repository, 50), [], 'left undecided');
      return kept.map(({ why }) => why);
    };
  };
  const listed = async (repository = 'local') =>
    (await fixture.catalog.points.list({ repository })).items.map(({ id }) => id);

  it('is never a point that a person holds, with the owner and the reason', async () => {
    const old = await taken(3);
    await taken(1);
    await fixture.catalog.holds.place(old, { owner: 'legal', reason: 'case 17' });
    assert.deepEqual(
      (await planned({ keepLast: 1 })).map(({ decision, reasons }) => [decision, reasons]).at(-1),
      ['keep', ['held by legal: case 17']],
    );
  });

  it('is not what was held, taken up by a restore or given up by a person after the plan', async () => {
    const ids = [];
    for (const days of [5, 4, 3, 2, 1]) ids.push(await taken(days));
    const [held, restored, removed, , newest] = ids;
    const carryOut = await recorded(await planned({ keepLast: 1 }));
    const { holds, restores, removals } = fixture.catalog;
    await holds.place(held!, { owner: 'legal', reason: 'case 17' });
    const restore = await restores.create({
      ...{ requestId: randomUUID(), asset: 'orders', target: 'in place', include: [] },
      point: restored!,
    });
    await removals.begin(removed!, ['local'], 'mistaken');
    assert.deepEqual(await carryOut(), [
      'held by legal: case 17',
      `held by restore ${restore.id}: it has not ended`,
      'it is being removed by a person',
    ]);
    assert.deepEqual(await listed(), [newest, removed, restored, held]);
  });

  it('counts a point that a person removes for nothing, and leaves it to them', async () => {
    const [older, going] = [await taken(2), await taken(1)];
    await fixture.catalog.removals.begin(going, ['local'], 'mistaken');
    assert.deepEqual(
      (await planned({ keepLast: 1 })).map(({ recoveryPointId, reasons }) => [recoveryPointId, reasons[0]]),
      [
        [going, 'it is being removed by a person'],
        [older, 'the newest'],
      ],
    );
  });

  it('decides a hold and a withdrawal that come together one way only', async () => {
    const { catalog } = fixture;
    for (let round = 0; round < 10; round += 1) {
      const old = await taken(3 + round);
      await taken(1);
      const carryOut = await recorded(await planned({ keepLast: 1 }));
      const [, kept] = await Promise.all([
        catalog.holds.place(old, { reason: 'race' }).catch(() => null),
        carryOut(),
      ]);
      const held = await catalog.holds.openOf([old]);
      assert.equal((await listed()).includes(old), kept.length > 0);
      assert.equal(held.length, kept.length, 'held, and gone all the same');
      await fixture.sql(
        'truncate point_holds, retention_runs, dropped_copies, sync_state, recovery_points cascade',
      );
    }
  });

  it('is gone in the same way as what a person removed: from every list, its id saying why', async () => {
    const { catalog } = fixture;
    const old = await taken(2);
    await taken(1);
    await (
      await recorded(await planned({ keepLast: 1 }))
    )();
    const gone = { code: 'point.unknown', cause: /retention removed it at .* was dropped: no rule keeps it/ };
    await assert.rejects(catalog.points.find(old), gone);
    await assert.rejects(catalog.holds.place(old, { reason: 'too late' }), gone);
    await assert.rejects(catalog.points.markCopy(old, 'local', { provenAt: daysAgo(0) }), {
      code: 'point.unknown',
    });
    const [state] = (await catalog.status()).filter(({ asset }) => asset === 'orders');
    assert.notEqual(state?.newest?.id, old);
  });

  it('moves aside, and the application role deletes no copy and nobody else moves one', async () => {
    const old = await taken(2);
    await fixture.catalog.removals.begin(old, ['local'], 'mistaken');
    await fixture.catalog.removals.copyGone(old, 'local', 'mistaken');
    const [moved] = await fixture.sql('select reasons, gone_at is not null as gone from dropped_copies');
    assert.deepEqual(moved, { reasons: ['mistaken'], gone: true });
    await assert.rejects(runSql(fixture.applicationUrl, 'delete from point_copies'), /permission denied/);
    const [{ anybody }] = (await fixture.sql<{ anybody: boolean }>(
      `select has_function_privilege('public', 'withdraw_copy(uuid, text, uuid, text[], timestamptz)', 'execute')
         as anybody`,
    )) as [{ anybody: boolean }];
    assert.equal(anybody, false);
  });

  describe('over all repositories', () => {
    const both = ['local', 'offsite'];

    it('never loses the newest proven point, whichever copy was proven', async () => {
      const proven = await taken(5, both);
      await fixture.catalog.points.markCopy(proven, 'offsite', { provenAt: daysAgo(5) });
      for (const days of [3, 2, 1]) await taken(days, both);
      for (const repository of both)
        await (
          await recorded(await planned({ keepLast: 1 }, repository), repository)
        )();
      const { copies } = await fixture.catalog.points.find(proven);
      assert.deepEqual(
        copies.map(({ repository }) => repository),
        ['offsite'],
      );
    });

    it('keeps the last whole copy of the newest point when the other was found damaged since the plan', async () => {
      const { points } = fixture.catalog;
      const older = await taken(2, both);
      const only = await taken(1, ['offsite']);
      const carryOut = await recorded(await planned({ keepLast: 1 }, 'offsite'), 'offsite');
      await points.markCopy(older, 'local', { damagedAt: daysAgo(0) });
      await points.markCopy(only, 'offsite', { damagedAt: daysAgo(0) });
      assert.deepEqual(await carryOut(), [
        'the last whole copy of the newest point that is not damaged of orders',
      ]);
      assert.equal((await points.newest('orders'))?.id, older);
    });

    it('keeps by the rules what is whole there, though its other copy is damaged', async () => {
      const { points } = fixture.catalog;
      await taken(2, both);
      const newest = await taken(1, both);
      await points.markCopy(newest, 'local', { damagedAt: daysAgo(0) });
      for (const repository of both)
        await (
          await recorded(await planned({ keepLast: 1 }, repository), repository)
        )();
      const { proof, copies } = await points.find(newest);
      assert.deepEqual([proof, copies.length], ['stored', 2]);
    });
  });
});
