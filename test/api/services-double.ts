// A double of our own interface `Services`, in memory: it lets the API and the command line be tested without
// Temporal, PostgreSQL or an engine. What it does with a request is as plain as can be; every call is kept.

import { HoldfastError } from '../../domain/errors.ts';
import type { Job, JobEvent } from '../../domain/job.ts';
import type { Restore } from '../../domain/restore.ts';
import type { Incident } from '../../domain/incidents/condition.ts';
import type { VerificationPlan } from '../../domain/verification/policy-plan.ts';
import type {
  ChannelTest,
  HistoryCheck,
  IdempotencyKey,
  ListedPoint,
  Once,
  PolicyItem,
  RetentionPlan,
  Services,
  StatusReport,
} from '../../api/services.ts';
import { controlPlaneDouble } from './control-plane-double.ts';
import { drillsDouble } from './drills-double.ts';
import { evidenceDouble } from './evidence-double.ts';
import { kitDouble } from './kit-double.ts';

export interface ServicesDouble extends Services {
  calls: { name: string; arguments: unknown[] }[];
  jobs: Map<string, Job>;
  events: Map<string, JobEvent[]>;
  points: ListedPoint[];
  restores: Map<string, Restore>;
  report: StatusReport;
  incidents: Incident[];
  tests: ChannelTest[];
  auditOk: boolean;
  histories: HistoryCheck[];
  retention: RetentionPlan;
  /** What a started job becomes when it has been looked at this often. */
  ending: { after: number; job: Partial<Job> };
}

export function servicesDouble(): ServicesDouble {
  const looks = new Map<string, number>();
  const keys = new Map<string, { request: string; id: string }>();

  function once<Answer>(
    key: IdempotencyKey | null,
    find: (id: string) => Answer,
    start: () => { id: string; answer: Answer },
  ): Once<Answer> {
    const known = key && keys.get(key.key);
    if (known && known.request !== key.request) {
      throw new HoldfastError({
        code: 'request.conflict',
        message: `the idempotency key ${key.key} was refused`,
        cause: 'it was used for another request',
        hint: 'use a new key for a new request',
      });
    }
    if (known) return { answer: find(known.id), repeated: true };
    const { id, answer } = start();
    if (key) keys.set(key.key, { request: key.request, id });
    return { answer, repeated: false };
  }

  const plain: ServicesDouble = {
    ...controlPlaneDouble(),
    ...drillsDouble(),
    ...evidenceDouble(),
    ...kitDouble(),
    calls: [],
    jobs: new Map(),
    events: new Map(),
    points: [],
    restores: new Map(),
    report: { assets: [], sites: [], repositories: [], channels: [], incidents: { open: 0, critical: 0 } },
    incidents: [sampleIncident],
    tests: [],
    auditOk: true,
    histories: [],
    retention: { decisions: [], anomalies: [] },
    ending: { after: 2, job: { status: 'success' } },

    health: async () => ({ parts: [{ name: 'catalog', ok: true }] }),
    status: async () => double.report,
    jobCounts: async () => [{ type: 'backup', status: 'success', count: 24 }],

    startBackup: async (_actor, request, key) => {
      if (request.policy === 'absent') throw unknown(`policy ${request.policy}`);
      return once(
        key,
        (id) => found(double.jobs, id),
        () => {
          const job = sampleJob(`job-${double.jobs.size + 1}`, {
            policy: request.policy,
            status: 'running',
            endedAt: null,
            tags: request.tags ?? [],
          });
          double.jobs.set(job.id, job);
          double.events.set(job.id, [sampleEvent(1, 'snapshot'), sampleEvent(2, 'verify')]);
          return { id: job.id, answer: job };
        },
      );
    },
    startVerification: async (actor, request, key) => {
      const started = await plain.startBackup(actor, { policy: request.policy, assets: [] }, key);
      const answer = { ...started.answer, type: 'verify' as const };
      double.jobs.set(answer.id, answer);
      return { ...started, answer };
    },
    planVerification: async (policy) => {
      if (policy === 'absent') throw unknown(`policy ${policy}`);
      return samplePlan(policy);
    },
    retentionPlan: async (policy) => {
      if (policy === 'absent') throw unknown(`policy ${policy}`);
      return double.retention;
    },
    startRetention: async (actor, request, key) => {
      const started = await plain.startBackup(actor, { policy: request.policy, assets: [] }, key);
      const answer = { ...started.answer, type: 'retention' as const };
      double.jobs.set(answer.id, answer);
      return { ...started, answer };
    },
    listCopies: async () => [],
    startSync: async (actor, { policy, repository }, key) => {
      const started = await plain.startBackup(actor, { policy, assets: [] }, key);
      const answer = { ...started.answer, type: 'sync' as const, repository };
      double.jobs.set(answer.id, answer);
      return { ...started, answer };
    },
    listJobs: async () => ({ items: [...double.jobs.values()].reverse(), next: null }),
    getJob: async (id) => {
      const job = found(double.jobs, id);
      const look = (looks.get(id) ?? 0) + 1;
      looks.set(id, look);
      if (job.status !== 'running' || look < double.ending.after) return job;
      const ended: Job = { ...job, endedAt: '2026-11-20T10:00:09.000Z', ...double.ending.job };
      double.jobs.set(id, ended);
      return ended;
    },
    jobEvents: async (id, { after, limit }) => {
      const all = (double.events.get(id) ?? []).filter(({ sequence }) => sequence > after);
      const items = all.slice(0, limit);
      return { items, next: all.length > limit ? (items.at(-1)?.sequence ?? null) : null };
    },
    cancelJob: async (_actor, id) => {
      const job: Job = {
        ...found(double.jobs, id),
        status: 'cancelled',
        endedAt: '2026-11-20T10:00:05.000Z',
      };
      double.jobs.set(id, job);
      return job;
    },

    listPoints: async ({ asset, kind }) => ({
      items: double.points.filter(
        (point) => (!asset || point.asset === asset) && point.kind === (kind ?? 'regular'),
      ),
      next: null,
    }),
    getPoint: async (id) => {
      const point = double.points.find((each) => each.id === id);
      if (!point) throw unknown(`recovery point ${id}`, 'point.unknown');
      return point;
    },
    listPointFiles: async (_actor, id, path) => {
      await plain.getPoint(id);
      return [
        {
          path: `${path.replace(/\/$/, '')}/a file`,
          type: 'file',
          size: 12,
          modifiedAt: '2026-11-19T08:00:00.000Z',
        },
      ];
    },
    importSnapshots: async (_actor, { asset }) => [samplePoint('imported', { asset })],

    holdPoint: async (actor, id, { kind, owner, reason }) => {
      const point = await plain.getPoint(id);
      const placedAt = '2026-11-20T10:00:00.000Z';
      point.holds.push({
        ...{ pointId: id, kind, reason, placedAt },
        owner: owner ?? actor.name,
        placedBy: actor.name,
      });
      return point;
    },
    releasePoint: async (_actor, id) => {
      const point = await plain.getPoint(id);
      point.holds = [];
      return point;
    },
    removePoint: async (_actor, id, { confirm }) => {
      const { asset, takenAt, copies, holds } = await plain.getPoint(id);
      const plan = {
        point: id,
        asset,
        takenAt,
        goes: copies.map(({ repository, parts }) => ({
          repository,
          snapshots: parts.map((part) => part.snapshotId),
        })),
        stays: [],
        pointGoes: true,
        warnings: [`it is the newest point of ${asset}`],
        refusals: holds.map(({ owner, reason }) => `it is held for ${owner}: ${reason}`),
      };
      if (confirm) double.points.splice(0, double.points.length);
      return { plan, removed: confirm };
    },

    prepareRestore: async (_actor, request, key) =>
      once(
        key,
        (id) => found(double.restores, id),
        () => {
          const restore = sampleRestore(`r-${double.restores.size + 1}`, {
            asset: request.asset,
            status: 'preparing',
            include: request.include,
          });
          double.restores.set(restore.id, restore);
          return { id: restore.id, answer: restore };
        },
      ),
    commitRestore: async (_actor, id) => change(double.restores, id, { status: 'committing' }),
    cancelRestore: async (_actor, id) => change(double.restores, id, { status: 'cancelled' }),
    getRestore: async (id) => {
      const { status } = found(double.restores, id);
      if (status === 'preparing') return change(double.restores, id, { status: 'prepared' });
      if (status === 'committing') {
        return change(double.restores, id, {
          status: 'completed',
          measuredSeconds: 8,
          safetyPointId: 'safety-1',
        });
      }
      return found(double.restores, id);
    },
    listRestores: async () => ({ items: [...double.restores.values()].reverse(), next: null }),

    applyConfiguration: async (_actor, { dryRun }) => ({
      digest: 'd'.repeat(64),
      changed: true,
      dryRun,
      assets: { added: ['uploads'], changed: [], removed: [] },
      policies: { added: ['critical'], changed: [], removed: [] },
      repositories: { added: [], changed: [], removed: [] },
      schedules: { added: ['backup/critical'], changed: [], removed: [] },
      renamed: { assets: [], policies: [] },
      warnings: [],
    }),
    currentConfiguration: async () => null,

    listPolicies: async () => [samplePolicy(null)],
    pausePolicy: async (actor, policy, reason) => ({
      ...samplePolicy({ since: '2026-11-20T10:00:00.000Z', by: actor.name, reason }),
      policy,
    }),
    resumePolicy: async (_actor, policy) => ({ ...samplePolicy(null), policy }),
    listIncidents: async ({ all }) => ({
      items: double.incidents.filter(({ resolvedAt }) => all || resolvedAt === null),
      next: null,
    }),
    testChannels: async (_actor, channel) =>
      double.tests.filter((test) => channel === null || test.channel === channel),

    listAudit: async () => ({ items: [sampleAuditEvent], next: null }),
    exportAudit: async function* () {
      yield sampleAuditEvent;
    },
    jobHistory: async (id) => sampleHistory(`job/${found(double.jobs, id).id}`),
    checkHistories: async () => ({ whole: 0, elsewhere: 0, problems: double.histories }),
    auditKey: () => ({ keyId: 'k1', publicKey: 'AAAA' }),
    rotateAuditKey: async () => ({ keyId: 'k2', publicKey: 'BBBB' }),
    verifyAudit: async () => ({
      ok: double.auditOk,
      events: 1,
      head: { sequence: 1, digest: 'a'.repeat(64) },
      problem: double.auditOk ? null : { sequence: 1, what: 'event 1 was edited' },
    }),
  };

  const double = new Proxy(plain, {
    get(target, property, receiver) {
      const value: unknown = Reflect.get(target, property, receiver);
      if (typeof value !== 'function' || typeof property !== 'string') return value;
      return (...given: unknown[]) => {
        target.calls.push({ name: property, arguments: given });
        return (value as (...words: unknown[]) => unknown)(...given);
      };
    },
  });
  return double;
}

function samplePolicy(paused: PolicyItem['paused']): PolicyItem {
  const nextRunAt = paused ? null : '2026-11-21T02:00:00.000Z';
  return {
    policy: 'critical',
    assets: ['orders'],
    paused,
    runs: [{ kind: 'backup', schedule: 'backup/critical', nextRunAt }],
  };
}

export function samplePlan(policy: string): VerificationPlan {
  const due = (group: number, reason: 'late' | 'share') => ({
    group,
    reason,
    unreadSince: '2026-11-01T02:00:00.000Z',
  });
  return {
    policy,
    at: '2026-11-20T10:00:00.000Z',
    repositories: [
      {
        repository: 'local',
        groups: 20,
        withinSeconds: 1_555_200,
        due: [due(3, 'late'), due(4, 'share')],
        unreadSince: '2026-11-01T02:00:00.000Z',
      },
      { repository: 'offsite', groups: 20, withinSeconds: 1_555_200, due: [], unreadSince: null },
    ],
    rehearsals: [{ asset: 'orders', lastProvenAt: null, limitSeconds: 604_800 }],
  };
}

export function sampleHistory(subject: string, change: Partial<HistoryCheck> = {}): HistoryCheck {
  return {
    subject,
    state: 'whole',
    workflowId: 'backup/critical-1',
    at: '2026-11-20T10:00:09.000Z',
    digest: 'a'.repeat(64),
    bytes: 1000,
    runs: ['run-1'],
    host: 'host',
    path: '/var/lib/holdfast/histories/1.json.gz',
    ...change,
  };
}

export function sampleJob(id: string, change: Partial<Job> = {}): Job {
  return {
    id,
    workflowId: `backup/critical-${id}`,
    type: 'backup',
    policy: 'critical',
    trigger: 'manual',
    status: 'success',
    startedAt: '2026-11-20T10:00:00.000Z',
    endedAt: '2026-11-20T10:00:09.000Z',
    tags: [],
    assets: [
      {
        asset: 'uploads',
        status: 'success',
        recoveryPointId: 'point-1',
        proof: 'verified',
        error: null,
        notes: [],
        progress: null,
      },
    ],
    error: null,
    repository: null,
    ...change,
  };
}

export function samplePoint(id: string, change: Partial<ListedPoint> = {}): ListedPoint {
  return {
    id,
    asset: 'uploads',
    assetType: 'directory',
    policy: 'critical',
    jobId: 'job-1',
    kind: 'regular',
    takenAt: '2026-11-20T10:00:02.000Z',
    method: 'files',
    proof: 'verified',
    partial: null,
    tags: [],
    bytes: 3_000_000,
    addedBytes: 1_200_000,
    copies: [
      {
        repository: 'local',
        artifactId: 'abcdef12',
        parts: [{ name: 'files', snapshotId: 'abcdef12', path: '/srv/uploads' }],
        storedAt: '2026-11-20T10:00:04.000Z',
        verifiedAt: '2026-11-20T10:00:06.000Z',
        provenAt: null,
        damagedAt: null,
      },
    ],
    manifest: null,
    orphaned: false,
    holds: [],
    ...change,
  };
}

export function sampleRestore(id: string, change: Partial<Restore> = {}): Restore {
  return {
    id,
    asset: 'uploads',
    point: 'point-1',
    pointTakenAt: '2026-11-20T10:00:02.000Z',
    repository: 'local',
    target: '/srv/uploads',
    include: [],
    status: 'prepared',
    validation: { ok: true, checks: [{ name: 'digest', ok: true, detail: 'equal' }] },
    impact: {
      files: {
        added: { count: 1204, bytes: 2_000_000_000, examples: ['a'] },
        changed: { count: 31, bytes: 200_000, examples: ['b'] },
        removed: { count: 12, bytes: 3000, examples: ['c'] },
      },
      tables: null,
      bytes: 2_000_203_000,
      stops: ['systemctl stop shop'],
      starts: ['systemctl start shop'],
      warnings: [],
    },
    estimateSeconds: 200,
    measuredSeconds: null,
    safetyPointId: null,
    expiresAt: '2026-11-21T10:00:00.000Z',
    createdAt: '2026-11-20T10:00:00.000Z',
    endedAt: null,
    error: null,
    ...change,
  };
}

export const sampleIncident: Incident = {
  id: 'i-1',
  key: 'policy/critical/overdue',
  topic: 'failure',
  severity: 'critical',
  policies: ['critical'],
  asset: null,
  title: 'policy critical is overdue: no backup of it has started',
  reason: 'the last one started 3 d ago',
  next: '`holdfast backup run critical`',
  openedAt: '2026-11-20T10:00:00.000Z',
  lastSeenAt: '2026-11-20T10:00:00.000Z',
  resolvedAt: null,
};

const sampleAuditEvent = {
  sequence: 1,
  at: '2026-11-20T10:00:00.000Z',
  actor: 'cli',
  action: 'job.begun',
  subject: 'job/job-1',
  details: {},
  previous: '0'.repeat(64),
  digest: 'a'.repeat(64),
};

function sampleEvent(sequence: number, step: string): JobEvent {
  return {
    sequence,
    at: '2026-11-20T10:00:01.000Z',
    level: 'info',
    asset: 'uploads',
    step,
    message: `${step} of uploads done`,
  };
}

function found<Item>(items: Map<string, Item>, id: string): Item {
  const item = items.get(id);
  if (!item) throw unknown(id);
  return item;
}

function change<Item>(items: Map<string, Item>, id: string, by: Partial<Item>): Item {
  const item = { ...found(items, id), ...by };
  items.set(id, item);
  return item;
}

function unknown(what: string, code: 'notFound' | 'point.unknown' = 'notFound'): HoldfastError {
  return new HoldfastError({
    code,
    message: `looking for ${what} failed`,
    cause: 'there is none',
    hint: 'see the lists',
  });
}
