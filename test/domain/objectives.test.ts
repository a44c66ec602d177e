import assert from 'node:assert/strict';
import { errorBudget } from '../../domain/objectives/error-budget.ts';
import { assess, isBreached } from '../../domain/objectives.ts';
import type { AssetFacts, AssetHealth } from '../../domain/objectives.ts';

const now = new Date('2026-11-20T16:00:00.000Z');
const hoursAgo = (hours: number) => ({
  id: `point-${hours}`,
  takenAt: new Date(now.getTime() - hours * 3_600_000).toISOString(),
});
const objectives = { rpoSeconds: 24 * 3600, rtoSeconds: 1800, provenWithinSeconds: null };
const policy = { name: 'critical', proof: 'verified' as const, objectives };
const failedJob = {
  id: 'job-9',
  status: 'failed' as const,
  startedAt: '2026-11-20T15:00:00.000Z',
  endedAt: '2026-11-20T15:01:00.000Z',
  error: { code: 'source.missing', message: 'backup of uploads failed', cause: 'ENOENT', hint: 'mount it' },
};

function facts(change: Partial<AssetFacts> = {}): AssetFacts {
  return {
    asset: 'uploads',
    policy,
    newest: { stored: hoursAgo(6), verified: hoursAgo(6), proven: hoursAgo(6) },
    damagedNewest: null,
    damagedCopies: 0,
    lastProvenAt: '2026-11-20T10:10:00.000Z',
    lastJob: null,
    measuredSeconds: 41,
    nextRunAt: null,
    ...change,
  };
}

const nothing = { succeeded: 0, failed: 0, missed: 0 };
const never = { stored: null, verified: null, proven: null };
const withObjectives = (change: Partial<typeof objectives> | { provenWithinSeconds: number }) => ({
  ...policy,
  objectives: { ...objectives, ...change },
});

describe('how an asset stands against its objectives', () => {
  const cases: [
    name: string,
    change: Partial<AssetFacts>,
    health: AssetHealth['health'],
    breaches: AssetHealth['breaches'],
    reason: RegExp,
  ][] = [
    ['all is well', {}, 'ok', [], /^$/],
    ['in no policy', { policy: null }, 'unknown', [], /no policy names it/],
    ['never backed up', { newest: never }, 'unknown', [], /never been backed up/],
    [
      'never backed up, and the first try failed',
      { newest: never, lastJob: failedJob },
      'warning',
      [],
      /ENOENT/,
    ],
    [
      "no point has the policy's proof: never measured, so no breach",
      { newest: { ...never, stored: hoursAgo(300) } },
      'unknown',
      [],
      /none of its recovery points is verified/,
    ],
    [
      'the RPO is held against the newest point with the proof the policy asks for, not the newest',
      { newest: { stored: hoursAgo(1), verified: hoursAgo(25), proven: null } },
      'critical',
      ['rpo'],
      /newest verified recovery point is 1 d 1 h old, and the objective is 1 d/,
    ],
    [
      'exactly at the objective',
      { newest: { stored: hoursAgo(24), verified: hoursAgo(24), proven: null } },
      'ok',
      [],
      /^$/,
    ],
    [
      'an old proven point is fine where nothing bounds it',
      { newest: { stored: hoursAgo(1), verified: hoursAgo(1), proven: hoursAgo(900) } },
      'ok',
      [],
      /^$/,
    ],
    [
      'proven too long ago',
      {
        policy: withObjectives({ provenWithinSeconds: 7 * 86_400 }),
        newest: { stored: hoursAgo(1), verified: hoursAgo(1), proven: hoursAgo(200) },
      },
      'warning',
      ['provenWithin'],
      /8 d 8 h old, and one is to be proven within 7 d/,
    ],
    [
      'to be proven, and never was: unknown',
      {
        policy: withObjectives({ provenWithinSeconds: 3600 }),
        newest: { stored: hoursAgo(1), verified: hoursAgo(1), proven: null },
      },
      'unknown',
      [],
      /none of its recovery points has been proven/,
    ],
    ['a restore took too long', { measuredSeconds: 2000 }, 'warning', ['rto'], /took 33 m 20 s/],
    ['the RTO was never measured', { measuredSeconds: null }, 'ok', [], /^$/],
    [
      'the newest point is damaged, though an older one is young enough',
      { damagedNewest: hoursAgo(1), damagedCopies: 0 },
      'critical',
      [],
      /newest recovery point point-1 .* is damaged/,
    ],
    [
      'a copy is damaged, another is whole',
      { damagedCopies: 1 },
      'warning',
      [],
      /a copy of its .* is damaged/,
    ],
    [
      'the last backup failed',
      { lastJob: failedJob },
      'warning',
      [],
      /its last backup failed: backup of uploads failed/,
    ],
    [
      'a point from the future measures nothing',
      { newest: { stored: hoursAgo(-30), verified: hoursAgo(-30), proven: null } },
      'warning',
      [],
      /which is yet to come/,
    ],
    [
      'an error budget with something left',
      { errorBudget: errorBudget(0.9, { succeeded: 29, failed: 1, missed: 0 }, nothing) },
      'ok',
      [],
      /^$/,
    ],
    [
      'an error budget just used up',
      { errorBudget: errorBudget(0.9, { succeeded: 27, failed: 2, missed: 1 }, nothing) },
      'warning',
      ['errorBudget'],
      /^in the last 30 days 3 of its runs failed or did not happen: its error budget for 90 % is used up$/,
    ],
    [
      'a success rate that is missed',
      { errorBudget: errorBudget(0.99, { succeeded: 29, failed: 0, missed: 1 }, nothing) },
      'warning',
      ['successRate'],
      /^in the last 30 days 1 of its runs .*: 96.6 % were well, and the objective is 99 %$/,
    ],
    [
      'clocks a little apart',
      { newest: { stored: hoursAgo(-0.05), verified: hoursAgo(-0.05), proven: null } },
      'ok',
      [],
      /^$/,
    ],
    [
      'several at once: the gravest first',
      { measuredSeconds: 2000, newest: { stored: hoursAgo(1), verified: hoursAgo(30), proven: null } },
      'critical',
      ['rpo', 'rto'],
      /^its newest verified .*; its last restore took/,
    ],
  ];

  for (const [name, change, health, breaches, reason] of cases) {
    it(name, () => {
      const item = assess(facts(change), now);
      assert.equal(item.health, health);
      assert.deepEqual(item.breaches, breaches);
      assert.match(item.reason, reason);
      assert.equal(item.next === '', health === 'ok', 'whatever is not well says what to do');
      assert.equal(isBreached(item), breaches.length > 0 || health === 'critical');
    });
  }

  it('measures the age of both, and says until when the asset is protected', () => {
    const newest = { stored: hoursAgo(1), verified: hoursAgo(6), proven: hoursAgo(30) };
    const item = assess(facts({ newest }), now);
    assert.deepEqual(item.rpo, { objectiveSeconds: 86_400, actualSeconds: 21_600, verifiedSeconds: 108_000 });
    assert.deepEqual(item.rto, { objectiveSeconds: 1800, measuredSeconds: 41 });
    assert.equal(item.protectedUntil, newest.verified.takenAt);
    assert.equal(item.provenUntil, newest.proven.takenAt);
    assert.equal(
      assess(facts({ newest, policy: { ...policy, proof: 'proven' } }), now).rpo.actualSeconds,
      108_000,
    );
    assert.equal(
      assess(facts({ newest, policy: { ...policy, proof: 'stored' } }), now).rpo.actualSeconds,
      3600,
    );
  });

  it('an age that was not measured is null, never zero', () => {
    const item = assess(facts({ newest: never, measuredSeconds: null }), now);
    assert.deepEqual(
      [item.rpo.actualSeconds, item.rpo.verifiedSeconds, item.rto.measuredSeconds],
      [null, null, null],
    );
  });
});
