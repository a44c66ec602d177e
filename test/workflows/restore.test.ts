import assert from 'node:assert/strict';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { cancel, commit } from '../../workflows/messages.ts';
import { committed, HOUR, last, prepare, prepared, statusOf } from './restore-run.ts';
import { awayFor, failWith, gate, untilCancelled } from './steps-double.ts';
import { freshClock, timeSkippingServer, until, type Run } from './time-skipping.ts';

const touching = ['takeSafetyPoint', 'runRestoreCommands', 'swapRestore', 'checkHealth', 'undoRestore'];
const untouched = (run: Run) =>
  assert.deepEqual(
    run.calls.filter((call) => touching.includes(call.name)),
    [],
    'the target was touched before a commit (law 7)',
  );
const refused = async (asking: Promise<unknown>, seen: RegExp) => {
  const error = await asking.then(
    () => assert.fail('it was accepted'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof WorkflowUpdateFailedError, String(error));
  assert.ok(error.cause instanceof ApplicationFailure);
  assert.equal(error.cause.type, 'restore.state');
  assert.match((error.cause.details?.[0] as { cause: string }).cause, seen);
};

const preparation = [
  'beginRestore',
  'checkRestoreTarget',
  'stageRestore',
  'validateRestore',
  'previewRestore',
  'restoreStatus prepared',
];
const swapped = [
  'restoreStatus committing',
  'runRestoreCommands stop',
  'takeSafetyPoint',
  'restoreStatus committing',
  'swapRestore',
];
const healthy = [...swapped, 'runRestoreCommands start', 'restoreStatus checking', 'checkHealth'];
const wayBack = ['runRestoreCommands stop', 'undoRestore', 'runRestoreCommands start'];

describe('restore', () => {
  it('prepares, waits, and on the commit goes through every step in order', async () => {
    const run = await prepared({});
    assert.deepEqual(run.steps(), preparation);
    const told = last(run);
    assert.equal(told.estimateSeconds, 12);
    assert.equal(told.impact.bytes, 1000);
    assert.deepEqual(told.validation, { ok: true, checks: [] });
    await run.handle.executeUpdate(commit);
    assert.equal(await statusOf(run), 'completed');
    assert.deepEqual(run.steps().slice(preparation.length), [
      ...healthy,
      'settleRestore',
      'releaseRestore',
      'restoreStatus completed',
    ]);
    const { safetyPoint } = run.of('takeSafetyPoint')[0]!.input;
    assert.equal(run.of('restoreStatus')[2]!.input.safetyPointId, safetyPoint);
    assert.equal(last(run).error, null);
    assert.ok(last(run).measuredSeconds >= 0);
    const { TemporalChangeVersion: _, ...searchAttributes } = (await run.handle.describe()).searchAttributes;
    assert.deepEqual(searchAttributes, {
      HoldfastJob: ['restore'],
      HoldfastAsset: ['orders'],
      HoldfastStatus: ['completed'],
    });
  });

  it('is failed, released and says what differs when what came back is not what was backed up', async () => {
    const run = await prepare({
      validateRestore: async () => ({
        ok: false,
        checks: [
          { name: 'digest', ok: false, detail: 'three files differ' },
          { name: 'count', ok: true, detail: '12' },
        ],
      }),
    });
    assert.equal(await statusOf(run), 'failed');
    untouched(run);
    assert.deepEqual(run.steps().slice(-2), ['releaseRestore', 'restoreStatus failed']);
    assert.equal(last(run).error.code, 'proof.failed');
    assert.equal(last(run).error.cause, 'digest: three files differ');
  });

  it('is failed and released when the preparation fails', async () => {
    const run = await prepare({ checkRestoreTarget: async () => failWith('target.notEmpty') });
    assert.equal(await statusOf(run), 'failed');
    untouched(run);
    assert.deepEqual(run.steps(), [
      'beginRestore',
      'checkRestoreTarget',
      'releaseRestore',
      'restoreStatus failed',
    ]);
    assert.equal(last(run).error.code, 'target.notEmpty');
  });

  it('is failed when there is no such point', async () => {
    const run = await prepare({ beginRestore: async () => failWith('point.unknown') });
    assert.equal(await statusOf(run), 'failed');
    assert.deepEqual(run.steps(), ['beginRestore', 'restoreStatus failed']);
    assert.equal(last(run).error.code, 'point.unknown');
  });
});

describe('the commit of a restore', () => {
  it('is refused while preparing', async () => {
    const staging = gate();
    const run = await prepare({ stageRestore: staging.wait });
    await until('it stages', () => run.of('stageRestore').length > 0);
    await refused(run.handle.executeUpdate(commit), /it is preparing/);
    staging.open();
    await until('it is prepared', async () => (await run.phase()) === 'prepared');
    await run.handle.executeUpdate(cancel);
    assert.equal(await statusOf(run), 'cancelled');
  });

  it('is refused the second time, and so is a cancel after it', async () => {
    const told = gate();
    const run = await committed({
      restoreStatus: ({ status }) => (status === 'committing' ? told.wait() : Promise.resolve()),
    });
    await until('the catalogue is being told', () => run.of('restoreStatus').length > 1);
    assert.equal(await run.phase(), 'prepared', 'as far as anybody knows');
    await refused(run.handle.executeUpdate(commit), /a commit was already accepted/);
    await refused(run.handle.executeUpdate(cancel), /a commit was already accepted/);
    told.open();
    assert.equal(await statusOf(run), 'completed');
    assert.equal(run.of('swapRestore').length, 1);
  });

  it('is refused after a cancel', async () => {
    const release = gate();
    const run = await prepared({ releaseRestore: release.wait });
    await run.handle.executeUpdate(cancel);
    await refused(run.handle.executeUpdate(commit), /a cancel was already accepted/);
    release.open();
    assert.equal(await statusOf(run), 'cancelled');
    untouched(run);
  });

  it('touches nothing when the safety point cannot be taken', async () => {
    const run = await committed({ takeSafetyPoint: async () => failWith('repository.full') });
    assert.equal(await statusOf(run), 'failed');
    assert.equal(run.of('swapRestore').length, 0);
    assert.equal(run.of('undoRestore').length, 0);
    assert.deepEqual(run.steps().slice(-4), [
      'takeSafetyPoint',
      'runRestoreCommands start',
      'releaseRestore',
      'restoreStatus failed',
    ]);
    assert.equal(last(run).error.code, 'repository.full');
  });

  it('is rolled back when the health checks fail, and says why', async () => {
    const run = await committed({ checkHealth: async () => failWith('health.failed') });
    assert.equal(await statusOf(run), 'rolledBack');
    assert.deepEqual(run.steps().slice(preparation.length), [
      ...healthy,
      ...wayBack,
      'releaseRestore',
      'restoreStatus rolledBack',
    ]);
    assert.equal(last(run).error.code, 'health.failed');
  });

  it('is rolled back when the swap fails', async () => {
    const run = await committed({ swapRestore: async () => failWith('target.inUse') });
    assert.equal(await statusOf(run), 'rolledBack');
    assert.deepEqual(run.steps().slice(preparation.length), [
      ...swapped,
      ...wayBack,
      'releaseRestore',
      'restoreStatus rolledBack',
    ]);
    assert.equal(last(run).error.code, 'target.inUse');
  });

  it('is rolled back when the services do not start, and tells when they do not after it either', async () => {
    const run = await committed({
      runRestoreCommands: async ({ which }) => (which === 'start' ? failWith('tool.failed') : undefined),
    });
    assert.equal(await statusOf(run), 'rolledBack');
    assert.ok(run.steps().includes('undoRestore'));
    assert.match(last(run).error.message, /tool\.failed; and after rolling back: .*tool\.failed/);
  });

  it('is failed when it cannot be rolled back either; names both and removes nothing', async () => {
    const run = await committed({
      checkHealth: async () => failWith('health.failed'),
      undoRestore: async () => failWith('target.readOnly'),
    });
    assert.equal(await statusOf(run), 'failed');
    assert.match(last(run).error.message, /health\.failed; and rolling back failed: .*target\.readOnly/);
    assert.match(last(run).error.hint, /nothing was deleted/);
    assert.equal(run.of('releaseRestore').length, 0);
    assert.ok(run.steps().lastIndexOf('runRestoreCommands start') > run.steps().indexOf('undoRestore'));
  });

  it('is completed although clearing up failed, and tells it', async () => {
    const run = await committed({ settleRestore: async () => failWith('staging.full') });
    assert.equal(await statusOf(run), 'completed');
    assert.equal(run.of('undoRestore').length, 0);
    assert.equal(last(run).error.code, 'staging.full');
  });
});

describe('restore, while hours pass', () => {
  before(freshClock);

  it('expires after the expiry, not before it, and releases what it held', async () => {
    const run = await prepared({});
    const environment = await timeSkippingServer();
    const preparedAt = run.of('restoreStatus')[0]!.attemptedAt;
    await environment.sleep((HOUR - 120) * 1000);
    assert.equal(await run.phase(), 'prepared');
    assert.equal(run.of('releaseRestore').length, 0);
    assert.equal(await statusOf(run), 'expired');
    assert.deepEqual(run.steps().slice(-2), ['releaseRestore', 'restoreStatus expired']);
    untouched(run);
    const expiresAt = Date.parse(run.of('restoreStatus')[0]!.input.expiresAt);
    assert.ok(Math.abs(expiresAt - preparedAt - HOUR * 1000) < 60_000, 'it told another time');
    assert.ok(run.of('releaseRestore')[0]!.askedAt >= expiresAt, 'it was released before the time it told');
    const { events } = await run.handle.fetchHistory();
    const timers = events!.flatMap(
      ({ timerStartedEventAttributes: timer }) => timer?.startToFireTimeout ?? [],
    );
    assert.deepEqual(
      timers.map((timeout) => Number(timeout.seconds)),
      [HOUR],
    );
  });

  it('refuses a commit while it is being dropped after its expiry', async () => {
    const release = gate();
    const run = await prepared({ releaseRestore: release.wait });
    // It ends with the release: time stands still while a step runs.
    const asleep = (await timeSkippingServer()).sleep((HOUR + 1) * 1000);
    await until('it is released', () => run.of('releaseRestore').length > 0);
    await refused(run.handle.executeUpdate(commit), /it is being dropped/);
    release.open();
    await asleep;
    assert.equal(await statusOf(run), 'expired');
    untouched(run);
  });

  it('is completed although the catalogue was away for an hour in the middle of it', async () => {
    const run = await committed({
      restoreStatus: async ({ status }) => (status === 'checking' ? awayFor(HOUR) : undefined),
    });
    assert.equal(await statusOf(run), 'completed');
    assert.ok(run.of('restoreStatus').length > 100);
    assert.equal(run.of('undoRestore').length, 0);
  });
});

describe('restore, cancelled', () => {
  for (const [how, stop] of [
    ['by its update', (run: Run) => run.handle.executeUpdate(cancel)],
    ['in Temporal', (run: Run) => run.cancel()],
  ] as const) {
    it(`${how} while preparing stops the step and releases`, async () => {
      const run = await prepare({ stageRestore: untilCancelled });
      await until('it stages', () => run.of('stageRestore').length > 0);
      await stop(run);
      assert.equal(await statusOf(run), 'cancelled');
      assert.deepEqual(run.steps().slice(-3), ['stageRestore', 'releaseRestore', 'restoreStatus cancelled']);
      untouched(run);
    });

    it(`${how} while preparing waits for the step to stop before it releases`, async () => {
      const slow = gate();
      const run = await prepare({ stageRestore: slow.wait });
      await until('it stages', () => run.of('stageRestore').length > 0);
      const stopped = stop(run);
      await until('the cancel has arrived', () => run.of('stageRestore')[0]!.cancelled);
      assert.equal(run.of('releaseRestore').length, 0);
      slow.open();
      await stopped;
      assert.equal(await statusOf(run), 'cancelled');
      assert.equal(run.of('releaseRestore').length, 1);
    });

    it(`${how} while prepared releases`, async () => {
      const run = await prepared({});
      await stop(run);
      assert.equal(await statusOf(run), 'cancelled');
      assert.deepEqual(run.steps(), [...preparation, 'releaseRestore', 'restoreStatus cancelled']);
      untouched(run);
    });
  }

  it('in Temporal before it was begun is told to the catalogue', async () => {
    const run = await prepare({ beginRestore: async () => failWith('catalog.unreachable') });
    await until('it was tried', () => run.of('beginRestore').length > 0);
    await run.cancel();
    assert.equal(await statusOf(run), 'cancelled');
    assert.equal(run.steps().at(-1), 'restoreStatus cancelled');
  });

  it('in Temporal after the commit was accepted goes through to its end (law 7)', async () => {
    const swap = gate();
    const run = await committed({ swapRestore: swap.wait });
    await until('it swaps', () => run.of('swapRestore').length > 0);
    await run.cancel();
    swap.open();
    assert.equal(await statusOf(run), 'completed');
    assert.equal(last(run).status, 'completed');
  });
});
