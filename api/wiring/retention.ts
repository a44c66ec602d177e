import { anomaliesIn, planRepository } from '../../catalog/index.ts';
import { startRetention } from '../../client/index.ts';
import { policyOf } from '../../domain/chosen.ts';
import type { RetentionPlan, Services } from '../services.ts';
import { startOnce } from './jobs.ts';
import type { Parts } from './parts.ts';

type RetentionServices = Pick<Services, 'retentionPlan' | 'startRetention'>;

export function retentionServices({ catalog, temporal }: Parts): RetentionServices {
  return {
    retentionPlan: async (name) => {
      const applied = await catalog.configurations.current();
      const policy = policyOf(applied?.configuration ?? null, name);
      const now = new Date();
      const clockJump = await catalog.clock.jump(now);
      const plan: RetentionPlan = { decisions: [], anomalies: [] };
      for (const repository of [policy.repository, ...policy.copies.map((copy) => copy.repository)]) {
        const { configuration } = applied!;
        const found = await planRepository(catalog, { configuration, policy, repository, now });
        for (const { asset, decisions } of [...found.assets, found.controlPlane]) {
          plan.decisions.push(...decisions.map((decision) => ({ ...decision, asset, repository })));
        }
        // Which snapshots the repository has only a run asks it, under the lease.
        const seen = { now, clockJump, missingSnapshots: [], unknownSnapshots: [] };
        const anomalies = anomaliesIn(found, policy, seen);
        plan.anomalies.push(...anomalies.map((anomaly) => ({ repository, ...anomaly })));
      }
      plan.decisions.sort((one, other) => (one.takenAt < other.takenAt ? 1 : -1));
      return plan;
    },

    startRetention: (actor, request, key) =>
      startOnce(catalog, actor, key, 'retention', { policy: request.policy, assets: [] }, (job) =>
        startRetention(temporal, job.workflowId, {
          policy: request.policy,
          jobId: job.id,
          trigger: 'manual',
          actor: actor.name,
          confirm: request.confirm,
        }),
      ),
  };
}
