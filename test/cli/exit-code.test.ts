import assert from 'node:assert/strict';
import { errorOfJob, exitCodeOfJob } from '../../cli/exit-code.ts';
import type { Job, JobStatus } from '../../domain/job.ts';
import { sampleJob } from '../api/services-double.ts';

describe('the exit code of a job', () => {
  const cases: [name: string, status: JobStatus, failures: string[], code: number][] = [
    ['success', 'success', [], 0],
    ['done in part', 'warning', ['source.missing'], 3],
    ['done in part, whatever failed', 'warning', ['repository.wrongPassword'], 3],
    ['done in part, with a proof that failed', 'warning', ['source.missing', 'proof.failed'], 20],
    ['done in part, with a damaged repository', 'warning', ['repository.damaged'], 20],
    ['a wrong key', 'failed', ['repository.wrongPassword'], 12],
    ['no repository', 'failed', ['repository.absent'], 10],
    ['locked', 'failed', ['repository.locked'], 11],
    ['anything else', 'failed', ['source.missing'], 1],
    ['a code of a later version', 'failed', ['invented.later'], 1],
    [
      'a wrong key among others',
      'failed',
      ['source.missing', 'repository.absent', 'repository.wrongPassword'],
      12,
    ],
    ['a proof that failed among others', 'failed', ['repository.wrongPassword', 'proof.failed'], 20],
    ['failed without a word', 'failed', [], 1],
    ['an asset that was cancelled', 'failed', ['cancelled'], 1],
    ['cancelled', 'cancelled', ['cancelled'], 1],
  ];
  for (const [name, status, codes, expected] of cases) {
    it(`${name} (${[status, ...codes].join(' ')}) is ${expected}`, () => {
      const job = jobWith(status, codes);
      assert.equal(exitCodeOfJob(job), expected);
      assert.equal(errorOfJob(job) === null, expected === 0);
    });
  }

  it('the error that stands for many names each, and has the hint of the gravest', () => {
    const error = errorOfJob(jobWith('failed', ['source.missing', 'proof.failed']));
    assert.equal(error?.code, 'proof.failed');
    assert.equal(error.hint, 'mend proof.failed');
    assert.equal(error.cause, 'asset-0: it failed: seen\nasset-1: it failed: seen');
  });
});

function jobWith(status: JobStatus, codes: string[]): Job {
  const assets = codes.map((code, index) => ({
    asset: `asset-${index}`,
    status: 'failed' as const,
    recoveryPointId: null,
    proof: null,
    error: { code, message: 'it failed', cause: 'seen', hint: `mend ${code}` },
    notes: [],
    progress: null,
  }));
  return sampleJob('job-1', { status, assets });
}
