import assert from 'node:assert/strict';
import fc from 'fast-check';
import { formatByteRate, formatBytes, parseByteRate, parseBytes } from '../../domain/bytes.ts';

describe('parseBytes', () => {
  const read: [string, number][] = [
    ['0B', 0],
    ['312B', 312],
    ['1KiB', 1024],
    ['1kB', 1000],
    ['1MiB', 1_048_576],
    ['1MB', 1_000_000],
    ['500GiB', 536_870_912_000],
    ['1.5 GB', 1_500_000_000],
    ['2TiB', 2_199_023_255_552],
  ];
  for (const [text, bytes] of read) it(`reads ${text}`, () => assert.equal(parseBytes(text), bytes));

  for (const text of [
    '',
    '10',
    'MiB',
    '10M',
    '10Q',
    '10mib',
    '-1MiB',
    '1e3B',
    '1,5GB',
    '10MiB/s',
    '9999999999TiB',
    '1toString',
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.equal(parseBytes(text), null));
  }
});

describe('parseByteRate', () => {
  it('reads a size a second', () => assert.equal(parseByteRate('20MiB/s'), 20_971_520));
  for (const text of ['20MiB', '20MiB/m', '/s', '20/s']) {
    it(`refuses ${text}`, () => assert.equal(parseByteRate(text), null));
  }
});

describe('formatBytes', () => {
  const shown: [number, string][] = [
    [0, '0 B'],
    [312, '312 B'],
    [1023, '1023 B'],
    [1024, '1 KiB'],
    [2_254_857_830, '2.1 GiB'],
    [48 * 2 ** 30, '48 GiB'],
    [1023.7 * 1024, '1 MiB'],
    [5000 * 2 ** 40, '5000 TiB'],
    [-1024, '-1 KiB'],
  ];
  for (const [bytes, text] of shown)
    it(`shows ${bytes} as ${text}`, () => assert.equal(formatBytes(bytes), text));

  it('shows a rate', () => assert.equal(formatByteRate(20 * 2 ** 20), '20 MiB/s'));

  it('shows what parseBytes reads as nearly the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 50 }), (bytes) => {
        const again = parseBytes(formatBytes(bytes)) ?? 0;
        assert.ok(Math.abs(again - bytes) <= bytes * 0.06, `${bytes} → ${formatBytes(bytes)}`);
      }),
    );
  });
});
