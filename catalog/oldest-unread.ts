import type { Configuration } from '../domain/configuration/types.ts';
import { formatDuration } from '../domain/duration.ts';
import { planReadings } from '../domain/verification/plan.ts';
import { readingCadences } from '../domain/verification/reading-cadence.ts';
import type { Catalog } from './catalog.ts';

/** Every byte of a repository was read back, or written, after `since`. */
export interface OldestUnread {
  since: string;
  seconds: number;
  /** `verification.within` of the policies that keep points there; the shortest. */
  limitSeconds: number;
}

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
