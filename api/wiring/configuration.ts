import { dirname } from 'node:path';
import { asking, TASK_QUEUE } from '../../client/index.ts';
import { parseConfiguration } from '../../domain/configuration/parse.ts';
import { formatProblem } from '../../domain/configuration/problem.ts';
import { bringSchedulesInLine } from '../../schedules/bring-in-line.ts';
import { compareSchedules } from '../../schedules/reconcile.ts';
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
        const [difference, pauses, known] = await Promise.all([
          catalog.configurations.compare(configuration),
          catalog.policyPauses.open(),
          catalog.schedules.list(),
        ]);
        const schedules = compareSchedules(configuration, pauses, known);
        return { ...difference, dryRun, schedules, warnings };
      }
      const own = catalog.as(actor.name);
      const difference = await own.configurations.apply(configuration, { source, path });
      // Under its old name a renamed policy has Schedules, which go like those of one removed.
      const removed = [
        ...difference.policies.removed,
        ...difference.renamed.policies.map(({ from }) => from),
      ];
      const schedules = await asking('bringing the Schedules in line', () =>
        bringSchedulesInLine(temporal, TASK_QUEUE, configuration, own, removed),
      );
      return { ...difference, dryRun, schedules, warnings };
    },

    currentConfiguration: () => catalog.configurations.current(),
  };
}
