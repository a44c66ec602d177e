// How long each phase of a drill took, in all its assets together.

import type { DrillPhase } from '../../domain/evidence/record.ts';

export interface PhaseClock {
  during<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** In the order they first began. */
  phases(): DrillPhase[];
}

export function phaseClock(clock: () => Date): PhaseClock {
  const measured = new Map<string, DrillPhase>();
  return {
    during: async (name, work) => {
      const startedAt = clock();
      try {
        return await work();
      } finally {
        const before = measured.get(name) ?? { name, startedAt: startedAt.toISOString(), seconds: 0 };
        const seconds = Math.max(0, (clock().getTime() - startedAt.getTime()) / 1000);
        measured.set(name, { ...before, seconds: before.seconds + seconds });
      }
    },
    phases: () => [...measured.values()].toSorted((one, other) => (one.startedAt < other.startedAt ? -1 : 1)),
  };
}
