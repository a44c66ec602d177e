import { dirname } from 'node:path';
import { TASK_QUEUE } from '../../client/index.ts';
import { parseConfiguration } from '../../domain/configuration/parse.ts';
import { formatProblem } from '../../domain/configuration/problem.ts';
import { reconcileSchedules } from '../../schedules/reconcile.ts';
import type { Services } from '../services.ts';
import type { Parts } from './parts.ts';

type ConfigurationServices = Pick<Services, 'applyConfiguration' | 'currentConfiguration'>;

export function configurationServices({ catalog, temporal }: Parts): ConfigurationServices {
  return {
    applyConfiguration: async (actor, { source, path, dryRun }) => {
      const parsed = parseConfiguration(source, { file: path, folder: dirname(path) });
      const { configuration } = parsed;
      const warnings = parsed.warnings.map(formatProblem);
      if (dryRun) {
        const difference = await catalog.configurations.compare(configuration);
        const { added, changed, removed } = difference.policies;
        return { ...difference, dryRun, schedules: { added, changed, removed }, warnings };
      }
      const difference = await catalog.as(actor.name).configurations.apply(configuration);
      // Under its old name a renamed policy has a schedule, which goes like that of one removed.
      const removed = [
        ...difference.policies.removed,
        ...difference.renamed.policies.map(({ from }) => from),
      ];
      const schedules = await reconcileSchedules(temporal, TASK_QUEUE, configuration.policies, removed);
      return { ...difference, dryRun, schedules, warnings };
    },

    currentConfiguration: () => catalog.configurations.current(),
  };
}
