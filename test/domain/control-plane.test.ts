import assert from 'node:assert/strict';
import { controlPlaneIn } from '../../domain/control-plane/where.ts';
import { whyBehind, whyDue, type ControlPlaneState } from '../../domain/control-plane/due.ts';
import { planControlPlaneRetention } from '../../domain/control-plane/retention.ts';
import { rollbackWords } from '../../domain/control-plane/rollback.ts';
import { controlPlane } from '../../domain/incidents/control-plane.ts';
import type { RetainedPoint } from '../../domain/retention/plan.ts';
import { read, written } from './configuration/written.ts';

const NOW = new Date('2026-11-22T12:00:00Z');
const ago = (minutes: number) => new Date(NOW.getTime() - minutes * 60_000).toISOString();
const HOUR = 3600;
const failure = {
  code: 'repository.unreachable',
  message: 'no answer',
  cause: 'timeout',
  hint: 'look at the line',
};

const stored = (minutes: number, more: object = {}) => ({
  ...{ pointId: 'p', snapshotId: 's', takenAt: ago(minutes), auditSequence: 10 },
  ...{ evidenceSequence: 2, configurationDigest: 'now' },
  ...more,
});
const state = (more: Partial<ControlPlaneState> = {}): ControlPlaneState => ({
  repository: 'offsite',
  initialisedAt: ago(10_000),
  stored: stored(30),
  last: null,
  open: null,
  movedOnAt: null,
  evidence: 2,
  configuration: { digest: 'now', appliedAt: ago(10_000) },
  ...more,
});

describe('when the control plane is stored', () => {
  const cases: [string, Partial<ControlPlaneState>, RegExp | null][] = [
    ['where it never was', { stored: null }, /never/],
    ['not where nothing is stored yet', { stored: null, initialisedAt: null }, null],
    ['not while it is being stored', { stored: null, open: { jobId: 'j', startedAt: ago(1) } }, null],
    [
      'when another configuration is in force',
      { stored: stored(0, { configurationDigest: 'old' }) },
      /applied/,
    ],
    [
      'when evidence was added, however young the last one is',
      { stored: stored(0), evidence: 3 },
      /evidence/,
    ],
    ['not before its time, whatever happened', { stored: stored(59), movedOnAt: ago(1) }, null],
    ['at its time, when something happened', { stored: stored(60), movedOnAt: ago(1) }, /older/],
    ['not when nothing happened, however old', { stored: stored(6000) }, null],
    [
      'not right after a failure',
      { stored: null, last: { jobId: 'j', endedAt: ago(4), error: failure } },
      null,
    ],
    [
      'again a while after a failure',
      { stored: null, last: { jobId: 'j', endedAt: ago(6), error: failure } },
      /never/,
    ],
    [
      'at once after a success',
      { evidence: 3, last: { jobId: 'j', endedAt: ago(0), error: null } },
      /evidence/,
    ],
  ];
  for (const [title, more, why] of cases) {
    it(title, () => {
      const found = whyDue(state(more), HOUR, NOW);
      if (why === null) assert.equal(found, null);
      else assert.match(found ?? 'nothing', why);
    });
  }

  it('is by itself in every repository that policies use, each hour', () => {
    assert.deepEqual(controlPlaneIn(read(written()).configuration), {
      everySeconds: HOUR,
      repositories: ['local', 'offsite'],
    });
  });
});

describe('an incident of the control plane', () => {
  const cases: [string, Partial<ControlPlaneState>, RegExp | null][] = [
    ['is none while all is well', { movedOnAt: ago(10) }, null],
    ['is none of what is old and has nothing new to store', { stored: stored(6000) }, null],
    ['is none when something happens after a quiet time', { stored: stored(6000), movedOnAt: ago(1) }, null],
    ['is what is older than twice its time', { stored: stored(121), movedOnAt: ago(119) }, /newest there/],
    ['is a failed attempt', { last: { jobId: 'j', endedAt: ago(1), error: failure } }, /no answer: timeout/],
    ['is none where the repository was never made', { stored: null, initialisedAt: null }, null],
    ['is none in the first hours of a repository', { stored: null, initialisedAt: ago(60) }, null],
    ['is a repository it never came to', { stored: null }, /never stored/],
  ];
  for (const [title, more, reason] of cases) {
    it(title, () => {
      const behind = whyBehind(state(more), HOUR, NOW);
      const common = { repository: 'offsite', rolledBack: null, policies: ['daily'] };
      const [condition] = controlPlane({ ...common, behind });
      if (reason === null) assert.equal(condition, undefined);
      else {
        assert.equal(condition?.key, 'control-plane/offsite');
        assert.equal(condition.severity, 'critical');
        assert.match(condition.reason, reason);
      }
    });
  }

  it('names what a repository lost, and counts the rest', () => {
    const missing = Array.from({ length: 25 }, (_, index) => `point-${index}`);
    const words = rollbackWords({ foundAt: ago(1), missing });
    assert.match(words, /25 recovery points .*: point-0, .*point-19 and 5 more/);
  });
});

describe('what is kept of the control plane', () => {
  const points = Array.from({ length: 24 * 60 }, (_, hours): RetainedPoint => ({
    ...{ id: `p-${String(hours).padStart(5, '0')}`, kind: 'system', takenAt: ago(hours * 60) },
    ...{ storedAt: ago(hours * 60), verifiedAt: null, provenAt: null, damaged: false, held: [] },
    expiresAt: null,
  }));
  const kept = (all: RetainedPoint[], immutableDays: number | null = null) =>
    planControlPlaneRetention({ points: all, immutableDays, now: NOW })
      .filter(({ decision }) => decision === 'keep')
      .map(({ recoveryPointId }) => recoveryPointId);

  it('is a day of hours, a month of days and a year of months, the newest among them', () => {
    const ids = kept(points);
    assert.equal(ids[0], 'p-00000');
    assert.ok(ids.length >= 24 + 29 && ids.length <= 24 + 30 + 3, `${ids.length} are kept`);
  });

  it('is the newest, whatever else: damaged ones do not push it out', () => {
    const [damaged, ...older] = points;
    const whole = kept(older);
    assert.deepEqual(kept([{ ...damaged!, damaged: true }, ...older]), ['p-00000', ...whole]);
  });

  it('is what its store does not let go', () => {
    assert.equal(kept(points, 60).length, points.length);
  });
});

describe('controlPlane in the configuration', () => {
  const policies = `policies:
  - { name: daily, assets: [orders, uploads], every: 24h, repository: local }
  - { name: far, assets: [orders], every: 24h, repository: offsite }
`;
  const withKey = (key: string) => written({ policies: `${policies}controlPlane: ${key}` });

  it('says how often and where', () => {
    const { configuration, warnings } = read(withKey('{ every: 15m, repositories: [offsite] }'));
    assert.deepEqual(configuration.controlPlane, { everySeconds: 900, repositories: ['offsite'] });
    assert.deepEqual(warnings, []);
  });

  it('is not there where nothing is said, so that a document keeps its digest', () => {
    assert.ok(!('controlPlane' in read(written()).configuration));
  });

  it('may be stored nowhere, which is told', () => {
    const [warning] = read(withKey('{ repositories: [] }')).warnings;
    assert.equal(warning?.path, 'controlPlane.repositories');
    assert.match(warning.message, /nothing can be rebuilt/);
  });

  const refusals: [string, string, RegExp][] = [
    [
      'a repository that no policy uses',
      withKey('{ repositories: [offsit] }'),
      /no policy stores anything.*offsite/s,
    ],
    ['a repository named twice', withKey('{ repositories: [local, local] }'), /named twice/],
    ['a key of another name', withKey('{ evry: 1h }'), /unknown key/],
    [
      'an asset of its own name',
      written().replaceAll('orders', 'holdfast'),
      /its own recovery points under this name/,
    ],
  ];
  for (const [title, text, says] of refusals) {
    it(`refuses ${title}`, () => {
      assert.throws(
        () => read(text),
        ({ cause }: { cause: string }) => says.test(cause),
      );
    });
  }
});
