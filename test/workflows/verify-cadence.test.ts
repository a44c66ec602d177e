import assert from 'node:assert/strict';
import type { AssetOutcome, CadencePlan, DueRehearsalOfPoint } from '../../activities/contract.ts';
import type { Failure, JobStatus } from '../../domain/job.ts';
import { failWith, planned, untilCancelled, type Script } from './steps-double.ts';
import { play, until, type Run } from './time-skipping.ts';

const input = { policy: 'critical', jobId: 'job-1', trigger: 'schedule', actor: 'schedule' };
const damage: Failure = { code: 'repository.damaged', message: 'damaged', cause: 'a pack', hint: 'none' };
const rehearsal: DueRehearsalOfPoint = { asset: 'uploads', point: 'point-2', repository: 'offsite' };

const due = (groups: Record<string, number[]>, rehearsals: DueRehearsalOfPoint[] = []) => ({
  planVerification: async (): Promise<CadencePlan> => ({
    repositories: Object.entries(groups).map(([repository, numbers]) => ({
      repository,
      groups: 20,
      readings: numbers.map((group) => ({ group, groups: 20 })),
    })),
    rehearsals,
  }),
});
const two = { beginJob: planned({ assets: ['orders', 'uploads'] }) };
const run = (script: Script) => play('verifyCadence', input, { ...two, ...script });
const statusOf = async (playing: Run) => {
  const ending = await playing.ending<{ status: JobStatus }>();
  return ending === 'cancelled' ? ending : ending.status;
};
const outcomeOf = (playing: Run, asset: string) =>
  playing.of('endAsset').find((call) => call.input.asset === asset)?.input.outcome as AssetOutcome;

describe('a run of the verification cadence', () => {
  it('reads what is due of each repository, then rehearses what is due', async () => {
    const playing = await run(due({ local: [3, 4], offsite: [7] }, [rehearsal]));
    assert.equal(await statusOf(playing), 'success');
    assert.deepEqual(playing.steps(), [
      'beginJob',
      'planVerification',
      'readGroup local 3/20',
      'readGroup local 4/20',
      'endReadingCycle local',
      'readGroup offsite 7/20',
      'endReadingCycle offsite',
      'beginAsset',
      'endAsset orders success',
      'beginAsset',
      'provePoint offsite',
      'endAsset uploads success',
      'endJob success',
    ]);
    assert.equal(outcomeOf(playing, 'uploads').proof, 'proven');
    const asked = playing.of('askForLease').map(({ input }) => `${input.mode} ${input.repository}`);
    assert.deepEqual(asked, ['shared local', 'shared local', 'shared offsite', 'shared offsite']);
    assert.equal(playing.of('beginJob')[0]?.input.trigger, 'schedule');
  });

  it('fails the assets whose points damage hurts, reads on, and rehearses none of them', async () => {
    const playing = await run({
      ...due({ local: [3, 4] }, [rehearsal]),
      readGroup: async ({ group }) =>
        group === 3 ? { failure: damage, assets: ['uploads'] } : { failure: null, assets: [] },
    });
    assert.equal(await statusOf(playing), 'warning');
    assert.equal(playing.of('readGroup').length, 2);
    assert.equal(outcomeOf(playing, 'orders').status, 'success');
    assert.deepEqual(outcomeOf(playing, 'uploads').error, damage);
    assert.equal(playing.of('provePoint').length, 0);
  });

  it('is a warning when there is damage, though none of its assets is hurt by it', async () => {
    const playing = await run({
      ...due({ local: [3] }),
      readGroup: async () => ({ failure: damage, assets: [] }),
    });
    assert.equal(await statusOf(playing), 'warning');
    assert.deepEqual(playing.of('endJob')[0]?.input.error, damage);
  });

  it('is failed when a repository cannot be read, and reads the others all the same', async () => {
    const playing = await run({
      ...due({ local: [3, 4], offsite: [7] }, [rehearsal]),
      readGroup: async ({ repository }) =>
        repository === 'local' ? failWith('repository.absent') : { failure: null, assets: [] },
    });
    assert.equal(await statusOf(playing), 'failed');
    assert.deepEqual(
      playing.steps().filter((step) => /^readGroup|^endReadingCycle|^prove/.test(step)),
      ['readGroup local 3/20', 'readGroup offsite 7/20', 'endReadingCycle offsite', 'provePoint offsite'],
    );
    assert.equal(outcomeOf(playing, 'orders').error?.code, 'repository.absent');
  });

  it('is failed for the asset whose rehearsal fails', async () => {
    const playing = await run({ ...due({}, [rehearsal]), provePoint: async () => failWith('proof.failed') });
    assert.equal(await statusOf(playing), 'failed');
    assert.equal(outcomeOf(playing, 'orders').status, 'skipped', 'nothing of it was due');
    assert.equal(outcomeOf(playing, 'uploads').error?.code, 'proof.failed');
  });

  it('skips every asset when nothing is due, and is a success', async () => {
    const playing = await run(due({}));
    assert.equal(await statusOf(playing), 'success');
    assert.equal(outcomeOf(playing, 'orders').status, 'skipped');
  });

  it('ends cancelled when it is cancelled, and reads nothing more', async () => {
    const playing = await run({ ...due({ local: [3, 4] }), readGroup: untilCancelled });
    await until('it reads', () => playing.of('readGroup').length > 0);
    await playing.cancel();
    assert.equal(await statusOf(playing), 'cancelled');
    assert.equal(playing.of('readGroup').length, 1);
    assert.deepEqual(playing.steps().at(-1), 'endJob cancelled');
  });

  it('ends the job when it cannot be planned', async () => {
    const playing = await run({ planVerification: async () => failWith('usage') });
    await assert.rejects(playing.ending());
    assert.equal(playing.steps().at(-1), 'endJob failed');
  });
});
