import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Cadence } from '../../../domain/configuration/types.ts';
import { missedBetween, missedSince } from '../../../domain/objectives/missed-runs.ts';

const daily: Cadence = { kind: 'cron', expression: '0 3 * * *' };
const every = (seconds: number): Cadence => ({ kind: 'every', seconds });
const at = (time: string) => new Date(`2026-11-${time}Z`);
const times = (dates: Date[]) => dates.map((date) => date.toISOString().slice(8, 16));

describe('missed runs', () => {
  it('are none between two that follow each other, however late the second began', () => {
    assert.deepEqual(missedBetween(daily, at('10T03:00:02'), at('11T03:00:01')), []);
    assert.deepEqual(missedBetween(daily, at('10T03:00:02'), at('12T02:59:59')), []);
    assert.deepEqual(missedBetween(every(300), at('10T03:00:02'), at('10T03:05:00')), []);
  });

  it('are all that an outage held up but the one it was made up with', () => {
    assert.deepEqual(times(missedBetween(daily, at('10T03:00:02'), at('13T09:00:00'))), [
      '11T03:00',
      '12T03:00',
    ]);
    assert.deepEqual(times(missedBetween(every(1800), at('10T03:00:02'), at('10T04:40:00'))), [
      '10T03:30',
      '10T04:00',
    ]);
  });

  it('are also those that a run in the way of the next ones left out', () => {
    assert.deepEqual(times(missedBetween(every(60), at('10T03:00:01'), at('10T03:03:01'))), [
      '10T03:01',
      '10T03:02',
    ]);
  });

  it('until the next run begins, are all that are overdue', () => {
    const since = at('10T03:00:02');
    assert.deepEqual(missedSince(daily, null, since, at('11T03:09:00')), [], 'it may just be beginning');
    assert.deepEqual(times(missedSince(daily, null, since, at('11T03:10:00'))), ['11T03:00']);
    assert.deepEqual(missedSince(daily, 3600, since, at('11T04:09:00')), [], 'its jitter is an hour');
    assert.deepEqual(times(missedSince(daily, null, since, at('12T12:00:00'))), ['11T03:00', '12T03:00']);
  });

  it('are none where the clock went back', () => {
    assert.deepEqual(missedBetween(daily, at('10T03:00:00'), at('01T03:00:00')), []);
    assert.deepEqual(missedSince(every(60), null, at('10T03:00:00'), at('01T03:00:00')), []);
  });

  it('are bounded: a clock a year ahead does not fill the memory', () => {
    const missed = missedBetween(every(60), new Date('2026-01-01'), new Date('2027-01-01'));
    assert.ok(missed.length > 10_000 && missed.length <= 10_080, `${missed.length}`);
    assert.equal(missed.at(-1)?.toISOString(), '2026-12-31T23:59:00.000Z', 'the latest are counted');
  });

  it('with the runs that began are as many as were due, wherever the outages fell', () => {
    const cadences = fc.constantFrom(every(300), every(3600), {
      kind: 'cron' as const,
      expression: '*/15 * * * *',
    });
    fc.assert(
      fc.property(
        cadences,
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 }),
        (cadence, gaps) => {
          const period = cadence.kind === 'every' ? cadence.seconds : 900;
          const first = Date.parse('2026-11-10T00:00:00Z') / 1000;
          // Each run begins up to half a period late, so many periods after the one before.
          let due = first;
          const starts = [first, ...gaps.map((gap) => (due += gap * period) + (gap * period) / 20)];
          const missed = starts
            .slice(1)
            .flatMap((start, index) =>
              missedBetween(cadence, new Date((starts[index] ?? 0) * 1000), new Date(start * 1000)),
            );
          assert.equal(missed.length + gaps.length, (due - first) / period);
          assert.equal(new Set(missed.map(Number)).size, missed.length, 'none is counted twice');
        },
      ),
      { numRuns: 60 },
    );
  });
});
