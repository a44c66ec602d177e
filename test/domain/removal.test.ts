import assert from 'node:assert/strict';
import type { RecoveryPoint } from '../../domain/recovery-point.ts';
import { removalPlan, type RemovalFacts } from '../../domain/removal.ts';

describe('what removing a recovery point would mean', () => {
  const copyIn = (repository: string) => ({
    ...{ repository, artifactId: `${repository}-1`, storedAt: '2026-11-20T02:00:11.000Z' },
    parts: [{ name: 'dump', snapshotId: `${repository}-1`, path: '/dump' }],
    ...{ verifiedAt: null, provenAt: null, damagedAt: null },
  });
  const point = {
    ...{ id: 'p-1', asset: 'orders', kind: 'regular', takenAt: '2026-11-20T02:00:00.000Z' },
    copies: [copyIn('local'), copyIn('offsite')],
  } as RecoveryPoint;
  const plan = (facts: Partial<RemovalFacts> = {}) =>
    removalPlan({
      ...{
        point,
        repository: null,
        configured: [{ name: 'local' }, { name: 'offsite' }],
        holds: [],
        openRestores: [],
      },
      now: new Date('2026-11-25T00:00:00.000Z'),
      ...{ newest: 'p-2', newestProven: 'p-2' },
      ...facts,
    });

  it('is every snapshot of every copy, and nothing to mind where newer points are', () => {
    const { goes, pointGoes, warnings, refusals } = plan();
    assert.deepEqual(goes, [
      { repository: 'local', snapshots: ['local-1'] },
      { repository: 'offsite', snapshots: ['offsite-1'] },
    ]);
    assert.deepEqual([pointGoes, warnings, refusals], [true, [], []]);
  });

  it('warns of the newest, of the newest proven, and of the way back of a restore', () => {
    assert.match(plan({ newest: 'p-1' }).warnings.join(), /newest point of orders/);
    assert.match(plan({ newestProven: 'p-1' }).warnings.join(), /newest proven point/);
    assert.match(plan({ point: { ...point, kind: 'safety' } }).warnings.join(), /the way back goes/);
  });

  it('is refused while a store keeps what was written', () => {
    const immutability = { mode: 'compliance' as const, days: 30 };
    const facts = { configured: [{ name: 'local' }, { name: 'offsite', immutability }] };
    assert.deepEqual(plan(facts).refusals, [
      'its copy in offsite is immutable until 2026-12-20T02:00:11.000Z',
    ]);
    assert.deepEqual(plan({ ...facts, repository: 'local' }).refusals, []);
    assert.deepEqual(plan({ ...facts, now: new Date('2027-01-01T00:00:00.000Z') }).refusals, []);
  });

  it('of one copy leaves the point', () => {
    const { goes, stays, pointGoes, warnings } = plan({ repository: 'offsite', newest: 'p-1' });
    assert.deepEqual([goes.length, stays, pointGoes], [1, ['local'], false]);
    assert.deepEqual(warnings, ['the copies in local stay']);
  });

  it('is refused for holds, open restores, and what cannot be reached', () => {
    assert.deepEqual(plan({ holds: [{ owner: 'legal', reason: 'case 1' }] }).refusals, [
      'it is held for legal: case 1',
    ]);
    assert.match(plan({ openRestores: ['r-1'] }).refusals.join(), /restore r-1 uses it/);
    assert.match(plan({ repository: 'elsewhere' }).refusals.join(), /no copy in elsewhere/);
    assert.match(
      plan({ configured: [{ name: 'local' }] }).refusals.join(),
      /repository offsite is not in the applied/,
    );
    assert.deepEqual(plan({ configured: [{ name: 'local' }], repository: 'local' }).refusals, []);
  });
});
