import assert from 'node:assert/strict';
import { asFailure } from '../../activities/activity-step.ts';
import { failureNoted, noted } from '../../activities/copy-attempt.ts';
import type { Deployment } from '../../activities/deployment.ts';
import type { CopyAttempt } from '../../catalog/copies.ts';
import { HoldfastError, type FailureCode } from '../../domain/errors.ts';

describe('an attempt at a copy', () => {
  const notes: CopyAttempt[] = [];
  const deployment = {
    catalog: { copies: { noteAttempt: async (attempt: CopyAttempt) => void notes.push(attempt) } },
    clock: () => new Date('2026-11-20T12:00:00.000Z'),
  } as unknown as Deployment;
  const attempt = { asset: 'orders', jobId: 'job', point: 'point', to: 'offsite' };
  const failing = async (code: FailureCode) => {
    const told = { code, message: code, cause: 'as scripted', hint: 'none' };
    throw asFailure(new HoldfastError(told), 'a copy');
  };
  beforeEach(() => notes.splice(0));

  it('is on record with how it ended', async () => {
    await noted(deployment, attempt, async () => undefined);
    await assert.rejects(noted(deployment, attempt, () => failing('repository.absent')));
    assert.deepEqual(
      notes.map(({ repository, error }) => [repository, error?.code ?? null]),
      [
        ['offsite', null],
        ['offsite', 'repository.absent'],
      ],
    );
  });

  it('that was refused before anything was sent has failed, and one that may begin has not ended', async () => {
    await failureNoted(deployment, attempt, async () => undefined);
    assert.equal(notes.length, 0);
    await assert.rejects(failureNoted(deployment, attempt, () => failing('repository.full')));
    assert.equal(notes[0]?.error?.code, 'repository.full');
  });

  it('that a newer one has taken over from says nothing', async () => {
    await assert.rejects(noted(deployment, attempt, () => failing('fenced')));
    assert.equal(notes.length, 0);
  });
});
