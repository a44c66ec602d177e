import assert from 'node:assert/strict';
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  RetryState,
  TimeoutFailure,
  TimeoutType,
} from '@temporalio/common';
import { HoldfastError } from '../../../domain/errors.ts';
import { failureOf } from '../../../workflows/steps.ts';

const stepFailure = (cause: Error) =>
  new ActivityFailure(
    'activity failed',
    'snapshotAsset',
    '1',
    RetryState.MAXIMUM_ATTEMPTS_REACHED,
    'w',
    cause,
  );

describe('failureOf', () => {
  const told = new HoldfastError({
    code: 'repository.locked',
    message: 'the repository is in use',
    cause: 'a lock of pid 7',
    hint: 'wait for it',
  }).toContract();

  it('takes what the step said about itself', () => {
    const thrown = ApplicationFailure.create({ type: told.code, message: told.message, details: [told] });
    assert.deepEqual(failureOf(stepFailure(thrown)), told);
    assert.deepEqual(failureOf(thrown), told);
  });

  it('says of a step that no worker answered for that it stalled, and how it was noticed', () => {
    const silent = new TimeoutFailure('activity Heartbeat timeout', undefined, TimeoutType.HEARTBEAT);
    const failure = failureOf(stepFailure(silent));
    assert.equal(failure.code, 'tool.stalled');
    assert.match(failure.cause, /Heartbeat timeout/);
    assert.match(failure.hint, /worker log/);
  });

  it('calls anything else a fault of ours, with its words', () => {
    const failure = failureOf(stepFailure(new TypeError('x is not a function')));
    assert.equal(failure.code, 'internal');
    assert.equal(failure.cause, 'x is not a function');
    assert.equal(failureOf('only words').cause, 'only words');
  });

  it('throws a cancellation on: it is no failure', () => {
    const cancelled = stepFailure(new CancelledFailure('cancelled'));
    assert.throws(
      () => failureOf(cancelled),
      (thrown) => thrown === cancelled,
    );
  });
});
