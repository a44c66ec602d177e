import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Policy } from '../../../domain/configuration/types.ts';
import {
  endedCycle,
  planReadings,
  readingsOf,
  type GroupReading,
  type ReadingFacts,
} from '../../../domain/verification/plan.ts';
import { readingCadences, type ReadingCadence } from '../../../domain/verification/reading-cadence.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;
const begin = Date.UTC(2026, 0, 1);
const at = (days: number) => new Date(begin + days * DAY * 1000);

const daily = (change: Partial<ReadingCadence> = {}): ReadingCadence => ({
  repository: 'depot',
  groups: 20,
  everySeconds: DAY,
  withinSeconds: 30 * DAY,
  shareEverySeconds: DAY,
  ...change,
});
const facts = (change: Partial<ReadingFacts> = {}): ReadingFacts => ({
  repository: 'depot',
  firstStoredAt: at(0).toISOString(),
  readingSince: at(0).toISOString(),
  cycleBeganAt: at(0).toISOString(),
  readings: [],
  ...change,
});
const reading = (group: number, day: number, change: Partial<GroupReading> = {}): GroupReading => ({
  groups: 20,
  group,
  readAt: at(day).toISOString(),
  ok: true,
  ...change,
});
const everyGroup = (day: (group: number) => number, groups = 20) =>
  Array.from({ length: groups }, (_, index) => reading(index + 1, day(index + 1), { groups }));
const dueOn = (day: number, known: Partial<ReadingFacts>, cadence = daily()) =>
  planReadings(cadence, facts(known), at(day)).due;

/** Runs the cadence on these days; what each run read, and when everything was last read. */
function played(cadence: ReadingCadence, days: readonly number[]) {
  const known = facts({ readingSince: null });
  const runs = days.map((day) => {
    const now = at(day);
    const before = planReadings(cadence, known, now);
    known.readingSince ??= now.toISOString();
    for (const { group, groups } of readingsOf(before)) {
      known.readings = known.readings.filter((one) => one.groups !== groups || one.group !== group);
      known.readings.push({ groups, group, readAt: now.toISOString(), ok: true });
    }
    const { unreadSince } = planReadings(cadence, known, now);
    return { day, plan: before, read: before.due.length, age: (+now - Date.parse(unreadSince!)) / 1000 };
  });
  return { runs, known };
}
const onDays = (count: number) => Array.from({ length: count }, (_, day) => day);

describe('the groups that are read in a run', () => {
  it('are none where nothing is stored', () => {
    const plan = planReadings(daily(), facts({ firstStoredAt: null }), at(3));
    assert.deepEqual([plan.due, plan.unreadSince], [[], null]);
  });

  it('are one after the other, day by day, and all of them after a cycle', () => {
    const { runs } = played(daily(), onDays(60));
    assert.deepEqual(
      runs.slice(0, 21).map(({ plan }) => plan.due.map(({ group }) => group)),
      [...onDays(20).map((day) => [day + 1]), [1]],
    );
    assert.ok(runs.slice(20).every(({ age }) => age <= 20 * DAY));
  });

  it('are none when the run was only just', () => {
    assert.deepEqual(dueOn(19.2, { readings: everyGroup((group) => group - 1) }), []);
  });

  it('catch up after an outage, spread over the days that are left', () => {
    const readings = everyGroup((group) => group - 1);
    const [first, ...more] = dueOn(27, { readings });
    assert.deepEqual([first?.group, first?.reason, more.length], [1, 'share', 0]);
    const { runs } = played(daily(), [...onDays(20), ...onDays(20).map((day) => day + 34)]);
    const after = runs.slice(20);
    assert.deepEqual(
      after[0]?.plan.due.map(({ group, reason }) => [group, reason]),
      [
        [1, 'late'],
        [2, 'late'],
        [3, 'late'],
        [4, 'late'],
        [5, 'last'],
        [6, 'last'],
      ],
    );
    assert.ok(after.slice(1).every(({ read }) => read <= 2));
  });

  it('are as few as the period needs where no share is written', () => {
    const hourly = daily({ groups: 256, everySeconds: HOUR, shareEverySeconds: null });
    const { runs } = played(
      hourly,
      onDays(24 * 90).map((hour) => hour / 24),
    );
    assert.ok(Math.max(...runs.map(({ read }) => read)) <= 2);
    const third = runs.slice(24 * 60).reduce((sum, { read }) => sum + read, 0);
    assert.ok(third <= 256 * 1.2, `${third} groups read in 30 days, of 256`);
    assert.ok(runs.slice(24 * 30).every(({ age }) => age <= 30 * DAY));
  });

  it('begin with those in which damage was found, until they are whole again', () => {
    const readings = everyGroup((group) => group - 1).map((one) => ({ ...one, ok: one.group !== 17 }));
    assert.deepEqual(
      dueOn(20, { readings }).map(({ group, reason }) => [group, reason]),
      [
        [1, 'share'],
        [17, 'damaged'],
      ],
    );
  });

  it('of a repository that was there before its readings began, are spread over the period', () => {
    const known = { firstStoredAt: at(-900).toISOString() };
    assert.equal(dueOn(0, { ...known, readingSince: null }).length, 1);
    assert.equal(dueOn(40, known).length, 20, 'their time is over when they were never begun');
    assert.equal(planReadings(daily(), facts(known), at(1)).unreadSince, at(-900).toISOString());
  });

  it('take over what was read in another division', () => {
    const readings = everyGroup((group) => group, 10);
    assert.equal(planReadings(daily(), facts({ readings }), at(12)).unreadSince, at(1).toISOString());
    const incomplete = readings.slice(1);
    assert.equal(
      planReadings(daily(), facts({ readings: incomplete }), at(12)).unreadSince,
      at(0).toISOString(),
    );
  });

  it('go on when the clock was set back: what was read in the future was not', () => {
    const readings = everyGroup((group) => 365 + group);
    const [first] = dueOn(12, { readings, readingSince: at(365).toISOString() });
    assert.equal(first?.group, 1);
  });

  it('are the whole at once when all are due', () => {
    const plan = planReadings(daily(), facts(), at(400));
    assert.deepEqual(readingsOf(plan), [{ group: 1, groups: 1 }]);
    assert.ok(plan.due.every(({ reason }) => reason === 'late'));
  });

  it('are never late while no more than one run in a row fails, and else come first', () => {
    const cadences = fc.record({
      groups: fc.integer({ min: 1, max: 40 }),
      runsWithin: fc.integer({ min: 1, max: 60 }),
      share: fc.boolean(),
    });
    const gaps = fc.array(
      fc.oneof({ weight: 8, arbitrary: fc.constant(1) }, fc.integer({ min: 1, max: 50 })),
      {
        minLength: 1,
        maxLength: 120,
      },
    );
    fc.assert(
      fc.property(cadences, gaps, ({ groups, runsWithin, share }, between) => {
        const cadence = daily({
          groups,
          withinSeconds: Math.max(runsWithin, share ? groups : 1) * DAY,
          shareEverySeconds: share ? DAY : null,
        });
        const days = [0];
        for (const gap of between) days.push((days.at(-1) ?? 0) + gap);
        const { runs } = played(cadence, days);
        for (const [index, { plan, age, day }] of runs.entries()) {
          assert.ok(
            age <= cadence.withinSeconds,
            `day ${day}: something stayed unread for ${age / DAY} days`,
          );
          const late = plan.due.filter(({ reason }) => reason === 'late').length;
          assert.ok(
            plan.due.slice(0, late).every(({ reason }) => reason === 'late'),
            'late ones come first',
          );
          const gap = between[index - 1] ?? 1;
          const room = cadence.withinSeconds >= 2 * DAY ? 2 : 1;
          if (gap <= room) assert.equal(late, 0, `day ${day}: ${late} late after a gap of ${gap}`);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('a cycle of readings', () => {
  it('is over when every group was read since it began', () => {
    const readings = everyGroup((group) => group - 1);
    const state = (change: Partial<ReadingFacts>) => endedCycle(20, facts({ readings, ...change }), at(25));
    assert.equal(state({}), at(0).toISOString());
    assert.equal(state({ cycleBeganAt: at(1).toISOString() }), null, 'group 1 was read before');
    assert.equal(state({ readings: readings.slice(1) }), null, 'group 1 was never read');
    const damaged = readings.map((one) => ({ ...one, ok: one.group !== 9 }));
    assert.equal(state({ readings: damaged }), null, 'group 9 is damaged');
    assert.equal(state({ cycleBeganAt: null }), null);
  });
});

describe('the cadence of a repository', () => {
  const policy = (name: string, verification: Policy['verification'], repository = 'depot') =>
    ({ name, repository, copies: [{ repository: 'offsite' }], verification }) as unknown as Policy;
  const asks = (days: number, within: number, readShare: number | null = null) => ({
    cadence: { kind: 'every' as const, seconds: days * DAY },
    readShare,
    withinSeconds: within * DAY,
    rehearseSeconds: null,
  });

  it('is that of the strictest policy that keeps points there', () => {
    const cadences = readingCadences([
      policy('daily', asks(1, 30)),
      policy('weekly', asks(7, 20), 'cold'),
      policy('never', null, 'other'),
    ]);
    assert.deepEqual([...cadences.keys()], ['depot', 'offsite', 'cold']);
    const { groups, everySeconds, withinSeconds } = cadences.get('offsite')!;
    assert.deepEqual([groups, everySeconds, withinSeconds], [18, DAY, 20 * DAY]);
    assert.equal(cadences.get('depot')?.groups, 28);
  });

  it('reads the largest share that is written, as often as that policy runs', () => {
    const cadence = readingCadences([policy('a', asks(1, 30)), policy('b', asks(7, 60, 0.25))]).get('depot');
    assert.deepEqual(cadence, {
      repository: 'depot',
      groups: 4,
      everySeconds: DAY,
      withinSeconds: 30 * DAY,
      shareEverySeconds: 7 * DAY,
    });
  });
});
