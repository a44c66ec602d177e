// Which recovery point of the control plane to begin from. Pure.

import type { EngineSnapshot, PointLabels } from '../../activities/repositories/repository.ts';
import { CONTROL_PLANE_ASSET, CONTROL_PLANE_PART } from '../../domain/control-plane/bundle.ts';
import { HoldfastError } from '../../domain/errors.ts';

export interface ControlPlanePoint extends EngineSnapshot {
  labels: PointLabels;
}

/** Newest first. */
export function controlPlanePoints(listed: readonly EngineSnapshot[]): ControlPlanePoint[] {
  return listed
    .filter(isControlPlane)
    .sort((one, other) => Date.parse(other.takenAt) - Date.parse(one.takenAt));
}

/** `points`: newest first, at least one. */
export function chosenPoint(
  points: readonly ControlPlanePoint[],
  { at, point }: { at: string | null; point: string | null },
): ControlPlanePoint {
  const fitting = points.filter(
    ({ labels, takenAt }) =>
      (at === null || Date.parse(takenAt) <= Date.parse(at)) &&
      (point === null || labels.point.startsWith(point)),
  );
  const [newest] = fitting;
  const ids = new Set(fitting.map(({ labels }) => labels.point));
  if (newest && (point === null || ids.size === 1)) return newest;
  const wanted = [...(point === null ? [] : [`${point}*`]), ...(at === null ? [] : [`at or before ${at}`])];
  throw new HoldfastError({
    code: 'point.unknown',
    message: `${ids.size === 0 ? 'no' : 'not one'} recovery point of the control plane is ${wanted.join(', ')}`,
    cause: `there are ${points.length}: ${shown(points)}`,
    hint: 'leave --at and --point away for the newest, or name one of these',
  });
}

function isControlPlane(snapshot: EngineSnapshot): snapshot is ControlPlanePoint {
  const { labels } = snapshot;
  return (
    labels?.kind === 'system' && labels.asset === CONTROL_PLANE_ASSET && labels.part === CONTROL_PLANE_PART
  );
}

const SHOWN = 8;

function shown(points: readonly ControlPlanePoint[]): string {
  const first = points.slice(0, SHOWN).map(({ labels, takenAt }) => `${labels.point} (${takenAt})`);
  return [...first, ...(points.length > SHOWN ? [`… ${points.at(-1)?.takenAt}`] : [])].join(', ');
}
