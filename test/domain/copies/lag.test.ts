import assert from 'node:assert/strict';
import { copyState, type AssetLag } from '../../../domain/copies/lag.ts';

const now = new Date('2026-11-20T12:00:00.000Z');
const failure = { code: 'repository.absent', message: 'absent', cause: 'no such host', hint: 'look' };
const lag = (asset: string, change: Partial<AssetLag> = {}): AssetLag => ({
  asset,
  newestTakenAt: '2026-11-20T08:00:00.000Z',
  lagPoints: 0,
  behindSince: null,
  attempt: { at: '2026-11-20T08:01:00.000Z', jobId: 'job', error: null },
  ...change,
});
const stateOf = (assets: AssetLag[], lagSeconds?: number) =>
  copyState(
    { name: 'daily' },
    { repository: 'offsite', retention: null, ...(lagSeconds && { lagSeconds }) },
    assets,
    now,
  );

describe('the lag of a copy', () => {
  it('is that of the point that has waited longest, of any asset', () => {
    const waits = { lagPoints: 2, behindSince: '2026-11-20T10:00:00.000Z' };
    const state = stateOf([
      lag('a', waits),
      lag('b', { lagPoints: 1, behindSince: '2026-11-20T11:00:00.000Z' }),
    ]);
    assert.equal(state.lagPoints, 3);
    assert.equal(state.lagSeconds, 7200);
  });

  it('is breached only past what is allowed, and never where nothing was asked', () => {
    const late = [lag('a', { lagPoints: 1, behindSince: '2026-11-20T10:00:00.000Z' })];
    assert.equal(stateOf(late, 7200).breached, false);
    assert.equal(stateOf(late, 7199).breached, true);
    assert.equal(stateOf(late).breached, false);
  });

  it('is failed while the last attempt at any of the assets failed, in the words of the latest', () => {
    const failed = lag('a', { attempt: { at: '2026-11-20T07:00:00.000Z', jobId: 'job', error: failure } });
    assert.equal(stateOf([failed, lag('b')]).lastStatus, 'failed');
    assert.deepEqual(stateOf([failed, lag('b')]).error, failure);
    assert.equal(stateOf([failed, lag('b')]).lastAttemptAt, '2026-11-20T08:01:00.000Z');
    assert.equal(stateOf([lag('a')]).lastStatus, 'success');
    assert.equal(stateOf([lag('a', { attempt: null })]).lastStatus, null);
  });
});
