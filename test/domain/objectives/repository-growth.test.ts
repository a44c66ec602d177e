import assert from 'node:assert/strict';
import fc from 'fast-check';
import { repositoryGrowth, type RepositorySize } from '../../../domain/objectives/repository-growth.ts';

const now = new Date('2026-11-20T12:00:00.000Z');
const DAY = 86_400_000;
const size = (daysAgo: number, storedBytes: number, freeBytes: number | null = null): RepositorySize => ({
  at: new Date(now.getTime() - daysAgo * DAY).toISOString(),
  storedBytes,
  freeBytes,
});
/** A measurement a day, oldest first, so many bytes more each. */
const line = (days: number, perDay: number, last: number) =>
  Array.from({ length: days }, (_, index) => size(days - 1 - index, last - (days - 1 - index) * perDay));
const daysUntil = (time: string | null) => (time === null ? null : (Date.parse(time) - now.getTime()) / DAY);

describe('the growth of a repository', () => {
  it('is unknown where nothing was measured', () => {
    const unknown = { days7: null, days30: null, days90: null };
    assert.deepEqual(repositoryGrowth([], 1_000, now), {
      measuredAt: null,
      storedBytes: null,
      freeBytes: null,
      capacityBytes: 1_000,
      changes: unknown,
      bytesPerDay: null,
      fillsAt: null,
    });
    const once = repositoryGrowth([size(0, 600, 400)], null, now);
    assert.deepEqual(
      [once.storedBytes, once.capacityBytes, once.bytesPerDay, once.fillsAt],
      [600, 1_000, null, null],
    );
    assert.deepEqual(once.changes, unknown);
  });

  it('says what was added since a week, a month and a quarter ago, as far as it was measured', () => {
    const { changes } = repositoryGrowth(line(40, 10, 1_000), null, now);
    assert.deepEqual(changes, { days7: 70, days30: 300, days90: null });
  });

  it('takes what is configured before what is free, and knows none of a bucket', () => {
    const sizes = [size(0, 600, 400)];
    assert.equal(repositoryGrowth(sizes, 5_000, now).capacityBytes, 5_000);
    assert.equal(repositoryGrowth([size(0, 600)], null, now).capacityBytes, null);
  });

  it('foretells the day it is full', () => {
    const { bytesPerDay, fillsAt } = repositoryGrowth(line(30, 10, 1_000), 1_250, now);
    assert.equal(bytesPerDay, 10);
    assert.equal(daysUntil(fillsAt), 25);
  });

  it('is full now when nothing is left, and never when it shrinks, stands still or has years left', () => {
    assert.equal(repositoryGrowth(line(3, 0, 1_000), 1_000, now).fillsAt, now.toISOString());
    assert.equal(repositoryGrowth(line(30, -10, 1_000), 1_250, now).fillsAt, null);
    assert.equal(repositoryGrowth(line(30, 0, 1_000), 1_250, now).fillsAt, null);
    assert.equal(repositoryGrowth(line(30, 1, 1_000), 1_000_000, now).fillsAt, null);
  });

  it('is not in the past, although the last measurement is', () => {
    const old = line(10, 100, 1_000).map((each) => ({
      ...each,
      at: new Date(Date.parse(each.at) - 20 * DAY).toISOString(),
    }));
    assert.equal(repositoryGrowth(old, 1_200, now).fillsAt, now.toISOString());
  });

  it('is bent neither by a prune in between nor by one huge upload', () => {
    const pruned = line(60, 10, 10_000).map((each, index) =>
      index < 30 ? each : { ...each, storedBytes: each.storedBytes - 150 },
    );
    const { bytesPerDay } = repositoryGrowth(pruned, null, now);
    assert.ok(bytesPerDay !== null && bytesPerDay > 5 && bytesPerDay <= 10, `${bytesPerDay}`);
    const spiked = line(30, 10, 1_000).map((each, index) =>
      index === 12 ? { ...each, storedBytes: 1e9 } : each,
    );
    assert.equal(repositoryGrowth(spiked, null, now).bytesPerDay, 10);
  });

  it('of any straight line is that line, and it fills where the line meets the capacity', () => {
    const whole = fc.integer({ min: 1, max: 1_000_000 });
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 90 }), whole, whole, (days, perDay, left) => {
        const { bytesPerDay, fillsAt } = repositoryGrowth(line(days, perDay, 1e9), 1e9 + left, now);
        assert.ok(Math.abs((bytesPerDay ?? 0) - perDay) < 1e-3);
        const expected = left / perDay;
        if (expected > 3_650) assert.equal(fillsAt, null);
        else assert.ok(Math.abs((daysUntil(fillsAt) ?? NaN) - expected) < 1e-3 * expected + 1e-6);
      }),
    );
  });

  it('a larger capacity never fills sooner', () => {
    const sizes = fc.array(fc.nat(1_000_000), { minLength: 3, maxLength: 30 });
    fc.assert(
      fc.property(sizes, fc.nat(1_000_000), fc.nat(1_000_000), (stored, capacity, more) => {
        const measured = stored.map((bytes, index) => size(stored.length - 1 - index, bytes));
        const fills = (bytes: number) =>
          daysUntil(repositoryGrowth(measured, bytes, now).fillsAt) ?? Infinity;
        assert.ok(fills(capacity + more) >= fills(capacity));
      }),
    );
  });
});
