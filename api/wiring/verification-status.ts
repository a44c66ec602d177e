import type { Catalog } from '../../catalog/index.ts';
import { policyOf } from '../../domain/chosen.ts';
import type { Configuration } from '../../domain/configuration/types.ts';
import { formatDuration } from '../../domain/duration.ts';
import { planReadings } from '../../domain/verification/plan.ts';
import {
  planVerification,
  verificationOf,
  type VerificationPlan,
} from '../../domain/verification/policy-plan.ts';
import { readingCadences, repositoriesOf } from '../../domain/verification/reading-cadence.ts';
import type { OldestUnread } from '../services.ts';

/** By repository: since when something there was neither read back nor written; without those that no cadence reads. */
export async function oldestUnread(
  catalog: Catalog,
  configuration: Configuration | null,
  now: Date,
): Promise<Map<string, OldestUnread>> {
  const cadences = readingCadences(configuration?.policies ?? []);
  const facts = await catalog.readings.facts([...cadences.keys()]);
  return new Map(
    facts.flatMap((known) => {
      const cadence = cadences.get(known.repository);
      const since = cadence && planReadings(cadence, known, now).unreadSince;
      if (!since) return [];
      const seconds = Math.max(0, Math.round((now.getTime() - Date.parse(since)) / 1000));
      return [[known.repository, { since, seconds, limitSeconds: cadence.withinSeconds }]];
    }),
  );
}

/** null: everything was read in time. */
export function unreadTooLong(unread: OldestUnread | undefined): string | null {
  if (!unread || unread.seconds <= unread.limitSeconds) return null;
  const { since, seconds, limitSeconds } = unread;
  return `something it holds was not read back since ${since}, for ${formatDuration(seconds)}; its policies ask for every ${formatDuration(limitSeconds)}: see \`holdfast verify plan\``;
}

/** What the next run would do if it began now. */
export async function verificationPlan(catalog: Catalog, name: string): Promise<VerificationPlan> {
  const configuration = (await catalog.configurations.current())?.configuration ?? null;
  const policy = policyOf(configuration, name);
  verificationOf(policy);
  const readings = await catalog.readings.facts(repositoriesOf(policy));
  const lastProofs = await catalog.readings.lastProofs(policy.assets);
  return planVerification(policy, configuration?.policies ?? [], { readings, lastProofs }, new Date());
}
