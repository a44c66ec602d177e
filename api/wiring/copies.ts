import { startSync } from '../../client/index.ts';
import { policyOf } from '../../domain/chosen.ts';
import { copyOf } from '../../domain/copies/policy-copies.ts';
import type { Services } from '../services.ts';
import { startOnce } from './jobs.ts';
import type { Parts } from './parts.ts';

export function copyServices({ catalog, temporal }: Parts): Pick<Services, 'listCopies' | 'startSync'> {
  return {
    listCopies: async (name) => {
      const applied = await catalog.configurations.current();
      const policies = applied?.configuration.policies ?? [];
      const wanted = name === null ? policies : [policyOf(applied?.configuration ?? null, name)];
      return catalog.copies.states(wanted, new Date());
    },

    startSync: async (actor, { policy, repository }, key) => {
      const applied = await catalog.configurations.current();
      copyOf(policyOf(applied?.configuration ?? null, policy), repository);
      return startOnce(catalog, actor, key, 'sync', { policy, assets: [], repository }, (job) =>
        startSync(temporal, job.workflowId, {
          policy,
          repository,
          jobId: job.id,
          trigger: 'manual',
          actor: actor.name,
        }),
      );
    },
  };
}
