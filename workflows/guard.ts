// Before anything is sent: is there room, and is any of the day's upload budget left? Without room the step
// fails; without budget it waits, for days if it must, and the other assets of the site go on meanwhile.

import { patched, sleep } from '@temporalio/workflow';
import type { GuardInput, JobPlan, PointStep, SitePlan } from '../activities/contract.ts';
import { assetsOf } from './job-row.ts';
import { labelJob } from './search-attributes.ts';
import type { Lend } from './site-turn.ts';
import { failureOf, longSteps } from './steps.ts';

export async function guard(plan: JobPlan, site: SitePlan, send: GuardInput, lend: Lend): Promise<void> {
  if (!patched('guards')) return;
  let goesOnAt = await ask(site, send);
  if (goesOnAt === null) return;
  labelJob('backup', plan.policy, assetsOf(plan), 'waiting');
  while (goesOnAt !== null) {
    const until = Date.parse(goesOnAt);
    await lend(() => sleep(Math.max(SHORTEST_WAIT, until - Date.now())));
    goesOnAt = await ask(site, send);
  }
  labelJob('backup', plan.policy, assetsOf(plan), 'running');
}

/** The copies that may begin now, before those that have to wait: one budget does not hold up the others. */
export async function readyFirst(plan: JobPlan, site: SitePlan, step: PointStep): Promise<string[]> {
  if (plan.copies.length < 2 || !patched('guards')) return plan.copies;
  const ready: string[] = [];
  const waiting: string[] = [];
  for (const to of plan.copies) {
    const goesOnAt = await ask(site, copyTo(to, step)).catch((error: unknown) => {
      // It is asked again before the copy, and told then.
      failureOf(error);
      return null;
    });
    (goesOnAt === null ? ready : waiting).push(to);
  }
  return [...ready, ...waiting];
}

export function copyTo(repository: string, step: PointStep): GuardInput {
  return { ...step, repository, step: 'copy' };
}

/** The worker's clock may be a little behind Temporal's. */
const SHORTEST_WAIT = 1000;

async function ask(site: SitePlan, send: GuardInput): Promise<string | null> {
  const { asset, repository } = send;
  const steps = longSteps(site.hostQueue, `${asset} → ${repository}`);
  return (await steps.guardUpload(send)).goesOnAt;
}
