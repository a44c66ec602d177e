// What taking a recovery point away would mean, told before it is done. Pure: from facts to a plan in which every
// line says why.

import type { Repository } from './configuration/types.ts';
import type { PointCopy, RecoveryPoint } from './recovery-point.ts';
import { immutableUntil } from './retention/immutability.ts';

export interface RemovalFacts {
  point: RecoveryPoint;
  /** Only the copy there; null: every copy. */
  repository: string | null;
  /** The repositories of the applied configuration. */
  configured: readonly Pick<Repository, 'name' | 'immutability'>[];
  now: Date;
  holds: readonly { owner: string; reason: string }[];
  /** Restores of the point that have not ended. */
  openRestores: readonly string[];
  /** The asset's newest regular point, and its newest proven one; null where there is none. */
  newest: string | null;
  newestProven: string | null;
}

export interface RemovalPlan {
  point: string;
  asset: string;
  takenAt: string;
  /** What goes, and where. */
  goes: { repository: string; snapshots: string[] }[];
  /** Copies that stay. */
  stays: string[];
  /** true: nothing is left to restore the point from. */
  pointGoes: boolean;
  /** What a person should know before saying yes. */
  warnings: string[];
  /** Why it cannot be done now; empty: it can. */
  refusals: string[];
}

export function removalPlan(facts: RemovalFacts): RemovalPlan {
  const { point, repository } = facts;
  const going = point.copies.filter((copy) => repository === null || copy.repository === repository);
  const stays = point.copies.filter((copy) => !going.includes(copy)).map((copy) => copy.repository);
  const known = (name: string) => facts.configured.find((one) => one.name === name);
  const unreachable = going.filter((copy) => !known(copy.repository));
  return {
    point: point.id,
    asset: point.asset,
    takenAt: point.takenAt,
    goes: going.map((copy) => ({
      repository: copy.repository,
      snapshots: copy.parts.map((part) => part.snapshotId),
    })),
    stays,
    pointGoes: stays.length === 0,
    warnings: stays.length === 0 ? losses(facts) : [`the copies in ${stays.join(', ')} stay`],
    refusals: [
      ...whyNotRemoved(facts),
      ...(repository !== null && going.length === 0 ? [`it has no copy in ${repository}`] : []),
      ...going.flatMap((copy) => whyImmutable(point, copy, known(copy.repository), facts.now) ?? []),
      ...unreachable.map(
        (copy) =>
          `repository ${copy.repository} is not in the applied configuration, so its copy cannot be reached: name the others with --repository`,
      ),
    ],
  };
}

/** What no word overrides. */
export function whyNotRemoved(facts: Pick<RemovalFacts, 'holds' | 'openRestores'>): string[] {
  return [
    ...facts.holds.map(({ owner, reason }) => `it is held for ${owner}: ${reason}`),
    ...facts.openRestores.map((id) => `restore ${id} uses it and has not ended`),
  ];
}

/** null: its store does not say that it has to stay, or does not any more. */
export function whyImmutable(
  { takenAt }: Pick<RecoveryPoint, 'takenAt'>,
  { repository, storedAt }: Pick<PointCopy, 'repository' | 'storedAt'>,
  configured: Pick<Repository, 'immutability'> | undefined,
  now: Date,
): string | null {
  if (!configured?.immutability) return null;
  const until = immutableUntil(takenAt, storedAt, configured.immutability.days);
  return now.toISOString() < until ? `its copy in ${repository} is immutable until ${until}` : null;
}

function losses({ point, newest, newestProven }: RemovalFacts): string[] {
  const warnings: string[] = [];
  if (point.id === newestProven) {
    warnings.push(`it is the newest proven point of ${point.asset}: nothing newer was ever shown to restore`);
  }
  if (point.id === newest) warnings.push(`it is the newest point of ${point.asset}`);
  if (point.kind === 'safety') warnings.push('it is what a restore replaced: the way back goes with it');
  return warnings;
}
