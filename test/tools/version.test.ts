import assert from 'node:assert/strict';
import { compareVersions, isAtLeast } from '../../tools/version.ts';

describe('version numbers', () => {
  const ascending = [
    '0.9',
    '0.19.0',
    '0.19.1',
    '1.8',
    '1.8.1',
    '1.10.0',
    '15.18',
    '16beta1',
    '16.1',
    '17.0.15',
  ];

  it('are ordered by number, place for place', () => {
    const shuffled = [...ascending].reverse();
    assert.deepEqual(shuffled.sort(compareVersions), ascending);
  });

  it('count a missing place as zero and ignore a leading v', () => {
    assert.equal(compareVersions('11', '11.0.0'), 0);
    assert.equal(compareVersions('v1.8.0', '1.8'), 0);
  });

  it('meet a minimum when equal or newer', () => {
    assert.ok(isAtLeast('0.19.0', '0.19.0'));
    assert.ok(isAtLeast('0.20', '0.19.9'));
    assert.ok(!isAtLeast('0.18.9', '0.19.0'));
  });
});
