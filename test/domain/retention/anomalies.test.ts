import assert from 'node:assert/strict';
import type { RetentionRun } from '../../../domain/retention/anomalies.ts';
import { anomaliesOf } from '../../../domain/retention/anomalies.ts';
import type { Decision } from '../../../domain/retention/plan.ts';
import { daysAgo, now } from './retention-fixture.ts';

const MINUTE = 1 / (24 * 60);

function run(change: Partial<RetentionRun> = {}): RetentionRun {
  return {
    policy: 'critical',
    repository: 'offsite',
    plans: [{ asset: 'orders', decisions: decisions(2, 1) }],
    now,
    clockJump: null,
    missingSnapshots: [],
    unknownSnapshots: [],
    ...change,
  };
}

function decisions(kept: number, dropped: number, newestDaysAgo = 0): Decision[] {
  return Array.from({ length: kept + dropped }, (_, index) => ({
    recoveryPointId: `point-${index}`,
    takenAt: daysAgo(newestDaysAgo + index),
    decision: index < kept ? 'keep' : 'drop',
    reasons: ['…'],
  }));
}

const plans = (...some: Decision[][]) => ({
  plans: some.map((decisions, index) => ({ asset: `asset-${index}`, decisions })),
});

describe('why a retention plan is refused', () => {
  const cases: [name: string, change: Partial<RetentionRun>, expected: [code: string, says: RegExp][]][] = [
    ['an ordinary run', {}, []],
    ['a new catalogue', { plans: [] }, []],
    ['a point taken by a clock a little ahead', plans(decisions(2, 0, -5 * MINUTE)), []],
    [
      'a point yet to be taken',
      plans(decisions(2, 0), decisions(2, 0, -5.1 * MINUTE)),
      [
        [
          'clock.untrusted',
          /^recovery point point-0 of asset-1 was taken at 2026-11-20T16:05:06.* yet to come$/,
        ],
      ],
    ],
    [
      'a clock that was set back',
      { clockJump: { from: daysAgo(0), to: daysAgo(365) } },
      [['clock.untrusted', /after it had shown .*: it was set back/]],
    ],
    [
      'a clock that went ahead',
      { clockJump: { from: daysAgo(8), to: daysAgo(0) } },
      [['clock.untrusted', /8 d after any run before it: it may have gone ahead/]],
    ],
    ['half of the points', plans(decisions(5, 5)), []],
    [
      'more than half of one asset, though not of all',
      plans(decisions(50, 0), decisions(4, 5)),
      [
        [
          'retention.dropsTooMuch',
          /^5 of the 9 recovery points of asset-1 in offsite would go, more than 50 %/,
        ],
      ],
    ],
    ['all but one of four', plans(decisions(1, 3)), []],
    ['three of five', plans(decisions(2, 3)), [['retention.dropsTooMuch', /3 of the 5/]]],
    ['three of five, allowed', { ...plans(decisions(2, 3)), bounds: { maxDropShare: 1 } }, []],
    [
      'more than a smaller share',
      { ...plans(decisions(6, 4)), bounds: { maxDropShare: 0.3 } },
      [['retention.dropsTooMuch', /more than 30 %/]],
    ],
    [
      'a snapshot gone from the repository',
      { missingSnapshots: ['0123456789abcdef'] },
      [['repository.disagrees', /^1 snapshot \(01234567\) is in the catalogue and no longer in offsite$/]],
    ],
    [
      'snapshots nobody knows',
      { unknownSnapshots: ['aaaaaaaaaaaa', 'bbbbbbbbbbbb', 'cccccccccccc', 'dddddddddddd'] },
      [
        [
          'repository.disagrees',
          /^4 snapshots \(aaaaaaaa, bbbbbbbb, cccccccc, …\) are in offsite and, .* not in the cat/,
        ],
      ],
    ],
    [
      'everything at once',
      {
        ...plans(decisions(2, 8, -1)),
        clockJump: { from: daysAgo(100), to: daysAgo(0) },
        missingSnapshots: ['a'],
        unknownSnapshots: ['b'],
      },
      [
        ['clock.untrusted', /yet to come/],
        ['clock.untrusted', /gone ahead/],
        ['retention.dropsTooMuch', /8 of the 10/],
        ['repository.disagrees', /no longer in/],
        ['repository.disagrees', /Holdfast made them/],
      ],
    ],
  ];
  for (const [name, change, expected] of cases) {
    it(name, () => {
      const found = anomaliesOf(run(change));
      assert.deepEqual(
        found.map(({ code }) => code),
        expected.map(([code]) => code),
      );
      for (const [index, [, says]] of expected.entries()) {
        assert.match(found[index]?.message ?? '', says);
        assert.match(found[index]?.hint ?? '', /\w+ \w+/);
      }
    });
  }

  it('names the command that shows the reasons', () => {
    assert.match(
      anomaliesOf(run(plans(decisions(0, 5))))[0]?.hint ?? '',
      /`holdfast retention plan critical`/,
    );
  });
});
