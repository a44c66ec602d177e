import type { RestoreInput } from '../../workflows/messages.ts';
import { askForLease, cancel, commit, leaseGranted } from '../../workflows/messages.ts';
import { failWith, planned, plannedRestore, untilCancelled, type Script } from '../workflows/steps-double.ts';
import { until, type Run } from '../workflows/time-skipping.ts';

/** A path through a workflow whose history is kept under `histories/<name>.json`. */
export interface Recording {
  name: string;
  workflow: string;
  input: unknown;
  script: Script;
  /** What people do meanwhile. */
  drive?(run: Run): Promise<void>;
}

const backup = { policy: 'critical', jobId: 'job-1', trigger: 'manual', actor: 'tester' };
const verify = { policy: 'critical', jobId: 'job-2', actor: 'tester', points: [], all: true };
const restore: RestoreInput = {
  restoreId: 'r-1',
  asset: 'orders',
  point: 'latest',
  time: null,
  include: [],
  to: null,
  from: null,
  actor: 'tester',
  expirySeconds: 3600,
};

const controlPlane = { repository: 'offsite', jobId: 'job-5', trigger: 'manual', actor: 'tester' };
const drill = { drill: 'quarterly', drillId: 'drill-1', trigger: 'manual', actor: 'tester' };
const gameDay = { drill: 'quarterly', drillId: 'drill-2', actor: 'tester' };
const retention = { policy: 'critical', jobId: 'job-3', trigger: 'manual', actor: 'tester', confirm: false };
const leaseAfterAWhile: Script['askForLease'] = async () => undefined;
const keyOf = (run: Run): string => run.of('askForLease')[0]?.input.key as string;

const whenPrepared = async (run: Run, decide: (run: Run) => Promise<unknown>) => {
  await until('it is prepared', async () => (await run.phase()) === 'prepared');
  await decide(run);
};
const committed = (run: Run) => whenPrepared(run, () => run.handle.executeUpdate(commit));
const threeAssets = planned({ assets: ['orders', 'sales', 'uploads'], copies: ['offsite'], proof: 'proven' });
const targets: Script['pointsToVerify'] = async () =>
  ['local', 'offsite'].map((repository) => ({
    asset: 'orders',
    repository,
    points: ['point-2', 'point-1'],
    rehearse: repository === 'offsite' ? 'point-2' : null,
  }));

/** One point arrives, the next waits for the day's budget first. */
function syncOfTwo(): Script {
  const left = ['new', 'old'];
  let waited = false;
  return {
    planSync: async () => left.map((point) => ({ asset: 'orders', point })),
    copyPoint: async ({ point }) => void left.splice(left.indexOf(point), 1),
    guardUpload: async ({ point }) => {
      if (point !== 'old' || waited) return { goesOnAt: null };
      waited = true;
      return { goesOnAt: new Date(Date.now() + 60_000).toISOString() };
    },
  };
}

export const recordings: Recording[] = [
  { name: 'backup-success', workflow: 'backup', input: backup, script: { beginJob: threeAssets } },
  {
    name: 'backup-warning',
    workflow: 'backup',
    input: backup,
    script: {
      beginJob: threeAssets,
      snapshotAsset: async ({ asset }) =>
        asset === 'sales' ? failWith('source.invalid') : { bytes: 1, addedBytes: 1, partial: null },
    },
  },
  {
    name: 'backup-cancelled',
    workflow: 'backup',
    input: backup,
    script: { beginJob: threeAssets, snapshotAsset: untilCancelled },
    drive: async (run) => {
      await until('the snapshot runs', () => run.of('snapshotAsset').length > 0);
      await run.cancel();
    },
  },
  { name: 'verify-success', workflow: 'verify', input: verify, script: { pointsToVerify: targets } },
  {
    name: 'verify-damaged',
    workflow: 'verify',
    input: verify,
    script: {
      pointsToVerify: targets,
      verifyPoints: async ({ repository }) =>
        repository === 'local' ? failWith('repository.damaged') : undefined,
    },
  },
  {
    name: 'sync-waited-for-its-budget',
    workflow: 'sync',
    input: { policy: 'critical', repository: 'offsite', jobId: 'job-4' },
    script: syncOfTwo(),
  },
  {
    name: 'verify-cadence',
    workflow: 'verifyCadence',
    input: { policy: 'critical', jobId: 'job-3', trigger: 'schedule', actor: 'schedule' },
    script: {
      beginJob: planned({ assets: ['orders', 'uploads'] }),
      planVerification: async () => ({
        repositories: ['local', 'offsite'].map((repository) => ({
          repository,
          groups: 20,
          readings: [
            { group: 3, groups: 20 },
            { group: 4, groups: 20 },
          ],
        })),
        rehearsals: [{ asset: 'orders', point: 'point-2', repository: 'offsite' }],
      }),
      readGroup: async ({ repository, group }) => ({
        failure:
          repository === 'local' && group === 3
            ? { code: 'repository.damaged', message: 'damaged', cause: 'a pack', hint: 'none' }
            : null,
        assets: repository === 'local' && group === 3 ? ['uploads'] : [],
      }),
    },
  },
  { name: 'restore-completed', workflow: 'restore', input: restore, script: {}, drive: committed },
  {
    name: 'restore-rolled-back',
    workflow: 'restore',
    input: restore,
    script: { checkHealth: async () => failWith('health.failed') },
    drive: committed,
  },
  {
    name: 'restore-refused',
    workflow: 'restore',
    input: restore,
    script: {
      validateRestore: async () => ({
        ok: false,
        checks: [{ name: 'digest', ok: false, detail: 'differs' }],
      }),
    },
  },
  { name: 'restore-expired', workflow: 'restore', input: restore, script: {} },
  {
    name: 'restore-cancelled',
    workflow: 'restore',
    input: restore,
    script: {},
    drive: (run) => whenPrepared(run, () => run.handle.executeUpdate(cancel)),
  },
  {
    name: 'restore-cancelled-while-preparing',
    workflow: 'restore',
    input: restore,
    script: { stageRestore: untilCancelled },
    drive: async (run) => {
      await until('it stages', () => run.of('stageRestore').length > 0);
      await run.handle.executeUpdate(cancel);
    },
  },
  {
    name: 'look',
    workflow: 'look',
    input: { point: 'point-1', path: '/' },
    script: {},
  },
  {
    name: 'adopt',
    workflow: 'adopt',
    input: { asset: 'orders', repository: 'old', snapshots: [], actor: 'tester' },
    script: { adoptSnapshots: async () => ['point-1'] },
  },
  {
    name: 'remove-point',
    workflow: 'removePoint',
    input: { point: 'point-1', repositories: ['local', 'offsite'], reason: 'mistaken', actor: 'tester' },
    script: {},
  },
  {
    name: 'export-kit',
    workflow: 'exportKit',
    input: {
      ...{
        kitId: 'kit-1',
        folder: '/kit',
        recipients: [],
        passphraseFile: null,
        asked: true,
        actor: 'tester',
      },
    },
    script: {},
  },
  { name: 'notify-test', workflow: 'notifyTest', input: { channel: null, actor: 'tester' }, script: {} },
  {
    name: 'backup-leased',
    workflow: 'backup',
    input: backup,
    script: { beginJob: threeAssets },
  },
  {
    name: 'verify-leased',
    workflow: 'verify',
    input: verify,
    script: { pointsToVerify: targets },
  },
  { name: 'restore-leased', workflow: 'restore', input: restore, script: {}, drive: committed },
  { name: 'restore-safety-leased', workflow: 'restore', input: restore, script: {}, drive: committed },
  {
    name: 'restore-safety-elsewhere',
    workflow: 'restore',
    input: restore,
    script: {
      beginRestore: plannedRestore({ safetyRepository: 'gone' }),
      takeSafetyPoint: async ({ safetyRepository, safetyPoint }) =>
        safetyRepository === 'gone' ? failWith('repository.absent') : safetyPoint,
    },
    drive: committed,
  },
  {
    name: 'restore-next-copy',
    workflow: 'restore',
    input: restore,
    script: {
      beginRestore: async (asked) => plannedRestore({ repository: asked.not ? 'offsite' : 'local' })(asked),
      stageRestore: async ({ repository }) =>
        repository === 'local' ? failWith('repository.absent') : undefined,
    },
    drive: committed,
  },
  {
    name: 'restore-safety-repaired',
    workflow: 'restore',
    input: restore,
    script: { needsRepair: async () => true },
    drive: committed,
  },
  {
    name: 'retention-success',
    workflow: 'retention',
    input: retention,
    script: { beginJob: planned({ assets: ['orders', 'uploads'], copies: ['offsite'] }) },
  },
  {
    name: 'retention-refused',
    workflow: 'retention',
    input: retention,
    script: { planRetention: async () => failWith('retention.dropsTooMuch') },
  },
  {
    name: 'retention-waited',
    workflow: 'retention',
    input: retention,
    script: { askForLease: leaseAfterAWhile },
    drive: async (run) => {
      await until('it is shown as waiting', () => run.of('jobWaits').length > 0);
      await run.handle.signal(leaseGranted, { repository: 'local', key: keyOf(run), fence: 1 });
    },
  },
  { name: 'control-plane-stored', workflow: 'backupControlPlane', input: controlPlane, script: {} },
  {
    name: 'control-plane-failed',
    workflow: 'backupControlPlane',
    input: controlPlane,
    script: { needsRepair: async () => true, storeControlPlane: async () => failWith('staging.full') },
  },
  { name: 'drill-success', workflow: 'drill', input: drill, script: {} },
  {
    name: 'drill-lost',
    workflow: 'drill',
    input: drill,
    script: { holdDrill: async () => failWith('source.unreadable') },
  },
  { name: 'game-day', workflow: 'gameDay', input: gameDay, script: {} },
  {
    name: 'game-day-not-taken-down',
    workflow: 'gameDay',
    input: gameDay,
    script: {
      takeDown: async () => {
        const at = new Date().toISOString();
        const failure = { code: 'hook.failed', message: 'it failed', cause: 'as scripted', hint: 'none' };
        return { failure, interrupted: false, endedAt: at, commands: [], tools: [] };
      },
    },
  },
  {
    name: 'restore-at-once',
    workflow: 'restore',
    input: { ...restore, commitAtOnce: true },
    script: {},
  },
  {
    name: 'lease',
    workflow: 'lease',
    input: { repository: 'local' },
    script: { leaseHolderRuns: async () => false },
    drive: async (run) => {
      // Nobody of these is there: each grant is taken back as soon as its holder cannot be told.
      for (const key of ['one', 'two']) {
        const mode = key === 'one' ? 'shared' : 'exclusive';
        await run.handle.signal(askForLease, { key, holder: `backup/${key}`, mode });
      }
      await until('both were granted', () => run.of('recordLease').length === 2);
    },
  },
];
