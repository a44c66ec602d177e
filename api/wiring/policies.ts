import { asking, TASK_QUEUE } from '../../client/index.ts';
import { nextRun } from '../../domain/cadence/next-run.ts';
import { scheduledRunsOf } from '../../domain/cadence/scheduled-runs.ts';
import { policyOf } from '../../domain/chosen.ts';
import type { Policy } from '../../domain/configuration/types.ts';
import { opensAt } from '../../domain/cadence/window.ts';
import { bringSchedulesInLine } from '../../schedules/bring-in-line.ts';
import type { Actor, PolicyItem, Services } from '../services.ts';
import type { Parts } from './parts.ts';

type PolicyServices = Pick<Services, 'listPolicies' | 'pausePolicy' | 'resumePolicy'>;

export function policyServices({ catalog, temporal }: Parts): PolicyServices {
  return {
    listPolicies: async () => {
      const applied = await catalog.configurations.current();
      const pauses = await catalog.policyPauses.open();
      const now = new Date();
      return (applied?.configuration.policies ?? []).map((policy) =>
        itemOf(policy, pauses.get(policy.name) ?? null, now),
      );
    },

    pausePolicy: (actor, name, reason) =>
      changed(actor, name, (own) => own.policyPauses.pause(name, reason, new Date().toISOString())),

    resumePolicy: (actor, name, reason) =>
      changed(actor, name, (own) => own.policyPauses.resume(name, reason, new Date().toISOString())),
  };

  /** The catalogue first: a run that Temporal starts before its Schedule stands still is skipped by the job itself. */
  async function changed(
    actor: Actor,
    name: string,
    change: (own: Parts['catalog']) => Promise<unknown>,
  ): Promise<PolicyItem> {
    const applied = await catalog.configurations.current();
    const policy = policyOf(applied?.configuration ?? null, name);
    const own = catalog.as(actor.name);
    await change(own);
    await asking(`bringing the Schedules of ${name} in line`, () =>
      bringSchedulesInLine(temporal, TASK_QUEUE, applied?.configuration ?? { policies: [] }, own),
    );
    return itemOf(policy, (await own.policyPauses.open()).get(name) ?? null, new Date());
  }
}

function itemOf(policy: Policy, paused: PolicyItem['paused'], now: Date): PolicyItem {
  return {
    policy: policy.name,
    assets: policy.assets,
    paused,
    runs: scheduledRunsOf(policy).map((run) => {
      const due = nextRun(run, now);
      const begins = run.window === null ? due : opensAt(run.window, due);
      return { kind: run.kind, schedule: run.id, nextRunAt: paused ? null : begins.toISOString() };
    }),
  };
}
