import assert from 'node:assert/strict';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { runStep } from '../../activities/activity-step.ts';
import type { Step } from '../../activities/step.ts';
import type { Catalog } from '../../catalog/index.ts';

const quiet = { logger: new DefaultLogger('ERROR', () => undefined) };

describe('a step', () => {
  const options = {
    catalog: {} as Catalog,
    processes: {
      record: () => Promise.resolve(),
      release: () => Promise.resolve(),
      fenceOff: () => Promise.resolve([]),
      isOpen: () => Promise.resolve(false),
    },
    clock: () => new Date(),
    attempted: 'health check of orders',
    key: 'r-1.health check',
    job: null,
  };
  const failing = async (step: Step, stop: () => void) => {
    stop();
    await Promise.resolve(step);
    throw new DOMException('The operation was aborted', 'AbortError');
  };

  it('that falls over while it is being stopped was cancelled, whatever it says', async () => {
    const environment = new MockActivityEnvironment({}, quiet);
    const stopped = environment.run(() =>
      runStep(options, (step) => failing(step, () => environment.cancel('WORKER_SHUTDOWN'))),
    );
    await assert.rejects(stopped, CancelledFailure);
  });

  it('that falls over by itself has failed, in the shape of the contract', async () => {
    const environment = new MockActivityEnvironment({}, quiet);
    const failed = environment.run(() => runStep(options, (step) => failing(step, () => undefined)));
    await assert.rejects(failed, (thrown) => {
      assert.ok(thrown instanceof ApplicationFailure);
      assert.equal(thrown.type, 'internal');
      return true;
    });
  });
});
