import assert from 'node:assert/strict';
import fc from 'fast-check';
import { budgetDay, decideBudget, overrunWords, waitingWords } from '../../../domain/guards/budget.ts';

const GiB = 2 ** 30;
const budget = { bytes: 100 * GiB, resetSeconds: 2 * 3600 };
const noon = new Date('2026-11-21T12:00:00Z');
const facts = (changes: Partial<Parameters<typeof decideBudget>[0]> = {}) => ({
  budget,
  sent: 0,
  promised: 0,
  expected: 10 * GiB,
  waitingSince: null,
  ...changes,
});

describe('the day of an upload budget', () => {
  it('begins at the stated hour, in UTC', () => {
    assert.deepEqual(budgetDay(noon, 7200), {
      startsAt: '2026-11-21T02:00:00.000Z',
      resetsAt: '2026-11-22T02:00:00.000Z',
    });
    assert.equal(budgetDay(new Date('2026-11-21T01:59:59.999Z'), 7200).resetsAt, '2026-11-21T02:00:00.000Z');
    assert.equal(budgetDay(new Date('2026-11-21T02:00:00Z'), 7200).startsAt, '2026-11-21T02:00:00.000Z');
  });

  it('holds the moment it is asked for, and is a day long', () => {
    fc.assert(
      fc.property(
        fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('2100-01-01') }),
        fc.integer({ min: 0, max: 86_399 }),
        (now, reset) => {
          const { startsAt, resetsAt } = budgetDay(now, reset);
          assert.ok(Date.parse(startsAt) <= now.getTime() && now.getTime() < Date.parse(resetsAt));
          assert.equal(Date.parse(resetsAt) - Date.parse(startsAt), 86_400_000);
        },
      ),
    );
  });
});

describe('decideBudget', () => {
  const wait = { go: false, until: '2026-11-22T02:00:00.000Z' };
  const cases: [string, Parameters<typeof facts>[0], unknown][] = [
    ['lets go what fits', { sent: 90 * GiB }, { go: true, overrun: 0 }],
    ['makes wait what would exceed it', { sent: 90 * GiB + 1 }, wait],
    ['counts what is promised to others', { sent: 45 * GiB, promised: 46 * GiB }, wait],
    [
      'lets go what is larger than a day, on a day of which nothing is used',
      { expected: 140 * GiB },
      { go: true, overrun: 40 * GiB },
    ],
    ['makes it wait where something is used', { expected: 140 * GiB, sent: 1 }, wait],
    [
      'lets it go after one reset, whatever others have sent meanwhile',
      { expected: 140 * GiB, sent: 30 * GiB, waitingSince: '2026-11-21T01:00:00Z' },
      { go: true, overrun: 70 * GiB },
    ],
    [
      'makes what fits into a day wait on, also after a reset',
      { sent: 95 * GiB, waitingSince: '2026-11-20T12:00:00Z' },
      wait,
    ],
  ];
  for (const [name, changes, expected] of cases)
    it(name, () => assert.deepEqual(decideBudget(facts(changes), noon), expected));

  const bytes = fc.integer({ min: 0, max: 200 });
  const since = fc.option(fc.integer({ min: 0, max: 5 * 86_400 }));
  it('never lets anything that fits into a day exceed it, and never makes anything wait for ever', () => {
    fc.assert(
      fc.property(bytes, bytes, bytes, since, (sent, promised, expected, ago) => {
        const waitingSince = ago === null ? null : new Date(noon.getTime() - ago * 1000).toISOString();
        const small = { bytes: 100, resetSeconds: 7200 };
        const decision = decideBudget({ budget: small, sent, promised, expected, waitingSince }, noon);
        if (decision.go) {
          assert.equal(decision.overrun, Math.max(0, sent + promised + expected - 100));
          if (expected <= 100) assert.equal(decision.overrun, 0);
        } else {
          const until = Date.parse(decision.until) - noon.getTime();
          assert.ok(until > 0 && until <= 86_400_000);
          // Nothing used and nothing promised, as after a reset: it goes.
          const next = { budget: small, sent: 0, promised: 0, expected, waitingSince: noon.toISOString() };
          assert.equal(decideBudget(next, new Date(decision.until)).go, true);
        }
      }),
    );
  });

  it('says how much was used and expected, and when it goes on', () => {
    const subject = { asset: 'orders', repository: 'offsite' };
    assert.equal(
      waitingWords(subject, facts({ sent: 95 * GiB, promised: 2 * GiB }), wait.until),
      'orders waits for the upload budget of offsite: 95 GiB of 100 GiB are used today, 2 GiB promised to ' +
        'others, about 10 GiB are expected; it goes on at 2026-11-22T02:00:00.000Z',
    );
    assert.match(overrunWords(subject, facts({ expected: 140 * GiB })), /about 140 GiB of 100 GiB/);
  });
});
