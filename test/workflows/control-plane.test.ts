import assert from 'node:assert/strict';
import { failWith, untilCancelled, wordsOf } from './steps-double.ts';
import { play, until } from './time-skipping.ts';

const input = { repository: 'offsite', jobId: 'job-5', trigger: 'manual', actor: 'ada' };

describe('storing the control plane', () => {
  it('shares the repository with whoever stores there, and records how it ended', async () => {
    const playing = await play('backupControlPlane', input, {});
    assert.deepEqual(await playing.ending(), { jobId: 'job-5', status: 'success' });
    assert.deepEqual(
      playing.of('askForLease').map(({ input: asked }) => `${asked.mode} ${asked.repository}`),
      ['shared offsite'],
    );
    assert.deepEqual(playing.of('endAsset').map(wordsOf), ['endAsset holdfast success']);
    assert.deepEqual(playing.of('endJob').map(wordsOf), ['endJob success']);
  });

  it('is skipped where there is no repository yet', async () => {
    const playing = await play('backupControlPlane', input, {
      storeControlPlane: async () => ({ point: null }),
    });
    assert.deepEqual(await playing.ending(), { jobId: 'job-5', status: 'success' });
    assert.deepEqual(playing.of('endAsset').map(wordsOf), ['endAsset holdfast skipped']);
  });

  it('ends its row as failed with the reason, without failing itself', async () => {
    const script = { storeControlPlane: async () => failWith('staging.full') };
    const playing = await play('backupControlPlane', input, script);
    assert.deepEqual(await playing.ending(), { jobId: 'job-5', status: 'failed' });
    assert.equal(playing.of('endJob')[0]?.input.error.code, 'staging.full');
  });

  it('repairs what is damaged there first, alone', async () => {
    const playing = await play('backupControlPlane', input, { needsRepair: async () => true });
    await playing.ending();
    assert.deepEqual(
      playing.of('askForLease').map(({ input: asked }) => asked.mode),
      ['exclusive', 'shared'],
    );
    assert.equal(playing.of('repairRepository').length, 1);
  });

  it('does nothing where another one goes on', async () => {
    const refused = { code: 'request.conflict', message: 'it runs', cause: 'job 1', hint: 'wait' };
    const playing = await play('backupControlPlane', input, {
      beginControlPlane: async ({ jobId, repository }) => ({
        ...{ jobId, repository, refused, configuration: 'digest' },
        ...{ asset: 'holdfast', point: 'point-1', hostQueue: '' },
      }),
    });
    assert.deepEqual(await playing.ending(), { jobId: 'job-5', status: 'cancelled' });
    assert.equal(playing.of('endJob').length, 0);
  });

  it('that is cancelled ends its row so', async () => {
    const playing = await play('backupControlPlane', input, { storeControlPlane: untilCancelled });
    await until('it stores', () => playing.of('storeControlPlane').length > 0);
    await playing.cancel();
    await playing.ending();
    assert.deepEqual(playing.of('endJob').map(wordsOf), ['endJob cancelled']);
  });
});
