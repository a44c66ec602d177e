// Which copy of the point a restore is of. Where nobody said which, the next one serves when the nearest cannot be read.

import { isCancellation, patched, workflowInfo } from '@temporalio/workflow';
import type { RestorePlan } from '../activities/contract.ts';
import type { Failure } from '../domain/job.ts';
import type { LeaseHolder } from './lease-holder.ts';
import type { RestoreInput } from './messages.ts';
import { controlSteps, failureOf, longSteps, quickSteps } from './steps.ts';

export interface ChosenCopy {
  plan: RestorePlan;
  /** Those that were to be restored from before, and why they could not be read. */
  unread: { repository: string; message: string }[];
}

export async function stageFromAnyCopy(
  leases: LeaseHolder,
  chosen: ChosenCopy,
  input: RestoreInput,
): Promise<void> {
  for (;;) {
    const { plan } = chosen;
    const steps = longSteps(plan.hostQueue, `${plan.asset} from ${plan.repository}`);
    try {
      await leases.hold([plan.repository], 'shared', (fences) => steps.stageRestore({ ...plan, fences }));
      return;
    } catch (error) {
      await chooseNext(chosen, input, error);
      await quickSteps(chosen.plan.hostQueue, input.asset).checkRestoreTarget(chosen.plan);
    }
  }
}

/** The same point from its next copy, on the same host. Throws the error where there is none. */
async function chooseNext(chosen: ChosenCopy, input: RestoreInput, error: unknown): Promise<void> {
  const { plan } = chosen;
  const { code, message } = failureOf(error);
  if (input.from !== null || !UNREADABLE.includes(code) || !patched('next-copy')) throw error;
  const unread = [...chosen.unread, { repository: plan.repository, message }];
  const not = unread.map(({ repository }) => repository);
  let next: RestorePlan;
  try {
    next = await beginRestore(input, { point: plan.point, not, hostQueue: plan.hostQueue });
  } catch (none) {
    if (isCancellation(none)) throw none;
    throw error;
  }
  // A worker from before does not know which are left out.
  if (not.includes(next.repository)) throw error;
  Object.assign(chosen, { plan: next, unread });
}

/** What a repository answers that cannot be read from here and now. */
export const OUT_OF_REACH: readonly string[] = [
  'repository.absent',
  'repository.unreachable',
  'repository.untrusted',
  'repository.wrongPassword',
  'repository.forbidden',
  'repository.credentialsRefused',
  'secret.unresolved',
];
/** `point.unknown`: made anew after a loss, it holds nothing of what the catalogue still lists. */
const UNREADABLE: readonly string[] = [...OUT_OF_REACH, 'repository.damaged', 'point.unknown'];

export function beginRestore(
  input: RestoreInput,
  next: { point?: string; not?: string[]; hostQueue?: string } = {},
): Promise<RestorePlan> {
  return controlSteps(input.asset).beginRestore({
    restoreId: input.restoreId,
    workflowId: workflowInfo().workflowId,
    asset: input.asset,
    point: input.point,
    time: input.time,
    include: input.include,
    to: input.to,
    from: input.from,
    actor: input.actor,
    ...(input.hostQueue !== undefined && { hostQueue: input.hostQueue }),
    ...next,
  });
}

export function whereFrom({ plan, unread }: ChosenCopy): string[] {
  return unread.map(
    ({ repository, message }) =>
      `this comes from ${plan.repository}: ${repository} cannot be read (${message})`,
  );
}

/** Whoever reads why the last copy failed reads of the nearer ones, too: they may be the easier to mend. */
export function withUnread(failure: Failure, { unread }: ChosenCopy): Failure {
  const before = unread.map(
    ({ repository, message }) => `before it, ${repository} could not be read: ${message}`,
  );
  return { ...failure, cause: [failure.cause, ...before].join('; ') };
}
