import assert from 'node:assert/strict';
import fc from 'fast-check';
import { dueBetween } from '../../../domain/cadence/due-between.ts';
import { nextRun } from '../../../domain/cadence/next-run.ts';
import { scheduledRunsOf } from '../../../domain/cadence/scheduled-runs.ts';
import { policy, read } from '../configuration/written.ts';

const policyOf = (more: string) => read(policy(`repository: local, ${more}`)).configuration.policies[0]!;
const runsOf = (more: string) => scheduledRunsOf(policyOf(more));

describe('what runs by itself for a policy', () => {
  it('is its backup alone, while nothing is said about keeping', () => {
    assert.deepEqual(
      runsOf('every: 6h').map(({ id, catchUpSeconds }) => [id, catchUpSeconds]),
      [['backup/p', 6 * 3600]],
    );
  });

  it('is retention too, once a day when the window opens', () => {
    const [, retention] = runsOf(
      'every: 1h, window: { from: "22:30", to: "04:00" }, retention: { keepLast: 3 }',
    );
    assert.equal(retention?.id, 'retention/p');
    assert.equal(
      nextRun(retention, new Date('2026-11-21T12:00:00Z')).toISOString(),
      '2026-11-21T22:30:00.000Z',
    );
  });

  it('is reading back too, on a cadence of its own', () => {
    const verify = runsOf('every: 1h, verification: { every: 6h, within: 10d }').at(-1);
    assert.deepEqual([verify?.id, verify?.catchUpSeconds], ['verify/p', 6 * 3600]);
    assert.ok(verify!.offsetSeconds < 6 * 3600);
  });

  it('is retention too where only a copy has a rule', () => {
    const runs = runsOf('every: 1h, copies: [ { repository: offsite, retention: { keepLast: 3 } } ]');
    assert.deepEqual(
      runs.map(({ kind }) => kind),
      ['backup', 'retention'],
    );
  });

  it('makes up for one missed run of a cron expression, however uneven', () => {
    const [backup] = runsOf('cron: "0 3 * * 1,2"');
    assert.equal(backup?.catchUpSeconds, 6 * 86_400);
  });

  it('has what was written of jitter, catch-up and overlap', () => {
    const [backup] = runsOf('every: 1h, jitter: 5m, catchUp: 30m, overlap: queue');
    assert.deepEqual([backup?.jitterSeconds, backup?.catchUpSeconds, backup?.overlap], [300, 1800, 'queue']);
  });

  it('comes due after the moment asked about, once in each interval', () => {
    const times = fc.record({ every: fc.integer({ min: 1, max: 100_000 }), offset: fc.nat(99_999) });
    fc.assert(
      fc.property(times, fc.nat(2_000_000_000), ({ every, offset }, seconds) => {
        const run = { cadence: { kind: 'every' as const, seconds: every }, offsetSeconds: offset % every };
        const after = new Date(seconds * 1000);
        const due = nextRun(run, after).getTime() / 1000;
        assert.ok(due > seconds && due <= seconds + every);
        assert.equal((due - run.offsetSeconds) % every, 0);
        assert.equal(nextRun(run, new Date(due * 1000)).getTime() / 1000, due + every);
      }),
    );
  });

  it('is counted between two moments, the later one included', () => {
    const [backup] = runsOf('cron: "*/10 * * * *"');
    const due = dueBetween(backup!, new Date('2026-11-21T10:00:00Z'), new Date('2026-11-21T10:30:00Z'));
    assert.deepEqual(
      due.map((at) => at.toISOString().slice(11, 16)),
      ['10:10', '10:20', '10:30'],
    );
  });
});
