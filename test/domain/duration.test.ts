import assert from 'node:assert/strict';
import fc from 'fast-check';
import { formatDuration, parseDuration, writeDuration } from '../../domain/duration.ts';

describe('parseDuration', () => {
  const read: [string, number][] = [
    ['90s', 90],
    ['30m', 1800],
    ['24h', 86_400],
    ['7d', 604_800],
    ['2w', 1_209_600],
    ['1h30m', 5400],
    ['1w1d1h1m1s', 694_861],
  ];
  for (const [text, seconds] of read) it(`reads ${text}`, () => assert.equal(parseDuration(text), seconds));

  for (const text of [
    '',
    '24',
    '0s',
    '0h0m',
    '-1h',
    '1.5h',
    '1 h',
    '1mo',
    '1y',
    '30M',
    '30m1h',
    '1h1h',
    'h',
    '99999999999999w',
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.equal(parseDuration(text), null));
  }

  it('reads back what writeDuration wrote', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 ** 10 }), (seconds) => {
        assert.equal(parseDuration(writeDuration(seconds)), seconds);
      }),
    );
  });
});

describe('formatDuration', () => {
  const shown: [number, string][] = [
    [0, '0 s'],
    [0.25, '250 ms'],
    [0.0001, '1 ms'],
    [41, '41 s'],
    [60, '1 m'],
    [190, '3 m 10 s'],
    [3599.6, '1 h'],
    [5400, '1 h 30 m'],
    [21_600, '6 h'],
    [86_399, '1 d'],
    [108_000, '1 d 6 h'],
    [30 * 86_400, '30 d'],
    [86_400 + 59, '1 d'],
    [-60, '-1 m'],
  ];
  for (const [seconds, text] of shown)
    it(`shows ${seconds} s as ${text}`, () => assert.equal(formatDuration(seconds), text));
});
