import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { asFailure } from '../../activities/activity-step.ts';
import type {
  ControlActivities,
  EvidenceActivities,
  HostActivities,
  KitActivities,
  JobPlan,
  NotifyActivities,
  RestorePlan,
} from '../../activities/contract.ts';
import { drillRecordOf } from '../domain/evidence/evidence-fixture.ts';
import { HoldfastError, type FailureCode } from '../../domain/errors.ts';
import { leaseGranted } from '../../workflows/messages.ts';
import type { RestoreStatus } from '../../domain/restore.ts';

// A double of our own activities/contract.ts, for tests of the workflows: each step does at once what went
// well would do, or what the test's script says, and is written down in the order it was called.

export type Steps = ControlActivities &
  EvidenceActivities &
  HostActivities &
  KitActivities &
  NotifyActivities;
export type StepName = keyof Steps;

export type Script = {
  [Name in StepName]?: (...input: Parameters<Steps[Name]>) => ReturnType<Steps[Name]>;
};

export interface Call {
  name: StepName;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the inputs of all steps; assertions say which
  input: any;
  attempt: number;
  /** By the server's clock: when this attempt was decided on. Its backoff comes after. */
  attemptedAt: number;
  /** When the first attempt was asked for. */
  askedAt: number;
  /** Whether a cancel has reached it. */
  cancelled: boolean;
}

export const QUEUE = 'holdfast-test';

/** One activity for each step, which plays the script that belongs to its workflow. */
export function doubledSteps(playing: (workflowId: string) => { script: Script; calls: Call[] }) {
  const entries = Object.entries(wellBehaved).map(([name, behaved]) => {
    const double = async (input: unknown) => {
      const { info, cancelled } = Context.current();
      const { script, calls } = playing(info.workflowExecution?.workflowId ?? '');
      const call: Call = {
        name: name as StepName,
        input,
        attempt: info.attempt,
        attemptedAt: info.currentAttemptScheduledTimestampMs,
        askedAt: info.scheduledTimestampMs,
        cancelled: false,
      };
      calls.push(call);
      cancelled.catch(() => (call.cancelled = true));
      const act = (script[name as StepName] ?? behaved) as (input: unknown) => Promise<unknown>;
      return act(input);
    };
    return [name, double] as const;
  });
  return Object.fromEntries(entries);
}

/** The plan of a job on one site. */
export function planned(plan: Partial<JobPlan> & { assets?: string[] }): ControlActivities['beginJob'] {
  const { assets = ['orders'], ...rest } = plan;
  return async ({ jobId, policy }) => ({
    jobId,
    policy,
    configuration: 'digest',
    refused: null,
    sites: [{ site: 'local', hostQueue: QUEUE, assets }],
    repository: 'local',
    copies: [],
    proof: 'stored',
    ...rest,
  });
}

/** Fails as the real steps do, with the code in the failure's type and the contract in its details. */
export function failWith(code: FailureCode): never {
  throw asFailure(
    new HoldfastError({ code, message: `the step met ${code}`, cause: 'as scripted', hint: 'none' }),
    'a step',
  );
}

/** As `failWith`, without the activity's own word on retrying: what the workflow says of the code decides. */
export function failUndecided(code: FailureCode): never {
  throw ApplicationFailure.create({ type: code, message: code, nonRetryable: false });
}

/** Fails as if the catalogue was away, until it has been that long by the server's clock. */
export function awayFor(seconds: number): void {
  const { scheduledTimestampMs, currentAttemptScheduledTimestampMs } = Context.current().info;
  if (currentAttemptScheduledTimestampMs - scheduledTimestampMs < seconds * 1000) {
    failWith('catalog.unreachable');
  }
}

/** Works until it is cancelled, as a tool that is being run does. */
export function untilCancelled(): Promise<never> {
  return beating(() => Context.current().cancelled);
}

/** Works until it is cancelled and then fails, as with a tool that does not take being stopped well. */
export async function untilStopped(): Promise<never> {
  await untilCancelled().catch(() => undefined);
  // One that is not retried: this server goes on retrying after a cancel.
  return failWith('source.unreadable');
}

/** A step that works on, deaf to a cancel, until the test opens the gate. */
export function gate() {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, wait: () => beating(() => opened) };
}

async function beating<T>(work: () => Promise<T>): Promise<T> {
  const context = Context.current();
  const beat = setInterval(() => context.heartbeat(), 100);
  try {
    return await work();
  } finally {
    clearInterval(beat);
  }
}

/** A call in a few words: the step, and what tells it from its like. */
export function wordsOf({ name, input }: Call): string {
  const what: (string | undefined)[] = [];
  if (name === 'runHooks') what.push(input.when);
  if (name === 'runRestoreCommands') what.push(input.which);
  if (name === 'copyPoint') what.push(input.to);
  if (name === 'guardUpload') what.push(input.repository);
  if (name === 'jobWaits') what.push(input.waits ? 'for' : 'no more for', input.repository);
  if (['planRetention', 'forgetPlanned', 'pruneRepository', 'checkRepository'].includes(name))
    what.push(input.repository);
  if (name === 'verifyPoints' || name === 'provePoint') what.push(input.repository);
  if (name === 'readGroup') what.push(input.repository, `${input.group}/${input.groups}`);
  if (name === 'endReadingCycle') what.push(input.repository);
  if (name === 'endAsset') what.push(input.asset, input.outcome.status);
  if (name === 'endJob' || name === 'restoreStatus') what.push(input.status satisfies RestoreStatus);
  return [name, ...what].join(' ');
}

/** What a restore of `orders` from `local` is told to do, but for these changes. */
export function plannedRestore(changes: Partial<RestorePlan>): ControlActivities['beginRestore'] {
  return async ({ restoreId, asset, include, to }) => ({
    ...{
      restoreId,
      asset,
      include,
      to,
      configuration: 'digest',
      point: 'point-1',
      hostQueue: QUEUE,
      bytes: 1000,
    },
    ...{ repository: 'local', safetyRepository: 'local', ...changes },
  });
}

/** The lease is free: whoever asks has it at once. */
export const granted: ControlActivities['askForLease'] = async ({ repository, key, holder }) => {
  const handle = Context.current().client.workflow.getHandle(holder);
  await handle.signal(leaseGranted, { repository, key, fence: 1 });
};

/** What keeps the queues of repositories going, and is no step of a pipeline. */
export const leaseSteps: readonly StepName[] = [
  'askForLease',
  'recordLease',
  'leaseHolderRuns',
  'leaseWithdrawn',
  'needsRepair',
];

const nothing = async () => undefined;

const wellBehaved: Required<Script> = {
  beginJob: planned({}),
  beginAsset: nothing,
  endAsset: nothing,
  endJob: nothing,
  beginDrill: async ({ drillId, drill, actor, gameDay }) => ({
    ...{ drillId, drill, actor, configuration: 'digest', repository: 'offsite' },
    hostQueue: QUEUE,
    record: drillRecordOf(),
    ...(gameDay && { gameDay: { noticeSeconds: 60, backSeconds: 60 } }),
  }),
  recordEvidence: async () => ({ sequence: 1, outcome: 'passed', digest: 'digest', path: '/evidence' }),
  orderRestore: async ({ asset }) => `of-${asset}`,
  watchService: async ({ since }) => ({ seen: true, at: since, words: 'as scripted' }),
  takeGameDayPoint: async ({ safetyPoint }) => safetyPoint,
  takeDown: async () => {
    const at = new Date().toISOString();
    return { failure: null, interrupted: false, endedAt: at, commands: [], tools: [] };
  },
  holdDrill: async ({ record }) => record,
  clearDrill: nothing,
  endDrill: async ({ record, error }) => (error ? 'failed' : record ? 'success' : 'cancelled'),
  beginControlPlane: async ({ jobId, repository }) => ({
    ...{ jobId, repository, refused: null, configuration: 'digest' },
    ...{ asset: 'holdfast', point: 'point-1', hostQueue: QUEUE },
  }),
  storeControlPlane: async ({ point }) => ({ point }),
  pointsToVerify: async () => [],
  planSync: async () => [],
  planVerification: async () => ({ repositories: [], rehearsals: [] }),
  beginRestore: plannedRestore({}),
  restoreStatus: nothing,
  beginRemoval: nothing,
  hostOf: async () => QUEUE,
  testChannels: async () => [],
  writeKit: async ({ kitId, folder, actor }) => ({
    ...{
      id: kitId,
      writtenAt: '2026-11-20T02:00:00.000Z',
      writtenBy: actor,
      digest: 'd1',
      sealedDigest: 's1',
    },
    ...{ configuration: 'digest', folder: folder ?? '/kit', sealedFor: ['age1…'] },
    ...{ confirmedAt: null, confirmedBy: null, outdatedAt: null },
  }),
  askForLease: granted,
  recordLease: async ({ after }) => after + 1,
  leaseHolderRuns: async () => true,
  leaseWithdrawn: nothing,
  jobWaits: nothing,

  planRetention: async () => ({ there: true, leftovers: [] }),
  forgetPlanned: nothing,
  pruneRepository: async () => ({ freedBytes: 100, remainingBytes: 900 }),
  checkRepository: nothing,

  needsRepair: async () => false,
  repairRepository: nothing,
  preflightAsset: nothing,
  guardUpload: async () => ({ goesOnAt: null }),
  runHooks: nothing,
  snapshotAsset: async () => ({ bytes: 1000, addedBytes: 100, partial: null }),
  copyPoint: nothing,
  clearDamagedCopy: nothing,
  verifyPoints: nothing,
  readGroup: async () => ({ failure: null, assets: [] }),
  endReadingCycle: nothing,
  provePoint: nothing,

  checkRestoreTarget: nothing,
  stageRestore: nothing,
  validateRestore: async () => ({ ok: true, checks: [] }),
  previewRestore: async () => ({
    impact: { files: null, tables: null, bytes: 1000, stops: [], starts: [], warnings: [] },
    estimateSeconds: 12,
  }),
  repairForSafety: nothing,
  takeSafetyPoint: async ({ safetyPoint }) => safetyPoint,
  runRestoreCommands: nothing,
  swapRestore: nothing,
  checkHealth: nothing,
  undoRestore: nothing,
  settleRestore: nothing,
  releaseRestore: nothing,

  removeCopy: nothing,
  listFiles: async () => [],
  adoptSnapshots: async () => [],
};
