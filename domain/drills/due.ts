// When drills were due, by what was configured at the time: what was not held then is a miss in the report to
// auditors, whatever the configuration says today.

import { dueBetween } from '../cadence/due-between.ts';
import { drillRunOf } from '../cadence/scheduled-runs.ts';
import type { Drill } from '../configuration/drill-types.ts';
import type { DueDrill } from '../evidence/due.ts';

export interface ConfiguredDrills {
  drills: Drill[];
  /** When a configuration with these was applied. */
  since: string;
}

/** `history`: oldest first. */
export function drillsDue(history: readonly ConfiguredDrills[], from: Date, to: Date): DueDrill[] {
  return history.flatMap(({ drills, since }, index) => {
    const replaced = history[index + 1]?.since;
    const begin = new Date(Math.max(Date.parse(since), from.getTime()));
    const end = replaced === undefined ? to : new Date(Math.min(Date.parse(replaced), to.getTime()));
    return drills.flatMap((drill) => {
      const run = drillRunOf(drill);
      if (run === null) return [];
      return dueBetween(run, begin, end).map((at) => ({ drill: drill.name, dueAt: at.toISOString() }));
    });
  });
}
