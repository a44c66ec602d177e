import assert from 'node:assert/strict';
import type { EndDrill, RecordEvidence } from '../../activities/contract.ts';
import { failWith, untilCancelled } from './steps-double.ts';
import { play, until } from './time-skipping.ts';

const input = { drill: 'quarterly', drillId: 'drill-1', trigger: 'manual', actor: 'ada' };

describe('a drill', () => {
  it('opens the room under a lease on the copy alone, and ends after its evidence', async () => {
    const playing = await play('drill', input, {});
    assert.deepEqual(await playing.ending(), { drillId: 'drill-1', status: 'success' });
    assert.deepEqual(
      playing.of('askForLease').map(({ input: asked }) => `${asked.mode} ${asked.repository}`),
      ['shared offsite'],
    );
    const [end] = playing.of('endDrill');
    assert.equal((end?.input as EndDrill).evidence?.path, '/evidence');
    assert.equal(playing.of('clearDrill').length, 0);
  });

  it('that was lost leaves evidence of that, and an empty room', async () => {
    const playing = await play('drill', input, { holdDrill: async () => failWith('source.unreadable') });
    await playing.ending();
    assert.equal(playing.of('clearDrill').length, 1);
    const [signed] = playing.of('recordEvidence');
    const { record } = signed?.input as RecordEvidence;
    assert.equal(record.failures[0]?.code, 'source.unreadable');
  });

  it('that is cancelled clears its room and signs nothing', async () => {
    const playing = await play('drill', input, { holdDrill: untilCancelled });
    await until('it is in the room', () => playing.of('holdDrill').length > 0);
    await playing.cancel();
    await playing.ending();
    assert.equal(playing.of('clearDrill').length, 1);
    assert.equal(playing.of('recordEvidence').length, 0);
    const [end] = playing.of('endDrill');
    assert.equal((end?.input as EndDrill).record, null);
  });

  it('whose evidence cannot be signed ends as failed, and says why', async () => {
    const playing = await play('drill', input, {
      recordEvidence: async () => failWith('secret.unresolved'),
    });
    assert.deepEqual(await playing.ending(), { drillId: 'drill-1', status: 'failed' });
    const [end] = playing.of('endDrill');
    assert.equal((end?.input as EndDrill).error?.code, 'secret.unresolved');
  });
});
