import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Retention } from '../../../domain/configuration/types.ts';
import { keptByRules, writeRetention } from '../../../domain/retention/rules.ts';
import { allWords, now, numberFor, plainPoints, retention, someRules } from './retention-fixture.ts';

/** Points are written as their times, in minutes; kept ones are answered with their reasons. */
function kept(times: string[], words: Partial<Retention>): Record<string, string[]> {
  const points = times.map((time) => ({ id: time, takenAt: `${time}:00.000Z` }));
  return Object.fromEntries(keptByRules(points, retention(words), now));
}

describe('what the words of restic keep', () => {
  const week = [
    '2026-11-20T10:05',
    '2026-11-20T10:01',
    '2026-11-19T23:59',
    '2026-11-19T00:00',
    '2026-11-18T12:00',
  ];
  const cases: [
    name: string,
    times: string[],
    words: Partial<Retention>,
    expected: Record<string, string[]>,
  ][] = [
    [
      'keepLast',
      week,
      { keepLast: 2 },
      { '2026-11-20T10:05': ['one of the newest 2'], '2026-11-20T10:01': ['one of the newest 2'] },
    ],
    ['keepLast of one', week, { keepLast: 1 }, { '2026-11-20T10:05': ['the newest'] }],
    [
      'keepHourly',
      week,
      { keepHourly: 2 },
      {
        '2026-11-20T10:05': ['hourly: the last of 2026-11-20 10:00'],
        '2026-11-19T23:59': ['hourly: the last of 2026-11-19 23:00'],
      },
    ],
    [
      'keepDaily',
      week,
      { keepDaily: 2 },
      {
        '2026-11-20T10:05': ['daily: the last of 2026-11-20'],
        '2026-11-19T23:59': ['daily: the last of 2026-11-19'],
      },
    ],
    [
      'keepWeekly, by ISO weeks, which may begin in the year before',
      ['2027-01-04T00:00', '2027-01-03T23:59', '2026-12-28T00:00', '2026-12-27T23:59', '2026-12-01T00:00'],
      { keepWeekly: 3 },
      {
        '2027-01-04T00:00': ['weekly: the last of week 2027-W01'],
        '2027-01-03T23:59': ['weekly: the last of week 2026-W53'],
        '2026-12-27T23:59': ['weekly: the last of week 2026-W52'],
      },
    ],
    [
      'keepMonthly',
      ['2026-11-01T00:00', '2026-10-31T23:59', '2026-10-01T00:00', '2026-09-30T00:00'],
      { keepMonthly: 2 },
      {
        '2026-11-01T00:00': ['monthly: the last of 2026-11'],
        '2026-10-31T23:59': ['monthly: the last of 2026-10'],
      },
    ],
    [
      'keepYearly',
      ['2026-01-01T00:00', '2025-12-31T23:59', '2025-01-01T00:00', '2024-06-01T00:00'],
      { keepYearly: 2 },
      { '2026-01-01T00:00': ['yearly: the last of 2026'], '2025-12-31T23:59': ['yearly: the last of 2025'] },
    ],
    [
      'the oldest of all, while there is room for it',
      ['2026-11-20T10:05', '2026-11-20T10:01', '2026-11-20T09:00'],
      { keepDaily: 2 },
      {
        '2026-11-20T10:05': ['daily: the last of 2026-11-20'],
        '2026-11-20T09:00': ['daily: the oldest of all'],
      },
    ],
    [
      'not the oldest of all where the room is taken',
      ['2026-11-20T10:05', '2026-11-20T10:01', '2026-11-20T09:00'],
      { keepDaily: 1 },
      { '2026-11-20T10:05': ['daily: the last of 2026-11-20'] },
    ],
    [
      'keepWithin, back from the newest and not from now; exactly as old is too old',
      ['2026-11-10T12:00', '2026-11-09T12:01', '2026-11-09T12:00'],
      { keepWithinSeconds: 86_400 },
      {
        '2026-11-10T12:00': ['within 1d of the newest'],
        '2026-11-09T12:01': ['within 1d of the newest'],
      },
    ],
    [
      'keepWithin: a point yet to come is kept, and is not what is counted from',
      ['2026-12-24T12:00', '2026-11-10T12:00', '2026-11-10T11:00', '2026-11-09T11:00'],
      { keepWithinSeconds: 86_400 },
      {
        '2026-12-24T12:00': ['within 1d of the newest'],
        '2026-11-10T12:00': ['within 1d of the newest'],
        '2026-11-10T11:00': ['within 1d of the newest'],
      },
    ],
    [
      'keepWithin: all yet to come',
      ['2026-12-24T12:00', '2026-12-20T12:00'],
      { keepWithinSeconds: 3600 },
      { '2026-12-24T12:00': ['within 1h of the newest'], '2026-12-20T12:00': ['within 1h of the newest'] },
    ],
    [
      'keepWithinDaily, and the oldest of all where it is within',
      ['2026-11-20T10:05', '2026-11-19T23:59', '2026-11-19T12:00'],
      { keepWithinDailySeconds: 172_800 },
      {
        '2026-11-20T10:05': ['daily within 2d of the newest: the last of 2026-11-20'],
        '2026-11-19T23:59': ['daily within 2d of the newest: the last of 2026-11-19'],
        '2026-11-19T12:00': ['daily within 2d of the newest: the oldest of all'],
      },
    ],
    [
      'several words, each with its reason',
      ['2026-11-20T10:05', '2026-10-20T10:05'],
      { keepLast: 1, keepMonthly: 12, keepWithinHourlySeconds: 3600 },
      {
        '2026-11-20T10:05': [
          'the newest',
          'monthly: the last of 2026-11',
          'hourly within 1h of the newest: the last of 2026-11-20 10:00',
        ],
        '2026-10-20T10:05': ['monthly: the last of 2026-10'],
      },
    ],
    ['keepTags, of points that have none', week, { keepTags: ['release'] }, {}],
    ['a word with 0 keeps nothing', week, { keepLast: 0, keepDaily: 0 }, {}],
    ['no points', [], { keepLast: 3 }, {}],
  ];
  for (const [name, times, words, expected] of cases)
    it(name, () => assert.deepEqual(kept(times, words), expected));

  it('keepTags keeps each point that has one of the tags, and counts none of them', () => {
    const points = week.map((time, index) => ({
      id: time,
      takenAt: `${time}:00.000Z`,
      ...(index === 2 && { tags: ['release', 'v2.1'] }),
      ...(index === 4 && { tags: ['other'] }),
    }));
    const words = retention({ keepTags: ['release', 'v2.1'], keepLast: 3 });
    assert.deepEqual(Object.fromEntries(keptByRules(points, words, now)), {
      '2026-11-20T10:05': ['one of the newest 3'],
      '2026-11-20T10:01': ['one of the newest 3'],
      '2026-11-19T23:59': ['tagged release', 'tagged v2.1', 'one of the newest 3'],
    });
  });

  it('refuses a time that is none, which would be older than everything', () => {
    assert.throws(() => kept(['2026-11-20T10:05', 'yesterday'], { keepLast: 1 }), /not a time: yesterday/);
  });

  it('one more word, or a larger number, never keeps less', () => {
    const more = fc
      .tuple(someRules, fc.constantFrom(...allWords))
      .chain(([rules, word]) => numberFor(word).map((add) => ({ rules, word, add })));
    fc.assert(
      fc.property(plainPoints, more, (points, { rules, word, add }) => {
        const wider = { ...rules, [word]: (rules[word] ?? 0) + add };
        const after = keptByRules(points, wider, now);
        for (const id of keptByRules(points, rules, now).keys()) assert.ok(after.has(id), id);
      }),
      { numRuns: 500 },
    );
  });

  it('keeps all of what it kept when asked again without what went', () => {
    fc.assert(
      fc.property(plainPoints, someRules, (points, rules) => {
        const once = keptByRules(points, rules, now);
        const again = keptByRules(
          points.filter(({ id }) => once.has(id)),
          rules,
          now,
        );
        assert.deepEqual([...again.keys()].sort(), [...once.keys()].sort());
      }),
      { numRuns: 500 },
    );
  });

  it('always keeps something, if it has a number at all', () => {
    fc.assert(
      fc.property(plainPoints, someRules, (points, rules) => {
        assert.ok(points.length === 0 || keptByRules(points, rules, now).size > 0);
      }),
    );
  });
});

describe('writeRetention', () => {
  it('says each word that keeps something', () => {
    const words = retention({
      keepLast: 3,
      keepHourly: 0,
      keepDaily: 30,
      keepWithinSeconds: 86_400,
      keepWithinYearlySeconds: 604_800,
    });
    assert.equal(writeRetention(words), 'newest 3, daily 30, within 1d, yearly within 1w');
    assert.equal(
      writeRetention(retention({ keepTags: ['a', 'b'], keepLast: 1 })),
      'tagged a, tagged b, newest 1',
    );
    assert.equal(writeRetention(retention({ keepLast: 0 })), '');
  });
});
