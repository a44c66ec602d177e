import assert from 'node:assert/strict';
import type { Drill } from '../../../domain/configuration/drill-types.ts';
import { chooseAt } from '../../../domain/drills/choose.ts';
import { drillsDue } from '../../../domain/drills/due.ts';

const quarterly: Drill = {
  ...{ name: 'quarterly', scenario: 'siteLoss', policies: ['critical'], assets: [], classes: [] },
  ...{ from: 'offsite', select: { rule: 'latest' }, start: null, smoke: [], smokeSeconds: 300 },
  cadence: { kind: 'cron', expression: '0 3 1 */3 *' },
  objectives: { rtoSeconds: null, rpoSeconds: null },
};
const [from, to] = [new Date('2026-01-01T00:00:00Z'), new Date('2027-01-01T00:00:00Z')];
const times = (history: Parameters<typeof drillsDue>[0]) =>
  drillsDue(history, from, to).map(({ dueAt }) => dueAt.slice(0, 10));

describe('when drills were due', () => {
  it('is four times a year for a quarterly one', () => {
    assert.deepEqual(times([{ drills: [quarterly], since: '2025-06-01T00:00:00Z' }]), [
      '2026-01-01',
      '2026-04-01',
      '2026-07-01',
      '2026-10-01',
    ]);
  });

  it('follows what was configured at the time, not what is today', () => {
    const history = [
      { drills: [quarterly], since: '2026-02-01T00:00:00Z' },
      { drills: [], since: '2026-08-01T00:00:00Z' },
    ];
    assert.deepEqual(times(history), ['2026-04-01', '2026-07-01']);
  });
});

describe('a point chosen at random', () => {
  const points = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((id) => ({ id }));

  it('is the same for the same seed, in whatever order the points come', () => {
    const chosen = chooseAt(points, 'audit-2026', 'orders');
    assert.ok(chosen);
    assert.deepEqual(chooseAt(points.toReversed(), 'audit-2026', 'orders'), chosen);
  });

  it('reaches every point, given seeds enough', () => {
    const seeds = Array.from({ length: 200 }, (_, index) => `seed-${index}`);
    const reached = new Set(seeds.map((seed) => chooseAt(points, seed, 'orders')?.id));
    assert.equal(reached.size, points.length);
  });

  it('is none of none', () => {
    assert.equal(chooseAt([], 'audit-2026', 'orders'), null);
  });
});
