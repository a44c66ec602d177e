import assert from 'node:assert/strict';
import { planned } from './steps-double.ts';
import { play } from './time-skipping.ts';

describe('a backup to a repository in which damage was found', function () {
  this.timeout(60_000);

  it('repairs it alone, under a number, before it shares it again to send', async () => {
    const run = await play(
      'backup',
      { policy: 'critical', jobId: 'job-1', trigger: 'manual', actor: 'tester' },
      {
        beginJob: planned({ copies: ['offsite'] }),
        needsRepair: async (repository) => repository === 'offsite',
      },
    );
    await run.ending();
    const asked = run.of('askForLease').map(({ input }) => `${input.mode} ${input.repository}`);
    assert.deepEqual(asked, ['shared local', 'exclusive offsite', 'shared local', 'shared offsite']);
    assert.deepEqual(
      run.of('repairRepository').map(({ input }) => [input.repository, input.fence]),
      [['offsite', 1]],
    );
    const steps = run.steps();
    assert.ok(steps.indexOf('repairRepository') < steps.indexOf('copyPoint offsite'));
    assert.ok(run.of('copyPoint')[0]?.input.repaired, 'or it would repair beside others');
  });
});
