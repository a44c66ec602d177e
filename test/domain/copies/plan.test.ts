import assert from 'node:assert/strict';
import fc from 'fast-check';
import { pointsToCopy } from '../../../domain/copies/plan.ts';
import { planRetention, type RetainedPoint } from '../../../domain/retention/plan.ts';
import { daysAgo, now, pointAt, retention, somePoints, someRules } from '../retention/retention-fixture.ts';

const ago = (days: number, change: Partial<RetainedPoint> = {}) =>
  pointAt(daysAgo(days), { id: `point-${days}`, ...change });
const due = (from: RetainedPoint[], to: RetainedPoint[] = [], keepLast = 10) =>
  pointsToCopy({ from, to, rules: retention({ keepLast }), now });

describe('what still has to travel to a copy', () => {
  it('is what it has not, newest first', () => {
    assert.deepEqual(due([ago(3), ago(1), ago(2)], [ago(2)]), ['point-1', 'point-3']);
  });

  it('is not what its own retention would drop at once', () => {
    assert.deepEqual(due([ago(1), ago(2), ago(3)], [], 2), ['point-1', 'point-2']);
    assert.deepEqual(due([ago(2), ago(3)], [ago(1)], 1), []);
  });

  it('is everything where nothing is said of what it keeps', () => {
    assert.deepEqual(pointsToCopy({ from: [ago(1), ago(400)], to: [], rules: null, now }), [
      'point-1',
      'point-400',
    ]);
  });

  it('is what somebody holds, whatever the rules say', () => {
    const held = [{ owner: 'legal', reason: 'case 117' }];
    assert.deepEqual(due([ago(1), ago(9, { held })], [], 1), ['point-1', 'point-9']);
  });

  it('is nothing that is damaged, on its way out, or the way back of a restore', () => {
    const from = [ago(1, { damaged: true }), ago(2, { removing: true }), ago(3, { kind: 'safety' })];
    assert.deepEqual(due(from), []);
  });

  it('is what is damaged there and whole where it comes from', () => {
    const broken = ago(2, { damaged: true });
    assert.deepEqual(due([ago(1), ago(2)], [ago(1), broken]), ['point-2']);
    assert.deepEqual(due([ago(1), broken], [ago(1), broken]), []);
    assert.deepEqual(due([ago(1), ago(2)], [ago(1), broken], 1), [], 'its retention would drop it');
  });

  it('is nothing that a person has taken out of there', () => {
    const unwanted = new Set(['point-2']);
    const request = { from: [ago(1), ago(2)], to: [ago(1)], unwanted, rules: null, now };
    assert.deepEqual(pointsToCopy(request), []);
  });

  it('would not be dropped again by a retention run there, and leaves nothing behind that one would keep', () => {
    fc.assert(
      fc.property(somePoints, someRules, fc.integer({ min: 0, max: 20 }), (points, rules, there) => {
        const to = points.slice(0, there);
        const travels = new Set(pointsToCopy({ from: points, to, rules, now }));
        const after = [...to, ...points.filter(({ id }) => travels.has(id))];
        const plan = planRetention({ points: after, rules, immutableDays: null, now });
        for (const { recoveryPointId, decision } of plan)
          if (travels.has(recoveryPointId)) assert.equal(decision, 'keep');
        assert.deepEqual(pointsToCopy({ from: points, to: after, rules, now }), []);
      }),
    );
  });
});
