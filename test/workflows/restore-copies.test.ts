import assert from 'node:assert/strict';
import type { FailureCode } from '../../domain/errors.ts';
import { committed, input, last, prepare, statusOf } from './restore-run.ts';
import { failWith, granted, plannedRestore, QUEUE, type Script } from './steps-double.ts';
import { freshClock, play, type Run } from './time-skipping.ts';

/** Plans the first copy that is left, and says of each why it cannot be read. */
const script = (why: Record<string, FailureCode>): Script => ({
  beginRestore: async (asked) => {
    const repository = ['near', 'offsite'].find((copy) => !(asked.not ?? []).includes(copy));
    if (repository === undefined) return failWith('point.unknown');
    return plannedRestore({ repository, safetyRepository: 'near' })(asked);
  },
  stageRestore: async ({ repository }) => {
    const code = why[repository];
    if (code) failWith(code);
  },
});

describe('a restore from a copy that cannot be read', () => {
  it('takes the next copy of the same point on the same host, and says so before anything is committed', async () => {
    const run = await committed(script({ near: 'repository.damaged' }));
    const [first, second] = run.of('beginRestore').map(({ input }) => input);
    assert.deepEqual([first.point, first.not, first.hostQueue], ['latest', undefined, undefined]);
    assert.deepEqual([second.point, second.not, second.hostQueue], ['point-1', ['near'], QUEUE]);
    const { impact } = run.of('restoreStatus')[0]!.input;
    assert.match(impact.warnings[0], /^this comes from offsite: near cannot be read \(.+\)$/);
    assert.equal(await statusOf(run), 'completed');
    assert.equal(run.of('swapRestore')[0]!.input.repository, 'offsite');
  });

  it('keeps what is there in the copy that could be read, and not first in the one that could not', async () => {
    const run = await committed(script({ near: 'repository.damaged' }));
    assert.equal(await statusOf(run), 'completed');
    assert.deepEqual(
      run.of('takeSafetyPoint').map(({ input }) => [input.safetyRepository, input.fences[0].repository]),
      [['offsite', 'offsite']],
    );
  });

  it('does so where a repository was made anew and holds nothing of what is listed', async () => {
    const run = await committed(script({ near: 'point.unknown' }));
    assert.equal(await statusOf(run), 'completed');
  });

  it('tells of each copy why it could not be read where there is none', async () => {
    const run = await prepare(
      script({ near: 'repository.absent', offsite: 'repository.credentialsRefused' }),
    );
    assert.equal(await statusOf(run), 'failed');
    assert.equal(run.of('stageRestore').length, 2);
    const { code, cause } = last(run).error;
    assert.equal(code, 'repository.credentialsRefused');
    assert.match(cause, /before it, near could not be read: .*repository\.absent/);
  });

  it('ends with the reason where it was told which copy to take, or is planned from the same one again', async () => {
    const told = await play('restore', { ...input, from: 'near' }, script({ near: 'repository.damaged' }));
    assert.equal(await statusOf(told), 'failed');
    assert.equal(told.of('beginRestore').length, 1);
    assert.equal(last(told).error.code, 'repository.damaged');
    const older = await prepare({
      ...script({ near: 'repository.damaged' }),
      beginRestore: plannedRestore({ repository: 'near' }),
    });
    assert.equal(await statusOf(older), 'failed');
    assert.equal(older.of('beginRestore').length, 2);
  });

  it('blames no repository for a step that reads none', async () => {
    const run = await prepare({ previewRestore: async () => failWith('secret.unresolved') });
    assert.equal(await statusOf(run), 'failed');
    assert.equal(run.of('beginRestore').length, 1);
    assert.equal(last(run).error.code, 'secret.unresolved');
  });
});

describe('the safety point of a restore', () => {
  it('keeps what is there in the repository it restores from when the one of the policy is gone', async () => {
    const run = await committed({
      beginRestore: plannedRestore({ safetyRepository: 'gone' }),
      takeSafetyPoint: async ({ safetyRepository, safetyPoint }) =>
        safetyRepository === 'gone' ? failWith('repository.absent') : safetyPoint,
    });
    assert.equal(await statusOf(run), 'completed');
    const [first, second] = run.of('takeSafetyPoint').map(({ input }) => input);
    assert.notEqual(first!.safetyRepository, first!.repository);
    assert.equal(second!.fences[0].repository, second!.repository);
    assert.equal(run.of('restoreStatus')[2]!.input.safetyPointId, second!.safetyPoint);
  });

  const places = (run: Run) => run.of('takeSafetyPoint').map(({ input }) => input.safetyRepository);

  it('goes to the repository it restores from where damage was found in the one of the policy', async () => {
    const run = await committed({
      beginRestore: plannedRestore({ repository: 'offsite', safetyRepository: 'near' }),
      needsRepair: async (repository) => repository === 'near',
    });
    assert.equal(await statusOf(run), 'completed');
    assert.deepEqual(places(run), ['offsite']);
    assert.equal(run.of('repairForSafety').length, 0);
  });

  const damaged = {
    beginRestore: plannedRestore({ repository: 'near', safetyRepository: 'near' }),
    needsRepair: async () => true,
  };

  it('has the repository repaired first where no other serves, alone and while the services run', async () => {
    const run = await committed(damaged);
    assert.equal(await statusOf(run), 'completed');
    assert.deepEqual(places(run), ['near']);
    const steps = run.steps();
    assert.ok(steps.indexOf('repairForSafety') < steps.indexOf('runRestoreCommands stop'), steps.join(', '));
    assert.deepEqual(run.of('repairForSafety')[0]!.input.fences, [{ repository: 'near', fence: 1 }]);
    assert.deepEqual(
      run.of('askForLease').map(({ input }) => input.mode),
      ['shared', 'exclusive', 'shared'],
    );
  });

  it('is taken all the same where the repair fails, or cannot be had soon', async () => {
    const failing = await committed({ ...damaged, repairForSafety: async () => failWith('repository.full') });
    assert.equal(await statusOf(failing), 'completed');
    assert.deepEqual(places(failing), ['near']);
    await freshClock();
    const waiting = await committed({
      ...damaged,
      askForLease: (asked) => (asked.mode === 'exclusive' ? Promise.resolve() : granted(asked)),
    });
    assert.equal(await statusOf(waiting), 'completed');
    assert.deepEqual([places(waiting), waiting.of('repairForSafety').length], [['near'], 0]);
  });

  it('goes to a damaged one where the other turns out to be of no use, and has it repaired first', async () => {
    const use = (code: FailureCode, bad: string): Script => ({
      beginRestore: plannedRestore({ repository: 'offsite', safetyRepository: 'near' }),
      needsRepair: async (repository) => repository !== bad,
      takeSafetyPoint: async ({ safetyRepository, safetyPoint }) =>
        safetyRepository === bad ? failWith(code) : safetyPoint,
    });
    const full = await committed(use('repository.full', 'offsite'));
    assert.equal(await statusOf(full), 'completed');
    assert.deepEqual(places(full), ['offsite', 'near']);
    assert.deepEqual(
      full.of('repairForSafety').map(({ input }) => input.fences),
      [[{ repository: 'near', fence: 1 }]],
    );
    const gone = await committed(use('repository.absent', 'near'));
    assert.equal(await statusOf(gone), 'completed');
    assert.deepEqual(places(gone), ['near', 'offsite']);
    assert.equal(gone.of('repairForSafety').length, 1);
  });

  it('has the copy that could be read repaired where the other could not', async () => {
    const run = await committed({ ...script({ near: 'repository.absent' }), needsRepair: async () => true });
    assert.equal(await statusOf(run), 'completed');
    assert.deepEqual([places(run), run.of('repairForSafety').length], [['offsite'], 1]);
  });

  it('repairs nothing where nothing may be at the target', async () => {
    const run = await committed({ ...damaged, beginRestore: plannedRestore({ to: '/beside' }) });
    assert.equal(await statusOf(run), 'completed');
    assert.equal(run.of('repairForSafety').length, 0);
  });
});
