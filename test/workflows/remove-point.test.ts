import assert from 'node:assert/strict';
import { failWith } from './steps-double.ts';
import { play } from './time-skipping.ts';

describe('removePoint', function () {
  this.timeout(60_000);
  const input = {
    point: 'point-1',
    repositories: ['local', 'offsite'],
    reason: 'mistaken',
    actor: 'anna',
  };

  it('asks first, then takes the point out of one repository after the other', async () => {
    const run = await play('removePoint', input, {});
    await run.ending();
    assert.deepEqual(run.steps(), ['hostOf', 'beginRemoval', 'removeCopy', 'removeCopy']);
    assert.deepEqual(
      run.of('removeCopy').map((call) => call.input),
      ['local', 'offsite'].map((repository) => ({
        ...{ point: 'point-1', repository, reason: 'mistaken', actor: 'anna', fence: 1 },
      })),
    );
    assert.deepEqual(
      run.of('askForLease').map(({ input: { repository, mode } }) => `${mode} ${repository}`),
      ['exclusive local', 'exclusive offsite'],
    );
  });

  it('touches no repository when the point is held', async () => {
    const run = await play('removePoint', input, { beginRemoval: async () => failWith('request.conflict') });
    await assert.rejects(run.ending());
    assert.deepEqual([run.of('beginRemoval').length, run.of('removeCopy').length], [1, 0]);
  });
});
