import assert from 'node:assert/strict';
import type { WorkflowFailedError } from '@temporalio/client';
import type { AssetOutcome } from '../../activities/contract.ts';
import type { FailureCode } from '../../domain/errors.ts';
import type { Failure, JobStatus } from '../../domain/job.ts';
import {
  awayFor,
  failUndecided,
  failWith,
  gate,
  planned,
  QUEUE,
  untilCancelled,
  untilStopped,
  type Script,
} from './steps-double.ts';
import { freshClock, play, until, type Run } from './time-skipping.ts';

const input = { policy: 'critical', jobId: 'job-1', trigger: 'manual', actor: 'tester' } as const;
const partial: Failure = { code: 'source.partial', message: 'partial', cause: '3 files', hint: 'look' };

const backUp = (script: Script) => play('backup', input, script);
const statusOf = async (run: Run) => {
  const ending = await run.ending<{ status: JobStatus }>();
  return ending === 'cancelled' ? ending : ending.status;
};
const outcomeOf = (run: Run, asset = 'orders') =>
  run.of('endAsset').find((call) => call.input.asset === asset)?.input.outcome as AssetOutcome;

describe('backup', () => {
  it('gives its points the tags that the job was begun with', async () => {
    const beginJob = planned({ tags: ['release', 'v2.1'] });
    const run = await play('backup', { ...input, tags: ['release'] }, { beginJob });
    assert.equal(await statusOf(run), 'success');
    assert.deepEqual(run.of('beginJob')[0]!.input.tags, ['release']);
    assert.deepEqual(run.of('snapshotAsset')[0]!.input.tags, ['release', 'v2.1']);
  });

  it('captures, copies and proves from the last copy, and is a success', async () => {
    const run = await backUp({ beginJob: planned({ copies: ['offsite', 'cold'], proof: 'proven' }) });
    assert.equal(await statusOf(run), 'success');
    assert.deepEqual(run.steps(), [
      'beginJob',
      'beginAsset',
      'preflightAsset',
      'guardUpload local',
      'runHooks before',
      'snapshotAsset',
      'runHooks after',
      'guardUpload offsite',
      'guardUpload cold',
      'guardUpload offsite',
      'copyPoint offsite',
      'guardUpload cold',
      'copyPoint cold',
      'provePoint cold',
      'endAsset orders success',
      'endJob success',
    ]);
    assert.deepEqual(
      run.of('copyPoint').map(({ input }) => input.fences),
      ['offsite', 'cold'].map((to) => [to, 'local'].sort().map((repository) => ({ repository, fence: 1 }))),
      'under the leases on both sides',
    );
    const { point, tags } = run.of('snapshotAsset')[0]!.input;
    assert.equal(tags, undefined);
    assert.deepEqual(outcomeOf(run), {
      status: 'success',
      recoveryPointId: point,
      proof: 'proven',
      error: null,
    });
    const { TemporalChangeVersion: _, ...searchAttributes } = (await run.handle.describe()).searchAttributes;
    assert.deepEqual(searchAttributes, {
      HoldfastPolicy: ['critical'],
      HoldfastAsset: ['orders'],
      HoldfastJob: ['backup'],
      HoldfastStatus: ['success'],
    });
  });

  it('is a warning when one asset fails, and its siblings are done (law 1)', async () => {
    const run = await backUp({
      beginJob: planned({ assets: ['orders', 'uploads', 'sales'] }),
      snapshotAsset: async ({ asset }) =>
        asset === 'orders' ? failWith('source.missing') : { bytes: 1, addedBytes: 1, partial: null },
    });
    assert.equal(await statusOf(run), 'warning');
    assert.equal(outcomeOf(run, 'orders').error?.code, 'source.missing');
    assert.equal(outcomeOf(run, 'uploads').status, 'success');
    assert.equal(outcomeOf(run, 'sales').status, 'success');
  });

  it('is failed when every asset fails', async () => {
    const run = await backUp({
      beginJob: planned({ assets: ['orders', 'uploads'] }),
      preflightAsset: async () => failWith('source.missing'),
    });
    assert.equal(await statusOf(run), 'failed');
    assert.deepEqual(
      run.of('endAsset').map((call) => call.input.outcome.status),
      ['failed', 'failed'],
    );
  });

  it('tries the other copies when one fails, and the asset is failed with its point', async () => {
    const run = await backUp({
      beginJob: planned({ copies: ['offsite', 'cold'], proof: 'proven' }),
      copyPoint: async ({ to }) => (to === 'offsite' ? failWith('repository.full') : undefined),
    });
    assert.equal(await statusOf(run), 'failed');
    const outcome = outcomeOf(run);
    assert.ok(run.steps().includes('copyPoint cold'));
    assert.equal(outcome.error?.code, 'repository.full');
    assert.equal(outcome.recoveryPointId, run.of('snapshotAsset')[0]!.input.point);
    assert.equal(outcome.proof, 'proven');
  });

  it('keeps the point and the code when the proof fails', async () => {
    const run = await backUp({
      beginJob: planned({ proof: 'verified' }),
      verifyPoints: async () => failWith('proof.failed'),
    });
    assert.equal(await statusOf(run), 'failed');
    const { recoveryPointId, proof, error } = outcomeOf(run);
    assert.equal(recoveryPointId, run.of('snapshotAsset')[0]!.input.point);
    assert.equal(proof, 'stored');
    assert.equal(error?.code, 'proof.failed');
  });

  it('copies a partial snapshot, never proves it, and is failed', async () => {
    const run = await backUp({
      beginJob: planned({ copies: ['offsite'], proof: 'proven' }),
      snapshotAsset: async () => ({ bytes: 1, addedBytes: 1, partial }),
    });
    assert.equal(await statusOf(run), 'failed');
    assert.ok(run.steps().includes('copyPoint offsite'));
    assert.equal(run.of('provePoint').length, 0);
    assert.deepEqual(outcomeOf(run).error, partial);
    assert.equal(outcomeOf(run).proof, 'stored');
  });

  it('does not run beside another backup of the policy, and ends no job', async () => {
    const refused: Failure = { code: 'request.conflict', message: 'runs already', cause: '', hint: 'wait' };
    const run = await backUp({ beginJob: planned({ refused }) });
    assert.equal(await statusOf(run), 'cancelled');
    assert.deepEqual(run.steps(), ['beginJob']);
  });

  it('ends the job that was asked for when it cannot be begun: its row would block the policy', async () => {
    const run = await backUp({ beginJob: async () => failWith('notFound') });
    await assert.rejects(run.ending());
    assert.deepEqual(run.steps(), ['beginJob', 'endJob failed']);
    const { jobId, error } = run.of('endJob')[0]!.input;
    assert.deepEqual([jobId, error.code], ['job-1', 'notFound']);
  });

  it('fails with what kept it from beginning when there is no row to end', async () => {
    const run = await backUp({
      beginJob: async () => failWith('configuration.invalid'),
      endJob: async () => failWith('notFound'),
    });
    await assert.rejects(run.ending(), (thrown: WorkflowFailedError) =>
      /configuration\.invalid/.test((thrown.cause?.cause as Error).message),
    );
  });

  it('lets the other site go on when one cannot even be begun', async () => {
    const run = await backUp({
      beginJob: planned({
        sites: [
          { site: 'one', hostQueue: QUEUE, assets: ['orders'] },
          { site: 'two', hostQueue: QUEUE, assets: ['uploads'] },
        ],
      }),
      beginAsset: async ({ asset }) => (asset === 'orders' ? failWith('internal') : undefined),
    });
    await assert.rejects(run.ending());
    assert.equal(outcomeOf(run, 'uploads').status, 'success');
    assert.deepEqual(run.steps().slice(-2), ['endAsset uploads success', 'endJob failed']);
  });
});

describe('backup, again and again', () => {
  before(freshClock);

  it('retries what can pass, waiting twice as long each time', async () => {
    let left = 4;
    const run = await backUp({
      snapshotAsset: async () =>
        left-- > 0 ? failWith('repository.unreachable') : { bytes: 1, addedBytes: 1, partial: null },
    });
    assert.equal(await statusOf(run), 'success');
    // This server dates an attempt by the failure before it: what lies between is the wait before that one.
    const at = run.of('snapshotAsset').map((call) => call.attemptedAt);
    const waits = at.slice(2).map((time, index) => time - at[index + 1]!);
    assert.equal(waits.length, 3);
    for (const [index, wait] of waits.entries())
      assert.ok(wait >= 500 * 2 ** index, `waited ${waits.join()}`);
    const points = new Set(run.of('snapshotAsset').map((call) => call.input.point));
    assert.equal(points.size, 1, 'each attempt makes the same point');
  });

  const attempts: [
    step: 'preflightAsset' | 'runHooks' | 'snapshotAsset',
    code: FailureCode,
    times: number,
  ][] = [
    ['preflightAsset', 'source.unreachable', 4],
    ['snapshotAsset', 'repository.unreachable', 8],
    ['snapshotAsset', 'repository.wrongPassword', 1],
    ['preflightAsset', 'source.missing', 1],
    ['runHooks', 'tool.failed', 1],
  ];
  for (const [step, code, times] of attempts) {
    it(`tries ${step} ${times === 1 ? 'once' : `${times} times`} when it meets ${code}`, async () => {
      const run = await backUp({
        beginJob: planned({}),
        [step]: async (given: { when?: string }) => given.when !== 'after' && failUndecided(code),
      });
      assert.equal(await statusOf(run), 'failed');
      const tried = run.of(step).filter((call) => call.input.when !== 'after');
      assert.equal(tried.length, times);
    });
  }

  it('ends as it should although the catalogue was away for an hour', async () => {
    const run = await backUp({
      endAsset: async () => awayFor(3600),
    });
    assert.equal(await statusOf(run), 'success');
    assert.ok(run.of('endAsset').length > 100, `${run.of('endAsset').length} attempts`);
    assert.equal(run.steps().at(-1), 'endJob success');
  });
});

describe('a backup that asks for no proof', () => {
  it('notes only what a drill is going to compare', async () => {
    const run = await backUp({
      beginJob: planned({ assets: ['orders', 'uploads'], proof: 'stored', drilled: ['uploads'] }),
    });
    assert.equal(await statusOf(run), 'success');
    assert.deepEqual(
      run.of('snapshotAsset').map(({ input }) => [input.asset, input.manifest]),
      [
        ['orders', false],
        ['uploads', true],
      ],
    );
  });
});

describe('backup with hooks', () => {
  it('runs them for the assets that have some, and spares the others the steps', async () => {
    const run = await backUp({ beginJob: planned({ assets: ['orders', 'uploads'], hooked: ['uploads'] }) });
    assert.equal(await statusOf(run), 'success');
    assert.deepEqual(
      run.of('runHooks').map(({ input }) => `${input.asset} ${input.when}`),
      ['uploads before', 'uploads after'],
    );
  });

  it('runs those after when the snapshot fails, and tells of the snapshot', async () => {
    const run = await backUp({
      snapshotAsset: async () => failWith('source.unreadable'),
      runHooks: async ({ when }) => (when === 'after' ? failWith('hook.failed') : undefined),
    });
    assert.equal(await statusOf(run), 'failed');
    assert.ok(run.steps().includes('runHooks after'));
    assert.equal(outcomeOf(run).error?.code, 'source.unreadable');
  });

  it('runs those after when one before failed, and takes no snapshot', async () => {
    const run = await backUp({
      runHooks: async ({ when }) => (when === 'before' ? failWith('hook.failed') : undefined),
    });
    assert.equal(await statusOf(run), 'failed');
    assert.equal(run.of('snapshotAsset').length, 0);
    assert.ok(run.steps().includes('runHooks after'));
  });

  it('keeps the point when those after fail', async () => {
    const run = await backUp({
      runHooks: async ({ when }) => (when === 'after' ? failWith('hook.failed') : undefined),
    });
    assert.equal(await statusOf(run), 'failed');
    assert.equal(outcomeOf(run).error?.code, 'hook.failed');
    assert.equal(outcomeOf(run).recoveryPointId, run.of('snapshotAsset')[0]!.input.point);
  });
});

describe('backup, cancelled', () => {
  it('stops the snapshot, runs the hooks after it and ends cancelled', async () => {
    const run = await backUp({
      beginJob: planned({ assets: ['orders', 'uploads'] }),
      snapshotAsset: untilCancelled,
    });
    await until('the snapshot runs', () => run.of('snapshotAsset').length > 0);
    await run.cancel();
    assert.equal(await statusOf(run), 'cancelled');
    assert.deepEqual(run.steps().slice(-2), ['runHooks after', 'endJob cancelled']);
    assert.equal(run.of('endJob').length, 1);
    assert.equal(run.of('snapshotAsset').length, 1);
  });

  it('ends cancelled although its step ended with an error while it was stopped', async () => {
    const run = await backUp({ snapshotAsset: untilStopped });
    await until('the step runs', () => run.of('snapshotAsset').length > 0);
    await run.cancel();
    assert.equal(await statusOf(run), 'cancelled');
    assert.equal(run.steps().at(-1), 'endJob cancelled');
    assert.equal(run.of('endJob')[0]!.input.error, null);
  });

  it('ends the job also when the cancel comes in the last moment', async () => {
    const ending = gate();
    const run = await backUp({ endAsset: ending.wait });
    await until('the asset ends', () => run.of('endAsset').length > 0);
    await run.cancel();
    ending.open();
    await statusOf(run);
    assert.equal(run.of('endJob').length, 1);
    assert.notEqual(run.of('endJob')[0]!.input.status, 'failed');
  });

  it('ends a job that was begun although nobody heard so before the cancel', async () => {
    let answers = false;
    const run = await backUp({
      beginJob: async (begin) => (answers ? planned({})(begin) : failWith('catalog.unreachable')),
    });
    await until('it was tried', () => run.of('beginJob').length > 0);
    await run.cancel();
    answers = true;
    assert.equal(await statusOf(run), 'cancelled');
    assert.deepEqual(run.steps(), ['beginJob', 'endJob cancelled']);
  });

  it('waits for every site before it ends the job', async () => {
    const lastHook = gate();
    const run = await backUp({
      beginJob: planned({
        sites: [
          { site: 'one', hostQueue: QUEUE, assets: ['orders'] },
          { site: 'two', hostQueue: QUEUE, assets: ['uploads'] },
        ],
      }),
      snapshotAsset: untilCancelled,
      runHooks: ({ when, asset }) =>
        when === 'after' && asset === 'uploads' ? lastHook.wait() : Promise.resolve(),
    });
    await until('both run', () => run.of('snapshotAsset').length === 2);
    await run.cancel();
    await until('both clear up', () => run.steps().filter((step) => step === 'runHooks after').length === 2);
    // A round trip to the worker after both: what would have been asked for too early has been by then.
    await run.phase();
    assert.equal(run.of('endJob').length, 0);
    lastHook.open();
    assert.equal(await statusOf(run), 'cancelled');
    assert.equal(run.steps().at(-1), 'endJob cancelled');
  });
});
