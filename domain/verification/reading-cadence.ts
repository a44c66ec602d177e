// What all policies that keep points in a repository ask of its readings, taken together: its bytes are
// shared between them, so they are read once for all, as the strictest asks.

import { longestGap } from '../configuration/cadence.ts';
import type { Cadence, Policy, Verification } from '../configuration/types.ts';
import { groupsFor, groupsNeeded } from './groups.ts';

export interface ReadingCadence {
  repository: string;
  /** The n-th of this many groups is read at a time. */
  groups: number;
  /** The longest time from one run to the next that is to be expected. */
  everySeconds: number;
  withinSeconds: number;
  /** One group is read this often in any case; null: only as often as `withinSeconds` needs. */
  shareEverySeconds: number | null;
}

/** By repository, in the order they are first named; a repository of policies without verification is left out. */
export function readingCadences(policies: readonly Policy[]): Map<string, ReadingCadence> {
  const asked = new Map<string, Verification[]>();
  for (const policy of policies) {
    const { verification } = policy;
    if (!verification) continue;
    for (const repository of repositoriesOf(policy)) {
      asked.set(repository, [...(asked.get(repository) ?? []), verification]);
    }
  }
  return new Map([...asked].map(([repository, all]) => [repository, strictest(repository, all)]));
}

/** Where the policy's points are: first where they are stored, then the copies. */
export function repositoriesOf(policy: Policy): string[] {
  return [policy.repository, ...policy.copies.map((copy) => copy.repository)];
}

export function secondsBetween(cadence: Cadence): number {
  if (cadence.kind === 'every') return cadence.seconds;
  const known = gaps.get(cadence.expression) ?? longestGap(cadence.expression);
  gaps.set(cadence.expression, known);
  return known;
}

/** Some milliseconds each, and `status` asks for those of every policy. */
const gaps = new Map<string, number>();

function strictest(repository: string, all: readonly Verification[]): ReadingCadence {
  const everySeconds = Math.min(...all.map(({ cadence }) => secondsBetween(cadence)));
  const withinSeconds = Math.min(...all.map((one) => one.withinSeconds));
  const [largest] = all
    .flatMap(({ readShare: share, cadence }) => (share === null ? [] : [{ share, cadence }]))
    .toSorted((one, other) => other.share - one.share);
  if (!largest) {
    const groups = groupsNeeded(everySeconds, withinSeconds);
    return { repository, groups, everySeconds, withinSeconds, shareEverySeconds: null };
  }
  const shareEverySeconds = secondsBetween(largest.cadence);
  return { repository, groups: groupsFor(largest.share), everySeconds, withinSeconds, shareEverySeconds };
}
