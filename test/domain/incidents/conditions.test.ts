import assert from 'node:assert/strict';
import { conditionsOf } from '../../../domain/incidents/conditions.ts';
import type { IncidentFacts, Outcome, PolicyFact } from '../../../domain/incidents/facts.ts';
import { healthOf } from './incident-fixture.ts';

const NOW = new Date('2026-11-20T12:00:00Z');
const nothing: IncidentFacts = {
  assets: [],
  outcomes: [],
  policies: [],
  repositories: [],
  lateCopies: [],
  channels: [],
};

function found(facts: Partial<IncidentFacts>, now = NOW): string[] {
  return conditionsOf({ ...nothing, ...facts }, now).map(({ key, severity }) => `${key} ${severity}`);
}

const outcome = (change: Partial<Outcome>): Outcome => ({
  policy: 'daily',
  asset: 'orders',
  type: 'backup',
  status: 'failed',
  jobId: '7f3a0000-0000-4000-8000-000000000000',
  error: null,
  ...change,
});

const policy = (change: Partial<PolicyFact>): PolicyFact => ({
  name: 'daily',
  cadence: { kind: 'every', seconds: 86_400 },
  jitterSeconds: null,
  since: '2026-11-01T00:00:00Z',
  paused: false,
  newest: { jobId: 'j', startedAt: '2026-11-20T02:00:00Z', endedAt: '2026-11-20T02:10:00Z' },
  ...change,
});
const startedAt = (time: string, endedAt: string | null = time) => ({ jobId: 'j', startedAt: time, endedAt });

describe('conditions', () => {
  it('are none where nothing is wrong', () => {
    const facts = {
      assets: [{ health: healthOf('orders'), dataClass: 'critical' as const }],
      outcomes: [outcome({ status: 'success' })],
      policies: [policy({})],
      repositories: [
        {
          name: 'local',
          needsRepair: false,
          seenAt: null,
          words: '',
          full: null,
          unread: null,
          policies: [],
        },
      ],
      channels: [{ name: 'ops', type: 'smtp', failingSince: null, words: '', hint: '' }],
    };
    assert.deepEqual(found(facts), []);
  });

  it('a missed objective, with the reason and the step that status shows', () => {
    const health = healthOf('orders', {
      health: 'critical',
      breaches: ['rpo'],
      reason: 'its newest verified recovery point is 30 h old',
      next: '`holdfast backup run daily --asset orders`',
    });
    const [condition] = conditionsOf({ ...nothing, assets: [{ health, dataClass: 'standard' }] }, NOW);
    assert.deepEqual(condition, {
      key: 'asset/orders/rpo',
      topic: 'objective',
      severity: 'critical',
      policies: ['daily'],
      asset: 'orders',
      title: 'orders misses its recovery point objective of 1 d',
      reason: health.reason,
      next: health.next,
    });
  });

  it('wakes somebody for an asset that may not be lost, and for a drill that failed', () => {
    const health = healthOf('orders', { health: 'critical', breaches: ['rpo'], reason: 'old' });
    assert.deepEqual(found({ assets: [{ health, dataClass: 'critical' }] }), ['asset/orders/rpo page']);
    assert.deepEqual(found({ outcomes: [outcome({ type: 'drill', asset: null })] }), [
      'policy/daily/drill page',
    ]);
  });

  it('a newest point that cannot be restored', () => {
    const damagedNewest = { id: 'p1', takenAt: '2026-11-20T02:00:00.000Z' };
    const health = healthOf('orders', { health: 'critical', reason: 'in whichever words', damagedNewest });
    assert.deepEqual(found({ assets: [{ health, dataClass: 'standard' }] }), [
      'asset/orders/damaged critical',
    ]);
    const reason = 'its last backup failed: /srv/x is damaged: no copy of it can be restored';
    const other = healthOf('orders', { health: 'critical', reason });
    assert.deepEqual(found({ assets: [{ health: other, dataClass: 'standard' }] }), []);
  });

  it('jobs that did not end well, in the words of the tool', () => {
    const error = {
      code: 'tool.failed',
      message: 'snapshot failed',
      cause: 'disk on fire',
      hint: 'put it out',
    };
    const [condition] = conditionsOf({ ...nothing, outcomes: [outcome({ error })] }, NOW);
    assert.equal(condition?.title, 'backup of orders (policy daily) failed');
    assert.equal(condition?.reason, 'snapshot failed: disk on fire');
    assert.equal(condition?.next, 'put it out; `holdfast jobs logs 7f3a0000` shows the whole job');
    assert.deepEqual(
      found({
        outcomes: [
          outcome({ asset: null, type: 'retention' }),
          outcome({ asset: null, type: 'sync', status: 'warning', repository: 'offsite' }),
          outcome({ type: 'sync', repository: 'offsite' }),
          outcome({ type: 'sync', repository: 'cold' }),
          outcome({ asset: 'uploads', type: 'verify', status: 'cancelled' }),
        ],
      }),
      [
        'policy/daily/retention critical',
        'policy/daily/sync/offsite warning',
        'policy/daily/orders/sync/offsite critical',
        'policy/daily/orders/sync/cold critical',
        'policy/daily/uploads/verify info',
      ],
    );
  });

  it('damage in a repository, and a channel that takes nothing', () => {
    assert.deepEqual(
      found({
        repositories: [
          {
            ...{ name: 'local', needsRepair: true, seenAt: 'then', words: 'pack', policies: ['daily'] },
            ...{ full: '96 % (960 GiB of 1,000 GiB)', unread: 'since January' },
          },
        ],
        channels: [{ name: 'ops', type: 'smtp', failingSince: 'then', words: '535', hint: 'look' }],
      }),
      [
        'repository/local/damaged critical',
        'repository/local/full critical',
        'repository/local/unread warning',
        'channel/ops warning',
      ],
    );
  });

  it('of an asset in two policies are one, for whoever follows either', () => {
    const of = (policy: string) => ({
      health: { ...healthOf('orders', { health: 'critical', breaches: ['rpo'], reason: 'old' }), policy },
      dataClass: 'critical' as const,
    });
    const [condition, ...others] = conditionsOf({ ...nothing, assets: [of('hourly'), of('daily')] }, NOW);
    assert.deepEqual([condition?.policies, others], [['hourly', 'daily'], []]);
  });

  const silences: [what: string, change: Partial<PolicyFact>, expected: string[]][] = [
    ['a run in its time', {}, []],
    ['a run late within its grace', { newest: startedAt('2026-11-19T11:30:00Z') }, []],
    [
      'a run that is missing',
      { newest: startedAt('2026-11-19T10:00:00Z') },
      ['policy/daily/overdue critical'],
    ],
    ['one that was never run', { newest: null }, ['policy/daily/overdue critical']],
    ['one that was only just applied', { newest: null, since: '2026-11-20T11:00:00Z' }, []],
    [
      'one changed after its last run',
      { newest: startedAt('2026-11-01T00:00:00Z'), since: '2026-11-20T11:00:00Z' },
      [],
    ],
    [
      'one changed long after its last run, and still silent',
      { newest: startedAt('2026-10-01T00:00:00Z'), since: '2026-11-18T00:00:00Z' },
      ['policy/daily/overdue critical'],
    ],
    ['a paused one', { newest: null, paused: true }, []],
    [
      'one that runs longer than its cadence',
      { newest: startedAt('2026-11-18T00:00:00Z', null) },
      ['policy/daily/slow warning'],
    ],
    [
      'cron: due within its grace',
      { cadence: { kind: 'cron', expression: '55 11 * * *' }, newest: startedAt('2026-11-19T11:55:01Z') },
      [],
    ],
    [
      'cron: missed',
      { cadence: { kind: 'cron', expression: '0 2 * * *' }, newest: startedAt('2026-11-19T02:00:01Z') },
      ['policy/daily/overdue critical'],
    ],
    [
      'cron: a month without being due',
      { cadence: { kind: 'cron', expression: '0 3 1 * *' }, newest: startedAt('2026-11-01T03:00:00Z') },
      [],
    ],
    [
      'cron: due before it was applied',
      { cadence: { kind: 'cron', expression: '0 2 * * *' }, newest: null, since: '2026-11-20T03:00:00Z' },
      [],
    ],
  ];
  for (const [what, change, expected] of silences) {
    it(`silence: ${what}`, () => assert.deepEqual(found({ policies: [policy(change)] }), expected));
  }

  it('a copy that is further behind than its lag allows, with what keeps it', () => {
    const error = { code: 'repository.absent', message: 'absent', cause: 'no such host', hint: 'mount it' };
    const late = {
      policy: 'daily',
      repository: 'offsite',
      cadence: null,
      lagPoints: 3,
      lagSeconds: 7200,
      lagObjectiveSeconds: 3600,
      breached: true,
      lastStatus: 'failed' as const,
      lastAttemptAt: '2026-11-20T11:00:00Z',
      error,
      assets: [],
    };
    const [condition] = conditionsOf({ ...nothing, lateCopies: [late] }, NOW);
    assert.equal(condition?.key, 'policy/daily/copy/offsite/lag');
    assert.equal(condition?.severity, 'critical');
    assert.match(condition?.reason ?? '', /3 points wait, the first for 2 h, 1 h is allowed.*no such host/);
    assert.equal(condition?.next, 'mount it');
  });
});
