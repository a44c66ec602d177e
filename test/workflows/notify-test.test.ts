import assert from 'node:assert/strict';
import { failUndecided } from './steps-double.ts';
import { play } from './time-skipping.ts';

describe('notifyTest', () => {
  const input = { channel: 'ops', actor: 'tester' };

  it('returns what each channel answered', async () => {
    const taken = { channel: 'ops', type: 'smtp', accepted: true, words: '250 ok', error: null };
    const run = await play('notifyTest', input, { testChannels: async () => [taken] });
    assert.deepEqual(await run.ending(), [taken]);
    assert.deepEqual(run.of('testChannels')[0]!.input, input);
  });

  it('is tried twice: nobody gets a dozen test messages', async () => {
    const run = await play('notifyTest', input, {
      testChannels: async () => failUndecided('catalog.unreachable'),
    });
    await assert.rejects(run.ending());
    assert.equal(run.of('testChannels').length, 2);
  });
});
