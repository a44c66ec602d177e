// The small rules the reader's words rest on: which word is nearest, what a path means, when a cron comes due.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { longestGap, refuseCron } from '../../../domain/configuration/cadence.ts';
import { nearest, suggestion } from '../../../domain/configuration/nearest.ts';
import { isWithin, resolvePath } from '../../../domain/configuration/paths.ts';

describe('nearest', () => {
  const known = ['keepLast', 'keepDaily', 'repositories', 'password', 'url'];
  const cases: [string, string, boolean][] = [
    ['keeplast', 'keepLast', true],
    ['keep_last', 'keepLast', true],
    ['keep-dayly', 'keepDaily', true],
    ['passwrod', 'password', true],
    ['repository', 'repositories', true],
    ['ulr', 'url', true],
    ['drills', 'url', false],
  ];
  for (const [word, expected, close] of cases) {
    it(`of ${word} is ${expected}${close ? '' : ', though not close'}`, () => {
      assert.deepEqual(nearest(word, known), { word: expected, close });
    });
  }

  it('of a known word is that word, and of nothing known nothing', () => {
    fc.assert(
      fc.property(fc.constantFrom(...known), (word) =>
        assert.deepEqual(nearest(word, known), { word, close: true }),
      ),
    );
    assert.equal(nearest('x', []), null);
    assert.equal(suggestion('x', [], 'define it'), 'define it');
  });
});

describe('resolvePath', () => {
  const cases: [string, string][] = [
    ['a', '/f/a'],
    ['./a/', '/f/a'],
    ['../a', '/a'],
    ['../../../a', '/a'],
    ['/a//b/./c/..', '/a/b'],
    ['/', '/'],
    ['-x', '/f/-x'],
    ['a b/ü', '/f/a b/ü'],
  ];
  for (const [path, expected] of cases)
    it(`${path} → ${expected}`, () => assert.equal(resolvePath('/f', path), expected));

  it('is absolute and settled', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', '..', '.', '', 'b c')).map((steps) => steps.join('/')),
        (path) => {
          const resolved = resolvePath('/f/g', path);
          assert.equal(resolvePath('/elsewhere', resolved), resolved);
          assert.ok(!/\/\.{0,2}(\/|$)/.test(resolved) || resolved === '/');
          assert.ok(isWithin('/', resolved));
        },
      ),
    );
  });

  it('isWithin compares whole steps', () => {
    assert.ok(
      isWithin('/a', '/a') && isWithin('/a', '/a/b') && !isWithin('/a', '/ab') && !isWithin('/a/b', '/a'),
    );
  });
});

describe('cron', () => {
  for (const expression of [
    '0 3 * * *',
    '*/5 * * * *',
    '0 3 1 */3 *',
    '0 3 * * MON-FRI',
    '0 0 29 2 *',
    '@daily',
    '0 0 * * 7',
    '0 3 * JUL *',
  ]) {
    it(`takes ${expression}`, () => assert.equal(refuseCron(expression), null));
  }
  for (const expression of [
    '0 0 31 4,6,9,11 *',
    '*/0 * * * *',
    '10-5 * * * *',
    '-1 * * * *',
    '0 3 15W * *',
    '0 3 * * 5L',
    '0 3 * * 1#2',
    '',
    '* * * *',
  ]) {
    it(`refuses ${JSON.stringify(expression)}`, () => assert.notEqual(refuseCron(expression), null));
  }

  const gaps: [string, number][] = [
    ['@hourly', 3600],
    ['*/5 * * * *', 300],
    ['0 3 * * *', 86_400],
    ['0 3 * * 1-5', 3 * 86_400],
    ['0 3 1 * *', 31 * 86_400],
  ];
  for (const [expression, seconds] of gaps) {
    it(`${expression} leaves at most ${seconds} s`, () => assert.equal(longestGap(expression), seconds));
  }
});
