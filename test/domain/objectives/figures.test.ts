import assert from 'node:assert/strict';
import fc from 'fast-check';
import { durationTrend } from '../../../domain/objectives/duration-trend.ts';
import { figuresOf, type Counted } from '../../../domain/objectives/figures.ts';

const now = new Date('2026-11-20T12:00:00.000Z');
const each = <T>(days7: T, days30: T, days90: T) => ({ days7, days30, days90 });
const counts = (succeeded: number, failed = 0, missed = 0) => ({ succeeded, failed, missed });
const none = each(counts(0), counts(0), counts(0));

const backups: Counted = {
  backups: each(counts(6, 1), counts(28, 1, 1), counts(80, 5, 5)),
  validations: each(counts(1), counts(4), counts(12)),
  addedBytes: each(70, 300, 900),
  storing: [{ daysAgo: 0, seconds: 30 }],
  rehearsing: [],
};
const restores: Counted = {
  ...backups,
  backups: none,
  validations: each(counts(0), counts(1, 1), counts(1, 1)),
  addedBytes: each(0, 0, 0),
  storing: [],
};
const figures = (change: Partial<Parameters<typeof figuresOf>[0]> = {}) =>
  figuresOf({ counted: [backups, restores], missed: [], objective: 0.9, now, ...change });

describe('the figures of an asset', () => {
  it('take its restores as validations beside the rehearsals', () => {
    const { successRates, growth } = figures();
    assert.equal(successRates.backups.days30.rate, 28 / 30);
    assert.deepEqual(successRates.validations.days30, { ...counts(5, 1), rate: 5 / 6 });
    assert.deepEqual(growth, each(70, 300, 900));
  });

  it('hold the budget against 30 days, and its pace against 7', () => {
    const { errorBudget } = figures();
    assert.deepEqual([errorBudget?.allowed, errorBudget?.used, errorBudget?.burnRate], [3, 2, 1.428571429]);
    assert.equal(figures({ objective: null }).errorBudget, null);
  });

  it('count a run that is overdue in each window that has its day', () => {
    const missed = [
      '2026-11-20T03:00:00Z',
      '2026-11-14T00:00:00Z',
      '2026-11-13T23:59:59Z',
      '2026-08-01T00:00:00Z',
    ];
    const { backups: rates } = figures({ missed: missed.map((at) => new Date(at)) }).successRates;
    assert.deepEqual([rates.days7.missed, rates.days30.missed, rates.days90.missed], [2, 4, 8]);
  });

  it('are unknown of what was never counted', () => {
    const { successRates, growth, durations } = figures({ counted: [] });
    assert.equal(successRates.backups.days90.rate, null);
    assert.deepEqual(growth, each(null, null, null));
    const unknown = { recentSeconds: null, previousSeconds: null, ratio: null, secondsPerDay: null };
    assert.deepEqual(durations, { backup: unknown, rehearsal: unknown });
  });
});

describe('the trend of a duration', () => {
  const days = (from: number, to: number, seconds: (daysAgo: number) => number) =>
    Array.from({ length: to - from }, (_, index) => ({
      daysAgo: from + index,
      seconds: seconds(from + index),
    }));

  it('sets the last 7 days beside the 30 before', () => {
    const trend = durationTrend([
      ...days(0, 7, () => 30),
      ...days(7, 37, () => 20),
      ...days(37, 90, () => 999),
    ]);
    assert.deepEqual([trend.recentSeconds, trend.previousSeconds, trend.ratio], [30, 20, 1.5]);
  });

  it('is not moved by one bad night', () => {
    const trend = durationTrend(days(0, 37, (daysAgo) => (daysAgo === 3 ? 10_000 : 20)));
    assert.deepEqual([trend.recentSeconds, trend.ratio], [20, 1]);
  });

  it('says only what was measured', () => {
    assert.deepEqual(durationTrend([{ daysAgo: 10, seconds: 5 }]), {
      recentSeconds: null,
      previousSeconds: 5,
      ratio: null,
      secondsPerDay: null,
    });
  });

  it('finds the slope of any straight line, in whatever order the days come', () => {
    const line = fc.record({
      slope: fc.integer({ min: -50, max: 50 }),
      count: fc.integer({ min: 3, max: 37 }),
    });
    fc.assert(
      fc.property(line, fc.infiniteStream(fc.nat()), ({ slope, count }, order) => {
        const shuffled = days(0, count, (daysAgo) => 5_000 - slope * daysAgo)
          .map((day) => ({ day, key: order.next().value as number }))
          .sort((one, other) => one.key - other.key)
          .map(({ day }) => day);
        assert.ok(Math.abs((durationTrend(shuffled).secondsPerDay ?? NaN) - slope) < 1e-6);
      }),
    );
  });
});
