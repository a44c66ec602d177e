import { formatDuration } from '../domain/duration.ts';
import type { DueGroup, ReadingPlan } from '../domain/verification/plan.ts';
import type { DueRehearsal, VerificationPlan } from '../domain/verification/policy-plan.ts';
import { when } from './when.ts';

export interface OldestUnread {
  since: string;
  seconds: number;
  limitSeconds: number;
}

/** One for each repository that a cadence reads; one that is over its time says so among the places that are not ok. */
export function unreadLines(
  repositories: readonly { name: string; oldestUnread: OldestUnread | null }[],
  now: Date,
): string[] {
  return repositories.flatMap(({ name, oldestUnread }) => {
    if (oldestUnread === null) return [];
    const { since, limitSeconds } = oldestUnread;
    return [`${name}: oldest unread ${when(since, now)}, to be read within ${formatDuration(limitSeconds)}`];
  });
}

export function verificationText(plan: VerificationPlan): string {
  const now = new Date(plan.at);
  const lines = [
    ...plan.repositories.flatMap((one) => repositoryLines(one, now)),
    ...plan.rehearsals.map((one) => rehearsalLine(one, now)),
  ];
  const due = plan.rehearsals.length > 0 || plan.repositories.some((one) => one.due.length > 0);
  const next = due ? `run it now with \`holdfast verify run ${plan.policy} --due\`` : 'nothing is due now';
  return [...lines, next].join('\n');
}

function repositoryLines(
  { repository, groups, withinSeconds, due, unreadSince }: ReadingPlan,
  now: Date,
): string[] {
  if (unreadSince === null) return [`${repository}: nothing is stored in it yet`];
  const oldest = `oldest unread ${when(unreadSince, now)}, everything is to be read within ${formatDuration(withinSeconds)}`;
  const head = `${repository}: ${due.length} of ${groups} groups due; ${oldest}`;
  return [
    head,
    ...due.map((one) => `  group ${one.group}: ${whyOf(one)}, not read since ${when(one.unreadSince, now)}`),
  ];
}

function whyOf({ reason }: DueGroup): string {
  const words = {
    late: 'its time is over',
    last: 'its time would be over if the next run failed',
    share: 'its turn',
    damaged: 'damage was found in it',
  };
  return words[reason];
}

function rehearsalLine({ asset, lastProvenAt, limitSeconds }: DueRehearsal, now: Date): string {
  const last = lastProvenAt === null ? 'never proven yet' : `last proven ${when(lastProvenAt, now)}`;
  return `rehearse ${asset}: ${last}, asked for every ${formatDuration(limitSeconds)}`;
}
