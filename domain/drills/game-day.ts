// A game day as evidence: what happened when, what was lost and how long the service was away. All of it is measured
// from the moment the service was taken down.

import type { DrillCheck, DrilledAsset, DrillIntegrity, DrillRecord } from '../evidence/record.ts';
import type { Failure } from '../job.ts';

/** What became of one asset's restore. */
export interface BroughtBack {
  asset: string;
  /** As people speak of it: `r-7`. */
  restoreId: string;
  /** null: it did not come back, or not healthy. */
  backAt: string | null;
  integrity: DrillIntegrity | null;
  checks: { name: string; ok: boolean; detail: string }[];
}

/** What was seen so far; of a game day that broke off, as far as it came. */
export interface PlayedGameDay extends Pick<DrillRecord, 'phases' | 'failures' | 'commands' | 'tools'> {
  timeline: NonNullable<DrillRecord['timeline']>;
  safetyPoints: { asset: string; point: string }[];
  /** null: nothing was taken down. */
  takenDownAt: string | null;
  noticedAt: string | null;
  restored: BroughtBack[];
  /** When the watch found the service well again. */
  backAt: string | null;
  endedAt: string;
}

const WATCH = {
  before: 'the watch finds the service well beforehand',
  notice: 'the watch notices the outage',
  back: 'the watch finds the service well again',
};

export function playedNothing(): PlayedGameDay {
  return {
    ...{ timeline: [], phases: [], failures: [], commands: [], tools: [], safetyPoints: [], restored: [] },
    ...{ takenDownAt: null, noticedAt: null, backAt: null, endedAt: '' },
  };
}

export function gameDayRecord(record: DrillRecord, played: PlayedGameDay): DrillRecord {
  const { takenDownAt, noticedAt, backAt } = played;
  const assets = record.assets.map((asset) => assetOf(asset, played));
  const wasWell = takenDownAt !== null;
  return {
    ...record,
    assets,
    ...{ phases: played.phases, timeline: played.timeline, failures: played.failures },
    ...{ commands: played.commands, tools: played.tools },
    measured: {
      rtoSeconds: wasWell && backAt !== null ? secondsBetween(takenDownAt, backAt) : null,
      rpoSeconds: wasWell ? Math.max(0, ...assets.map(({ point }) => point?.ageSeconds ?? 0)) : null,
    },
    smoke: [
      watched(WATCH.before, wasWell ? 'it answered' : null),
      watched(
        WATCH.notice,
        wasWell && noticedAt ? `${secondsBetween(takenDownAt, noticedAt)} s after` : null,
      ),
      watched(WATCH.back, wasWell && backAt ? `${secondsBetween(takenDownAt, backAt)} s after` : null),
    ],
    production: record.assets.map(({ asset }) => ({
      ...{ asset, method: 'gameDay' },
      why: whatWasDone(asset, record, played),
    })),
    endedAt: played.endedAt,
  };
}

/** A failure says where what was there beforehand is kept: whoever reads it stands before lost data. */
export function withSafetyPoints({ code, message, cause, hint }: Failure, played: PlayedGameDay): Failure {
  const kept = played.safetyPoints.map(
    ({ asset, point }) => `\`holdfast restore prepare --asset ${asset} --point ${point}\``,
  );
  if (kept.length === 0) return { code, message, cause, hint };
  return { code, message, cause, hint: `${hint}; what was there beforehand: ${kept.join(', ')}` };
}

function assetOf(drilled: DrilledAsset, { takenDownAt, restored }: PlayedGameDay): DrilledAsset {
  if (takenDownAt === null) return drilled;
  const back = restored.find(({ asset }) => asset === drilled.asset);
  const ageSeconds = drilled.point ? secondsBetween(drilled.point.takenAt, takenDownAt) : null;
  return {
    ...drilled,
    point: drilled.point && { ...drilled.point, ageSeconds: ageSeconds ?? 0 },
    restored: back !== undefined && back.backAt !== null,
    rpo: { ...drilled.rpo, achievedSeconds: ageSeconds },
    rto: { ...drilled.rto, achievedSeconds: back?.backAt ? secondsBetween(takenDownAt, back.backAt) : null },
    integrity: back?.integrity ?? null,
    checks: (back?.checks ?? []).map(({ name, ok, detail }) => ({
      ...{ name, ok },
      detail: detail.slice(0, 10_000),
    })),
  };
}

function whatWasDone(asset: string, { source }: DrillRecord, played: PlayedGameDay): string {
  const kept = played.safetyPoints.find((one) => one.asset === asset)?.point;
  const before = kept
    ? `what was there beforehand is safety point ${kept}`
    : 'no safety point was taken of it';
  if (played.takenDownAt === null) {
    const failed = played.failures.some(({ phase }) => phase === 'takeDown');
    return failed
      ? `its take-down failed and the watch found the service well; ${before}`
      : `nothing was taken down; ${before}`;
  }
  const back = played.restored.find((one) => one.asset === asset);
  const after =
    back === undefined
      ? 'no restore of it was begun'
      : back.backAt === null
        ? `restore ${back.restoreId} from ${source.repository} did not bring it back`
        : `restore ${back.restoreId} brought it back from ${source.repository}`;
  return `taken down at ${played.takenDownAt} by the commands of the game day; ${after}; ${before}`;
}

function watched(name: string, detail: string | null): DrillCheck {
  return detail === null
    ? { name, ok: null, detail: 'the game day did not come so far' }
    : { name, ok: true, detail };
}

function secondsBetween(from: string, to: string): number {
  return Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);
}
