import assert from 'node:assert/strict';
import fc from 'fast-check';
import { lengthOf, opensAt, type Window } from '../../../domain/cadence/window.ts';

const hour = 3600;
const night: Window = { fromSeconds: 22 * hour, toSeconds: 5 * hour, days: null };
const opens = (window: Window, at: string) => opensAt(window, new Date(at)).toISOString();

describe('an off-peak window', () => {
  for (const [what, window, at, opened] of [
    ['is open over midnight', night, '2026-11-21T02:00:00.000Z', '2026-11-21T02:00:00.000Z'],
    ['is open at its first moment', night, '2026-11-21T22:00:00.000Z', '2026-11-21T22:00:00.000Z'],
    ['is closed at its last', night, '2026-11-21T05:00:00.000Z', '2026-11-21T22:00:00.000Z'],
    ['opens in the evening', night, '2026-11-21T12:00:00.000Z', '2026-11-21T22:00:00.000Z'],
    // 21 November 2026 is a Saturday.
    [
      'opens on its days only',
      { ...night, days: [3] },
      '2026-11-21T23:00:00.000Z',
      '2026-11-25T22:00:00.000Z',
    ],
    [
      'that opened on its day reaches into the next one',
      { ...night, days: [6] },
      '2026-11-22T04:59:59.000Z',
      '2026-11-22T04:59:59.000Z',
    ],
    ['not beyond', { ...night, days: [6] }, '2026-11-22T05:00:00.000Z', '2026-11-28T22:00:00.000Z'],
  ] as [string, Window, string, string][]) {
    it(what, () => assert.equal(opens(window, at), opened));
  }

  it('never opens before the moment asked about, is open then, and was closed just before', () => {
    const moment = fc.integer({ min: 0, max: 400 * 86_400 });
    const window = fc
      .record({
        fromSeconds: fc.integer({ min: 0, max: 1439 }).map((minute) => minute * 60),
        toSeconds: fc.integer({ min: 0, max: 1439 }).map((minute) => minute * 60),
        days: fc.option(fc.uniqueArray(fc.integer({ min: 0, max: 6 }), { minLength: 1 })),
      })
      .filter((one) => lengthOf(one) > 0);
    fc.assert(
      fc.property(window, moment, (one, seconds) => {
        const at = new Date(seconds * 1000);
        const opened = opensAt(one, at);
        assert.ok(opened >= at);
        assert.deepEqual(opensAt(one, opened), opened);
        if (opened > at) {
          const before = new Date(opened.getTime() - 1000);
          assert.deepEqual(opensAt(one, before), opened);
        }
      }),
    );
  });
});
