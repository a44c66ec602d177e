import assert from 'node:assert/strict';
import type { AssetOutcome, VerifyTarget } from '../../activities/contract.ts';
import type { JobStatus } from '../../domain/job.ts';
import { failWith, gate, planned, untilCancelled, untilStopped, type Script } from './steps-double.ts';
import { play, until, type Run } from './time-skipping.ts';

const input = { policy: 'critical', jobId: 'job-1', actor: 'tester', points: [], all: true };

const target = (asset: string, repository: string, rest: Partial<VerifyTarget> = {}): VerifyTarget => ({
  asset,
  repository,
  points: ['point-2', 'point-1'],
  rehearse: null,
  ...rest,
});
const reading =
  (...targets: VerifyTarget[]) =>
  async () =>
    targets;

const verify = (script: Script) => play('verify', input, script);
const statusOf = async (run: Run) => {
  const ending = await run.ending<{ status: JobStatus }>();
  return ending === 'cancelled' ? ending : ending.status;
};
const outcomeOf = (run: Run, asset = 'orders') =>
  run.of('endAsset').find((call) => call.input.asset === asset)?.input.outcome as AssetOutcome;

describe('verify', () => {
  it('reads every copy back and rehearses the newest point where the policy asks for it', async () => {
    const run = await verify({
      pointsToVerify: reading(
        target('orders', 'local'),
        target('orders', 'offsite', { rehearse: 'point-2' }),
      ),
    });
    assert.equal(await statusOf(run), 'success');
    assert.deepEqual(run.steps(), [
      'beginJob',
      'pointsToVerify',
      'beginAsset',
      'verifyPoints local',
      'verifyPoints offsite',
      'provePoint offsite',
      'endAsset orders success',
      'endJob success',
    ]);
    assert.equal(run.of('provePoint')[0]!.input.point, 'point-2');
    assert.deepEqual(outcomeOf(run), {
      status: 'success',
      recoveryPointId: 'point-2',
      proof: 'proven',
      error: null,
    });
    const { searchAttributes } = await run.handle.describe();
    assert.deepEqual(searchAttributes.HoldfastStatus, ['success']);
  });

  it('leaves it to the step to look for every point, and names the newest in its outcome', async () => {
    const run = await verify({
      pointsToVerify: reading(target('orders', 'local', { points: ['point-2'], every: true })),
    });
    assert.equal(await statusOf(run), 'success');
    const { points, every } = run.of('verifyPoints')[0]!.input;
    assert.deepEqual({ points, every }, { points: [], every: true });
    assert.equal(outcomeOf(run).recoveryPointId, 'point-2');
  });

  it('reads the other copies and assets although an earlier one is damaged', async () => {
    const run = await verify({
      beginJob: planned({ assets: ['orders', 'uploads'] }),
      pointsToVerify: reading(
        target('orders', 'local'),
        target('orders', 'offsite'),
        target('orders', 'cold'),
        target('uploads', 'local'),
      ),
      verifyPoints: async ({ asset, repository }) =>
        asset === 'orders' && repository !== 'cold'
          ? failWith(repository === 'local' ? 'repository.damaged' : 'repository.absent')
          : undefined,
    });
    assert.equal(await statusOf(run), 'warning');
    assert.deepEqual(
      run.steps().filter((step) => step.startsWith('verifyPoints')),
      ['verifyPoints local', 'verifyPoints offsite', 'verifyPoints cold', 'verifyPoints local'],
    );
    assert.equal(outcomeOf(run).error?.code, 'repository.damaged', 'the first failure is told');
    assert.equal(outcomeOf(run, 'uploads').status, 'success');
  });

  it('is failed when the rehearsal fails, and rehearses no damaged copy', async () => {
    const run = await verify({
      pointsToVerify: reading(
        target('orders', 'local', { rehearse: 'point-2' }),
        target('orders', 'offsite', { rehearse: 'point-2' }),
      ),
      verifyPoints: async ({ repository }) =>
        repository === 'local' ? failWith('repository.damaged') : undefined,
      provePoint: async () => failWith('proof.failed'),
    });
    assert.equal(await statusOf(run), 'failed');
    assert.deepEqual(
      run.of('provePoint').map((call) => call.input.repository),
      ['offsite'],
    );
    assert.equal(outcomeOf(run).status, 'failed');
    assert.equal(outcomeOf(run).proof, 'verified');
  });

  it('skips an asset that has no point, and is a success', async () => {
    const run = await verify({ pointsToVerify: reading() });
    assert.equal(await statusOf(run), 'success');
    assert.equal(outcomeOf(run).status, 'skipped');
  });

  it('ends the job that was asked for when it cannot be begun', async () => {
    const run = await verify({ beginJob: async () => failWith('notFound') });
    await assert.rejects(run.ending());
    assert.deepEqual(run.steps(), ['beginJob', 'endJob failed']);
    assert.equal(run.of('endJob')[0]!.input.error.code, 'notFound');
  });

  it('ends cancelled when it is cancelled, and reads nothing more', async () => {
    const run = await verify({
      pointsToVerify: reading(target('orders', 'local'), target('orders', 'offsite')),
      verifyPoints: untilCancelled,
    });
    await until('it reads', () => run.of('verifyPoints').length > 0);
    await run.cancel();
    assert.equal(await statusOf(run), 'cancelled');
    assert.equal(run.of('verifyPoints').length, 1);
    assert.deepEqual(run.steps().at(-1), 'endJob cancelled');
  });

  it('ends cancelled although its step ended with an error while it was stopped', async () => {
    const run = await verify({
      pointsToVerify: reading(target('orders', 'local')),
      verifyPoints: untilStopped,
    });
    await until('the step runs', () => run.of('verifyPoints').length > 0);
    await run.cancel();
    assert.equal(await statusOf(run), 'cancelled');
    assert.equal(run.steps().at(-1), 'endJob cancelled');
    assert.equal(run.of('endJob')[0]!.input.error, null);
  });

  it('ends the job also when the cancel comes in the last moment', async () => {
    const ending = gate();
    const run = await verify({ endAsset: ending.wait });
    await until('the asset ends', () => run.of('endAsset').length > 0);
    await run.cancel();
    ending.open();
    await statusOf(run);
    assert.equal(run.of('endJob').length, 1);
  });
});
