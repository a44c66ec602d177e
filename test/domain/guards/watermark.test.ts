import assert from 'node:assert/strict';
import fc from 'fast-check';
import { admissionOf, decideWatermark, roomWords, type Watermark } from '../../../domain/guards/watermark.ts';

const marks = { highPercent: 90, lowPercent: 80, capacityBytes: null };
const room = (percent: number) => ({ usedBytes: percent * 10, capacityBytes: 1000 });

describe('decideWatermark', () => {
  const cases: [before: Watermark, percent: number, after: Watermark][] = [
    ['normal', 89.9, 'normal'],
    ['normal', 90, 'high'],
    ['high', 89, 'high'],
    ['high', 80, 'high'],
    ['high', 79.9, 'normal'],
    ['normal', 100, 'high'],
  ];
  for (const [before, percent, after] of cases)
    it(`${before} at ${percent} % is ${after}`, () =>
      assert.equal(decideWatermark(before, room(percent), marks), after));

  it('takes a place without any room for full', () => {
    assert.equal(decideWatermark('normal', { usedBytes: 0, capacityBytes: 0 }, marks), 'high');
  });

  it('does not change while the level moves between the two marks', () => {
    const between = fc.double({ min: 80, max: 89.99, noNaN: true });
    fc.assert(
      fc.property(fc.constantFrom<Watermark>('normal', 'high'), fc.array(between), (before, levels) => {
        let state = before;
        for (const level of levels) state = decideWatermark(state, room(level), marks);
        assert.equal(state, before);
      }),
    );
  });

  it('changes at most once for each crossing of both marks', () => {
    const level = fc.double({ min: 0, max: 100, noNaN: true });
    fc.assert(
      fc.property(fc.array(level), (levels) => {
        let state: Watermark = 'normal';
        let changes = 0;
        let crossings = 0;
        type Side = 'below' | 'above';
        let side: Side = 'below';
        for (const percent of levels) {
          const next = decideWatermark(state, room(percent), marks);
          if (next !== state) changes += 1;
          state = next;
          const now: Side = percent >= 90 ? 'above' : percent < 80 ? 'below' : side;
          if (now !== side) crossings += 1;
          side = now;
        }
        assert.equal(changes, crossings);
      }),
    );
  });
});

describe('what a full repository takes', () => {
  it('is a further point of a critical asset, and nothing else', () => {
    assert.equal(admissionOf('high', 'critical', true), 'fallback');
    assert.equal(admissionOf('high', 'critical', false), 'blocked');
    assert.equal(admissionOf('high', 'standard', true), 'blocked');
    assert.equal(admissionOf('high', 'rebuildable', true), 'blocked');
    assert.equal(admissionOf('normal', 'rebuildable', false), 'open');
  });

  it('is told with its numbers', () => {
    assert.equal(
      roomWords({ usedBytes: 465 * 2 ** 30, capacityBytes: 500 * 2 ** 30 }),
      '93 % used (465 GiB of 500 GiB)',
    );
  });
});
