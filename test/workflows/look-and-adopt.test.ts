import assert from 'node:assert/strict';
import { failUndecided } from './steps-double.ts';
import { play } from './time-skipping.ts';

describe('look', () => {
  const input = { point: 'point-1', path: '/srv' };

  it('returns the entries of one folder of a point', async () => {
    const entry = {
      path: '/srv/app.db',
      type: 'file',
      size: 12,
      modifiedAt: '2026-01-01T00:00:00Z',
    } as const;
    const run = await play('look', input, { listFiles: async () => [entry] });
    assert.deepEqual(await run.ending(), [entry]);
    assert.deepEqual(run.of('listFiles')[0]!.input, input);
  });

  it('gives up after four attempts: somebody is waiting', async () => {
    const run = await play('look', input, { listFiles: async () => failUndecided('repository.unreachable') });
    await assert.rejects(run.ending());
    assert.equal(run.of('listFiles').length, 4);
  });
});

describe('adopt', () => {
  it('returns the points that were made', async () => {
    const input = { asset: 'orders', repository: 'old', snapshots: [], actor: 'tester' };
    const run = await play('adopt', input, { adoptSnapshots: async () => ['point-1', 'point-2'] });
    assert.deepEqual(await run.ending(), ['point-1', 'point-2']);
    assert.deepEqual(run.of('adoptSnapshots')[0]!.input, input);
  });
});
