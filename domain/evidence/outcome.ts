// Whether a drill passed, derived from its record: only what was measured, compared and within its objective is
// a pass. What was not carried out is inconclusive, never a pass.

import { formatDuration } from '../duration.ts';
import type { DrilledAsset, DrillCheck, DrillIntegrity, DrillRecord, IntegrityFigures } from './record.ts';

/**
 * The graver first. `failed`: something did not come back, or not as it was. `missed`: all came back, later or
 * older than the objective. `inconclusive`: not everything was measured and compared.
 */
export type DrillOutcome = 'failed' | 'missed' | 'inconclusive' | 'passed';

export interface OutcomeReason {
  outcome: Exclude<DrillOutcome, 'passed'>;
  /** null: of the whole drill. */
  asset: string | null;
  what: string;
}

export interface DrillVerdict {
  outcome: DrillOutcome;
  /** Every one, the gravest first; empty only for `passed`. */
  reasons: OutcomeReason[];
}

const GRAVEST = ['failed', 'missed', 'inconclusive'] as const;

export function verdictOf(record: DrillRecord): DrillVerdict {
  const found = [...ofDrill(record), ...record.assets.flatMap(ofAsset)];
  const reasons = GRAVEST.flatMap((outcome) => found.filter((reason) => reason.outcome === outcome));
  return { outcome: reasons[0]?.outcome ?? 'passed', reasons };
}

/** How the restored data compares with what the backup noted; null: nothing was compared. */
export function integrityHolds({ expected, restored, differences }: DrillIntegrity): boolean | null {
  const noted = FIGURES.filter((figure) => expected[figure] !== null);
  if (differences.length > 0) return false;
  if (noted.some((figure) => restored[figure] !== null && restored[figure] !== expected[figure]))
    return false;
  return noted.length === 0 || noted.some((figure) => restored[figure] === null) ? null : true;
}

const FIGURES: (keyof IntegrityFigures)[] = ['files', 'bytes', 'digest', 'tables', 'rows'];

function ofDrill(record: DrillRecord): OutcomeReason[] {
  const { objectives, measured, failures, production, assets } = record;
  const touched = production.filter((proof) => proof.method === 'digests' && proof.before !== proof.after);
  const shown = new Set(production.map(({ asset }) => asset));
  const unshown = assets.map(({ asset }) => asset).filter((asset) => !shown.has(asset));
  return [
    ...failures.map(({ asset, phase, message }) => reason('failed', asset, `${phase}: ${message}`)),
    ...touched.map(({ asset }) => reason('failed', asset, 'its production data changed during the drill')),
    ...ofObjective('RTO', objectives.rtoSeconds, measured.rtoSeconds, null),
    ...ofObjective('RPO', objectives.rpoSeconds, measured.rpoSeconds, null),
    ...ofChecks(record.smoke, null),
    ...(assets.length === 0 ? [reason('inconclusive', null, 'no asset was drilled')] : []),
    ...unshown.map((asset) =>
      reason('inconclusive', asset, 'nothing shows that its production was untouched'),
    ),
  ];
}

function ofAsset(drilled: DrilledAsset): OutcomeReason[] {
  const { asset, point, restored, integrity, rpo, rto, checks } = drilled;
  if (point === null) return [reason('failed', asset, 'there was no recovery point to restore')];
  if (!restored) return [reason('failed', asset, 'it was not restored')];
  return [
    ...ofIntegrity(integrity, asset),
    ...ofObjective('RTO', rto.objectiveSeconds, rto.achievedSeconds, asset),
    ...ofObjective('RPO', rpo.objectiveSeconds, rpo.achievedSeconds, asset),
    ...ofChecks(checks, asset),
  ];
}

function ofIntegrity(integrity: DrillIntegrity | null, asset: string): OutcomeReason[] {
  const holds = integrity && integrityHolds(integrity);
  if (holds === true) return [];
  return holds === false
    ? [reason('failed', asset, 'what came back is not what the backup noted')]
    : [reason('inconclusive', asset, 'what came back was not compared with what the backup noted')];
}

function ofObjective(
  name: string,
  objective: number | null,
  achieved: number | null,
  asset: string | null,
): OutcomeReason[] {
  if (objective === null) return [];
  const target = exactly(objective);
  if (achieved === null)
    return [reason('inconclusive', asset, `its ${name} was not measured (objective ${target})`)];
  if (achieved <= objective) return [];
  return [reason('missed', asset, `${name} ${exactly(achieved)}, objective ${target}`)];
}

/** A miss by a second is a miss: rounded, it would look like none. */
export function exactly(seconds: number): string {
  return seconds < 60 ? formatDuration(seconds) : `${formatDuration(seconds)} (${seconds} s)`;
}

function ofChecks(checks: readonly DrillCheck[], asset: string | null): OutcomeReason[] {
  return checks.flatMap(({ name, ok, detail }) => {
    if (ok === true) return [];
    const what = detail === '' ? name : `${name}: ${detail}`;
    return ok === null
      ? [reason('inconclusive', asset, `not carried out: ${what}`)]
      : [reason('failed', asset, what)];
  });
}

function reason(outcome: OutcomeReason['outcome'], asset: string | null, what: string): OutcomeReason {
  return { outcome, asset, what };
}
