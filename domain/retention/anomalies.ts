// Why a whole plan is refused before anything of it is done: the clock cannot be believed, the plan is unlike any
// ordinary one, or the catalogue and the repository do not speak of the same snapshots. An empty list lets it pass.

import { formatDuration } from '../duration.ts';
import type { FailureCode } from '../errors.ts';
import { TOLERATED_CLOCK_SKEW_SECONDS, type ClockJump } from './clock-jump.ts';
import type { Decision } from './plan.ts';

export interface RetentionRun {
  policy: string;
  repository: string;
  plans: readonly { asset: string; decisions: readonly Decision[] }[];
  now: Date;
  /** A jump of the clock that nobody has confirmed. */
  clockJump: ClockJump | null;
  /** Snapshots the catalogue knows that the repository has not. */
  missingSnapshots: readonly string[];
  /** Snapshots in the repository with tags of Holdfast, which the catalogue does not know. */
  unknownSnapshots: readonly string[];
  bounds?: Partial<Bounds>;
}

interface Bounds {
  /** The part of an asset's points one run may drop. Of few points any part may go: see `FEW_POINTS`. */
  maxDropShare: number;
}

export interface Anomaly {
  code: Extract<FailureCode, 'clock.untrusted' | 'retention.dropsTooMuch' | 'repository.disagrees'>;
  message: string;
  hint: string;
}

export function anomaliesOf(run: RetentionRun): Anomaly[] {
  const bounds: Bounds = { maxDropShare: 0.5, ...run.bounds };
  return [
    ...clockBehindPoints(run),
    ...clockAgainstRecords(run),
    ...droppedTooMuch(run, bounds),
    ...disagreement(run),
  ];
}

/** `keepLast: 1` after a second backup drops half: only of more points is a share worth a word. */
const FEW_POINTS = 4;

function clockBehindPoints({ plans, now }: RetentionRun): Anomaly[] {
  return plans.flatMap(({ asset, decisions }) => {
    const future = decisions.find(
      ({ takenAt }) => secondsSince(takenAt, now) < -TOLERATED_CLOCK_SKEW_SECONDS,
    );
    if (!future) return [];
    const { recoveryPointId, takenAt } = future;
    return untrusted(
      `recovery point ${recoveryPointId} of ${asset} was taken at ${takenAt}, which by this host's clock (${now.toISOString()}) is yet to come`,
      `set this host's clock; if it is right, the point's time is wrong: \`holdfast points delete ${recoveryPointId} --reason "wrong clock"\` takes it away`,
    );
  });
}

function clockAgainstRecords({ clockJump }: RetentionRun): Anomaly[] {
  if (!clockJump) return [];
  const { from, to } = clockJump;
  const seconds = secondsSince(from, new Date(to));
  if (seconds < 0) {
    return untrusted(
      `this host's clock showed ${to} after it had shown ${from}: it was set back`,
      "set this host's clock; if it is right now, a person has to say so",
    );
  }
  return untrusted(
    `this host's clock showed ${to}, ${formatDuration(seconds)} after any run before it: it may have gone ahead`,
    "set this host's clock; if it is right and nothing ran for so long, a person has to say so",
  );
}

function untrusted(message: string, hint: string): Anomaly[] {
  return [{ code: 'clock.untrusted', message, hint }];
}

function droppedTooMuch({ policy, repository, plans }: RetentionRun, { maxDropShare }: Bounds): Anomaly[] {
  return plans.flatMap(({ asset, decisions }): Anomaly[] => {
    const all = decisions.length;
    const dropped = decisions.filter(({ decision }) => decision === 'drop').length;
    if (all <= FEW_POINTS || dropped <= all * maxDropShare) return [];
    return [
      {
        code: 'retention.dropsTooMuch',
        message: `${dropped} of the ${all} recovery points of ${asset} in ${repository} would go, more than ${Math.round(maxDropShare * 100)} % at once`,
        hint: `read the reasons with \`holdfast retention plan ${policy}\`: if they are not meant, mend the policy's retention; if they are, a person has to allow this run`,
      },
    ];
  });
}

function disagreement({ repository, missingSnapshots, unknownSnapshots }: RetentionRun): Anomaly[] {
  const anomalies: Anomaly[] = [];
  if (missingSnapshots.length > 0) {
    anomalies.push({
      code: 'repository.disagrees',
      message: `${snapshots(missingSnapshots)} in the catalogue and no longer in ${repository}`,
      hint: `somebody else deletes there, or another repository lies at its place: look at it with \`restic snapshots\` before anything more goes`,
    });
  }
  if (unknownSnapshots.length > 0) {
    anomalies.push({
      code: 'repository.disagrees',
      message: `${snapshots(unknownSnapshots)} in ${repository} and, though Holdfast made them, not in the catalogue`,
      hint: 'another Holdfast writes there, or this catalogue is older than the repository: take them in with `holdfast points import`, or give each Holdfast a repository of its own',
    });
  }
  return anomalies;
}

function snapshots(ids: readonly string[]): string {
  const first = ids.slice(0, 3).map((id) => id.slice(0, 8));
  const shown = ids.length > first.length ? `${first.join(', ')}, …` : first.join(', ');
  return ids.length === 1 ? `1 snapshot (${shown}) is` : `${ids.length} snapshots (${shown}) are`;
}

function secondsSince(time: string, now: Date): number {
  return (now.getTime() - Date.parse(time)) / 1000;
}
