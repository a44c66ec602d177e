// Policies whose Schedules a person stopped for a while, with who and why.

import { HoldfastError } from '../domain/errors.ts';
import type { Database } from './database.ts';
import { countMissedUntil } from './missed-runs.ts';

export interface PolicyPauses {
  /** Pausing a paused policy again changes nothing: the first reason stands. */
  pause(policy: string, reason: string, at: string): Promise<PolicyPause>;
  /** `request.conflict` when it is not paused. */
  resume(policy: string, reason: string, at: string): Promise<void>;
  /** Those that are paused now, by policy. */
  open(): Promise<Map<string, PolicyPause>>;
  /** By policy: when it was last resumed. */
  lastResumed(): Promise<Map<string, string>>;
}

export interface PolicyPause {
  since: string;
  by: string;
  reason: string;
}

export function policyPauses(database: Database): PolicyPauses {
  return {
    pause: (policy, reason, at) =>
      database.write(`pausing policy ${policy}`, async ({ query, audit }) => {
        const before = await query(
          'select from policy_pauses where policy = $1 and resumed_at is null for update',
          [policy],
        );
        if (before.length === 0) await countMissedUntil(query, policy, at);
        const made = await query(
          `insert into policy_pauses (policy, paused_at, paused_by, reason) values ($1, $2, $3, $4)
           on conflict do nothing returning policy`,
          [policy, at, database.actor, reason],
        );
        if (made.length > 0)
          audit({ action: 'policy.paused', subject: `policy/${policy}`, details: { reason } });
        const [pause] = await query<PolicyPause>(
          `select ${COLUMNS} from policy_pauses where policy = $1 and resumed_at is null`,
          [policy],
        );
        return pause ?? { since: at, by: database.actor, reason };
      }),

    resume: (policy, reason, at) =>
      database.write(`resuming policy ${policy}`, async ({ query, audit }) => {
        const ended = await query(
          `update policy_pauses set resumed_at = $2, resumed_by = $3, resume_reason = $4
            where policy = $1 and resumed_at is null returning policy`,
          [policy, at, database.actor, reason],
        );
        if (ended.length === 0) throw notPaused(policy);
        audit({ action: 'policy.resumed', subject: `policy/${policy}`, details: { reason } });
      }),

    open: () =>
      database.read('listing paused policies', async (query) => {
        const rows = await query<PolicyPause & { policy: string }>(
          `select policy, ${COLUMNS} from policy_pauses where resumed_at is null`,
        );
        return new Map(rows.map(({ policy, ...pause }) => [policy, pause]));
      }),

    lastResumed: () =>
      database.read('reading when policies were resumed', async (query) => {
        const rows = await query<{ policy: string; at: string }>(
          'select policy, max(resumed_at) as at from policy_pauses where resumed_at is not null group by policy',
        );
        return new Map(rows.map(({ policy, at }) => [policy, at]));
      }),
  };
}

const COLUMNS = 'paused_at as since, paused_by as by, reason';

function notPaused(policy: string): HoldfastError {
  return new HoldfastError({
    code: 'request.conflict',
    message: `policy ${policy} cannot be resumed`,
    cause: 'it is not paused',
    hint: '`holdfast policy list` shows which are',
  });
}
