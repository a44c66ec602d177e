import assert from 'node:assert/strict';
import fc from 'fast-check';
import { canonicalJson } from '../../domain/canonical-json.ts';

describe('canonical JSON', () => {
  it('spells the example of RFC 8785 as the RFC does', () => {
    const value = {
      numbers: [333333333.33333329, 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"\/',
      literals: [null, true, false],
    };
    assert.equal(
      canonicalJson(value),
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it('sorts keys by UTF-16 code units, not by code points or locale', () => {
    const keys = ['\u20ac', '\r', '\ufb33', '1', '\u{1f600}', '\u0080', '\u00f6', 'a', 'B'];
    const text = canonicalJson(Object.fromEntries(keys.map((key) => [key, 0])));
    assert.deepEqual(
      Object.keys(JSON.parse(text) as object).filter((key) => key !== '1'),
      [...['\r', 'B', 'a', '\u0080', '\u00f6', '\u20ac', '\u{1f600}', '\ufb33']],
    );
  });

  it('is the same for the same value however its keys came', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        assert.equal(canonicalJson(reversed(JSON.parse(text))), text);
        assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
      }),
      { numRuns: 200 },
    );
  });

  it('leaves out what is absent and refuses what JSON has no word for', () => {
    assert.equal(canonicalJson({ a: undefined, b: null }), '{"b":null}');
    for (const value of [undefined, NaN, Infinity, 1n, new Date(), new Map(), () => 1, [undefined]]) {
      assert.throws(() => canonicalJson({ value: [value] }), TypeError);
    }
  });
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  );
}
