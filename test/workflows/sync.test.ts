import assert from 'node:assert/strict';
import type { AssetOutcome, DueCopy } from '../../activities/contract.ts';
import type { JobStatus } from '../../domain/job.ts';
import { failWith, planned, type Script } from './steps-double.ts';
import { play, type Run } from './time-skipping.ts';

const input = { policy: 'critical', repository: 'offsite', jobId: 'job-1' };
const two = { beginJob: planned({ assets: ['orders', 'uploads'] }) };
const statusOf = async (playing: Run) =>
  ((await playing.ending<{ status: JobStatus }>()) as { status: JobStatus }).status;
const outcomeOf = (playing: Run, asset: string) =>
  playing.of('endAsset').find((call) => call.input.asset === asset)?.input.outcome as AssetOutcome;

/** What is missing, until it was sent. */
function missing(...points: DueCopy[]): Required<Pick<Script, 'planSync'>> & { sent(point: string): void } {
  const there = new Set<string>();
  return {
    planSync: async ({ without }) =>
      points.filter(({ asset, point }) => !there.has(point) && !without.includes(asset)),
    sent: (point) => void there.add(point),
  };
}
const orders = (point: string): DueCopy => ({ asset: 'orders', point });
const uploads = (point: string): DueCopy => ({ asset: 'uploads', point });

describe('a sync of a copy', () => {
  it('sends what is missing, each under both leases, and passes over what is there', async () => {
    const { sent, planSync } = missing(orders('new'), orders('old'));
    const playing = await play('sync', input, {
      ...two,
      planSync,
      copyPoint: async ({ point }) => sent(point),
    });
    assert.equal(await statusOf(playing), 'success');
    assert.deepEqual(
      playing.of('copyPoint').map(({ input: { point, from, to } }) => [point, from, to]),
      [
        ['new', 'local', 'offsite'],
        ['old', 'local', 'offsite'],
      ],
    );
    assert.deepEqual(
      playing.of('askForLease').map(({ input: asked }) => `${asked.mode} ${asked.repository}`),
      ['shared local', 'shared offsite', 'shared local', 'shared offsite'],
    );
    assert.equal(outcomeOf(playing, 'orders').recoveryPointId, 'new');
    assert.equal(outcomeOf(playing, 'uploads').status, 'skipped');
    assert.equal(playing.of('beginJob')[0]?.input.repository, 'offsite');
  });

  it('clears a damaged copy away, alone there, before it sends it anew', async () => {
    const { sent, planSync } = missing({ ...orders('broken'), damaged: true }, orders('new'));
    const playing = await play('sync', input, {
      ...two,
      planSync,
      copyPoint: async ({ point }) => sent(point),
    });
    assert.equal(await statusOf(playing), 'success');
    assert.deepEqual(
      playing.steps().filter((step) => /^(clear|copy)/.test(step)),
      ['clearDamagedCopy', 'copyPoint offsite', 'copyPoint offsite'],
    );
    const [cleared] = playing.of('clearDamagedCopy');
    assert.deepEqual(
      [cleared?.input.point, cleared?.input.to, cleared?.input.fences.length],
      ['broken', 'offsite', 1],
    );
    assert.deepEqual(
      playing.of('askForLease').map(({ input: asked }) => `${asked.mode} ${asked.repository}`),
      ['exclusive offsite', ...['local', 'offsite', 'local', 'offsite'].map((name) => `shared ${name}`)],
    );
  });

  it('goes on with the other assets where one fails, and sends no more of that one', async () => {
    const { sent, planSync } = missing(orders('new'), uploads('one'), orders('old'), uploads('two'));
    const playing = await play('sync', input, {
      ...two,
      planSync,
      copyPoint: async ({ asset, point }) =>
        asset === 'orders' ? failWith('repository.absent') : sent(point),
    });
    assert.equal(await statusOf(playing), 'warning');
    assert.equal(outcomeOf(playing, 'orders').error?.code, 'repository.absent');
    assert.equal(outcomeOf(playing, 'uploads').status, 'success');
    const points = playing.of('copyPoint').filter(({ attempt }) => attempt === 1);
    assert.deepEqual(
      points.map(({ input: { point } }) => point),
      ['new', 'one', 'two'],
    );
  });

  it('waits for a used up budget, and then asks anew what is missing', async () => {
    const { sent, planSync } = missing(orders('first'), orders('second'));
    let asked = 0;
    let newest: DueCopy[] = [];
    const playing = await play('sync', input, {
      ...two,
      planSync: async (scope) => [
        ...newest.filter(({ point }) => point === 'third'),
        ...(await planSync(scope)),
      ],
      copyPoint: async ({ point }) => {
        sent(point);
        if (point === 'third') newest = [];
      },
      guardUpload: async ({ point }) => {
        asked += 1;
        if (point !== 'second' || asked > 2) return { goesOnAt: null };
        newest = [orders('third')];
        return { goesOnAt: new Date(Date.now() + 3_600_000).toISOString() };
      },
    });
    assert.equal(await statusOf(playing), 'success');
    assert.deepEqual(
      playing.of('copyPoint').map(({ input: { point } }) => point),
      ['first', 'third', 'second'],
    );
  });

  it('takes a point that retention dropped meanwhile for no failure, and one that cannot be found for one', async () => {
    const { sent, planSync } = missing(orders('dropped'), orders('old'));
    let plans = 0;
    const playing = await play('sync', input, {
      ...two,
      planSync: async (scope) => {
        plans += 1;
        return (await planSync(scope)).filter(({ point }) => plans === 1 || point !== 'dropped');
      },
      copyPoint: async ({ point }) => (point === 'dropped' ? failWith('point.unknown') : sent(point)),
    });
    assert.equal(await statusOf(playing), 'success');
    assert.equal(outcomeOf(playing, 'orders').recoveryPointId, 'old');

    const never = await play('sync', input, {
      ...two,
      planSync: missing(orders('lost')).planSync,
      copyPoint: async () => failWith('point.unknown'),
    });
    assert.equal(await statusOf(never), 'failed');
    assert.equal(outcomeOf(never, 'orders').error?.code, 'point.unknown');
  });

  it('does nothing where another one runs', async () => {
    const refused = { code: 'request.conflict', message: 'one runs', cause: 'job', hint: 'wait' };
    const playing = await play('sync', input, { beginJob: planned({ refused }) });
    assert.equal(await statusOf(playing), 'cancelled');
    assert.deepEqual(playing.steps(), ['beginJob']);
  });

  it('begun again after Temporal lost it, leaves the assets that had ended', async () => {
    const { sent, planSync } = missing(orders('new'), uploads('one'));
    const playing = await play('sync', input, {
      beginJob: planned({ assets: ['orders', 'uploads'], ended: { orders: 'success' } }),
      planSync,
      copyPoint: async ({ point }) => sent(point),
    });
    assert.equal(await statusOf(playing), 'success');
    assert.deepEqual(
      playing.of('copyPoint').map(({ input: { point } }) => point),
      ['one'],
    );
    assert.equal(outcomeOf(playing, 'orders'), undefined);
  });
});
