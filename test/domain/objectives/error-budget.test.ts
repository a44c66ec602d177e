import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  budgetFindings,
  errorBudget,
  isExhausted,
  percent,
} from '../../../domain/objectives/error-budget.ts';
import { successRate } from '../../../domain/objectives/success-rate.ts';

const counts = (succeeded: number, failed = 0, missed = 0) => ({ succeeded, failed, missed });

const someCounts = fc.record({
  succeeded: fc.nat(100_000),
  failed: fc.nat(5_000),
  missed: fc.nat(5_000),
});
/** As they are written: 50 % to 100 % in steps of a thousandth. */
const someObjective = fc.integer({ min: 50_000, max: 100_000 }).map((share) => share / 100_000);

describe('a success rate', () => {
  it('counts a missed run like a failed one, and is nothing where nothing was due', () => {
    assert.equal(successRate(counts(6, 1, 1)).rate, 0.75);
    assert.equal(successRate(counts(0)).rate, null);
    assert.equal(successRate(counts(0, 0, 1)).rate, 0);
  });
});

describe('an error budget', () => {
  it('is what the objective allows among the runs that were due', () => {
    assert.deepEqual(errorBudget(0.99, counts(297, 2, 1), counts(69, 0, 1)), {
      objective: 0.99,
      rate: 0.99,
      allowed: 3,
      used: 3,
      remaining: 0,
      remainingShare: 0,
      burnRate: 1.428571429,
    });
    assert.deepEqual(errorBudget(1, counts(10, 1), counts(1)), {
      objective: 1,
      rate: 10 / 11,
      allowed: 0,
      used: 1,
      remaining: -1,
      remainingShare: null,
      burnRate: null,
    });
  });

  it('is none without an objective, and unknown before anything was due', () => {
    assert.equal(errorBudget(null, counts(9), counts(9)), null);
    assert.equal(errorBudget(undefined, counts(9), counts(9)), null);
    const budget = errorBudget(0.9, counts(0), counts(0));
    assert.deepEqual([budget?.rate, budget?.remainingShare, budget?.burnRate], [null, null, null]);
    assert.deepEqual(budgetFindings(budget, 'uploads'), []);
  });

  it('is overdrawn exactly when the rate is below the objective', () => {
    fc.assert(
      fc.property(someObjective, someCounts, (objective, window) => {
        const budget = errorBudget(objective, window, window);
        assert.ok(budget);
        const due = window.succeeded + window.failed + window.missed;
        // Whole numbers, so that no rounding decides.
        const missed = window.succeeded * 100_000 < due * Math.round(objective * 100_000);
        assert.equal(budget.remaining < 0, missed);
        const [finding] = budgetFindings(budget, 'uploads');
        assert.equal(finding?.breach === 'successRate', missed);
        assert.equal(finding !== undefined, isExhausted(budget));
      }),
    );
  });

  it('is used up by each failure, and never grows by one', () => {
    fc.assert(
      fc.property(someObjective, someCounts, (objective, window) => {
        const remaining = (failed: number) =>
          errorBudget(objective, { ...window, failed }, window)?.remaining ?? NaN;
        assert.ok(remaining(window.failed + 1) <= remaining(window.failed));
        assert.equal(remaining(window.failed), errorBudget(objective, window, window)?.remaining);
      }),
    );
  });

  it('burns at 1 when the last days fail as often as is allowed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 49 }), (failing) => {
        const budget = errorBudget(1 - failing / 100, counts(100), counts(100 - failing, failing));
        assert.equal(budget?.burnRate, 1);
      }),
    );
  });
});

describe('a percentage for readers', () => {
  it('never rounds up to what was not reached', () => {
    for (const [share, words] of [
      [1, '100 %'],
      [0.9996, '99.9 %'],
      [0.99, '99 %'],
      [0.995, '99.5 %'],
      [2 / 3, '66.6 %'],
      [0, '0 %'],
    ] as const)
      assert.equal(percent(share), words);
  });
});
