import assert from 'node:assert/strict';
import { floorOf, missingBytes, spaceWords } from '../../../domain/guards/free-space.ts';
import { sentByInterrupted } from '../../../domain/guards/sent.ts';

const MiB = 2 ** 20;

describe('what an interrupted attempt had sent', () => {
  const attempt = {
    foundBytes: null,
    progressBytes: 100 * MiB,
    seconds: 60,
    uploadBytesPerSecond: null,
    expectedBytes: null,
  };
  it('is what was found, before any index was saved', () => {
    assert.equal(sentByInterrupted({ ...attempt, foundBytes: 34 * MiB }), 34 * MiB);
    assert.equal(sentByInterrupted({ ...attempt, foundBytes: 0 }), 0);
  });

  it('is counted high once an index may have been saved, and no higher than the limit let through', () => {
    const long = { ...attempt, foundBytes: 34 * MiB, seconds: 700 };
    assert.equal(sentByInterrupted(long), 100 * MiB);
    assert.equal(sentByInterrupted({ ...long, uploadBytesPerSecond: MiB / 10 }), 70 * MiB);
    assert.equal(sentByInterrupted({ ...long, uploadBytesPerSecond: 1024 }), 34 * MiB);
  });

  it('is counted by its progress and the limit where nobody has looked', () => {
    assert.equal(sentByInterrupted(attempt), 100 * MiB);
    assert.equal(sentByInterrupted({ ...attempt, uploadBytesPerSecond: MiB }), 60 * MiB);
    assert.equal(sentByInterrupted({ ...attempt, expectedBytes: 3 * MiB }), 3 * MiB);
  });
});

describe('the room a file system keeps', () => {
  it('is two hundredths of a small one, and 256 MiB of a large one', () => {
    assert.equal(floorOf({ totalBytes: 100 * MiB }), 2 * MiB);
    assert.equal(floorOf({ totalBytes: 1000 * 1024 * MiB }), 256 * MiB);
  });

  it('is missing to the byte, and told with needed, free and path', () => {
    const space = { path: '/srv', freeBytes: 50 * MiB, totalBytes: 100 * MiB };
    assert.equal(missingBytes(space, 48 * MiB), 0);
    assert.equal(missingBytes(space, 48 * MiB + 1), 1);
    assert.equal(spaceWords(space, 58 * MiB), 'needed 60 MiB, 50 MiB free on /srv');
  });
});
