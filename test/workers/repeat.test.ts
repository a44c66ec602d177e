import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { repeat } from '../../workers/repeat.ts';
import { until } from '../fixtures/until.ts';

describe('work that is repeated', () => {
  it('is never done beside itself, and goes on after a failure', async () => {
    const failures: unknown[] = [];
    let [begun, under, most] = [0, 0, 0];
    const repetition = repeat(
      1,
      async () => {
        begun += 1;
        under += 1;
        most = Math.max(most, under);
        await pause(20);
        under -= 1;
        if (begun === 1) throw new Error('away');
      },
      (error) => failures.push(error),
    );
    await until('it was done three times', () => begun >= 3);
    await repetition.stop();
    assert.deepEqual([most, failures.length, under], [1, 1, 0]);
  });

  it('is not begun again once it is stopped, also while it waits', async () => {
    let begun = 0;
    const repetition = repeat(
      60_000,
      async () => {
        begun += 1;
      },
      () => undefined,
    );
    await repetition.stop();
    assert.equal(begun, 0);
  });
});
