// How long steps took, so that the next one can be estimated from what was measured.

import type { Database } from './database.ts';

/** `rehearse`: restoring a copy into the sandbox and checking it; `prepare`: what a restore does
 * until it can be committed; `restore`: a real one of everything, from its commit until healthy. */
export type MeasuredStep = 'capture' | 'store' | 'copy' | 'verify' | 'rehearse' | 'prepare' | 'restore';

export interface Durations {
  /** By (run, asset, step): a step run twice is measured as it went last. `run`: a job or restore id. */
  record(measured: NewDuration): Promise<void>;
  /** From the median rate of the last five runs, for this many bytes; null when never measured. */
  estimate(asset: string, step: MeasuredStep, bytes: number): Promise<DurationEstimate | null>;
}

export interface NewDuration {
  run: string;
  asset: string;
  step: MeasuredStep;
  seconds: number;
  bytes: number;
  endedAt: string;
}

export interface DurationEstimate {
  seconds: number;
  samples: number;
  /** What the newest run took. */
  lastSeconds: number;
}

export function durations(database: Database): Durations {
  return {
    record: (measured) =>
      database.write(`keeping how long ${measured.step} of ${measured.asset} took`, async ({ query }) => {
        await query(
          `insert into measured_durations (run, asset, step, seconds, bytes, ended_at)
           values ($1, $2, $3, $4, $5, $6)
           on conflict (run, asset, step) do update set
             seconds = excluded.seconds, bytes = excluded.bytes, ended_at = excluded.ended_at`,
          [measured.run, measured.asset, measured.step, measured.seconds, measured.bytes, measured.endedAt],
        );
      }),

    estimate: (asset, step, bytes) =>
      database.read(`estimating ${step} of ${asset}`, async (query) => {
        const runs = await query<Measured>(
          `select seconds, bytes from measured_durations
            where asset = $1 and step = $2 order by ended_at desc limit 5`,
          [asset, step],
        );
        return estimateFrom(runs, bytes);
      }),
  };
}

interface Measured {
  seconds: number;
  bytes: number;
}

/** Newest first. A run in proportion to its bytes; one of no bytes at all as it was. */
export function estimateFrom(runs: readonly Measured[], bytes: number): DurationEstimate | null {
  const [newest] = runs;
  if (!newest) return null;
  const seconds = runs.map((run) =>
    run.bytes > 0 && bytes > 0 ? (run.seconds * bytes) / run.bytes : run.seconds,
  );
  return { seconds: median(seconds), samples: runs.length, lastSeconds: newest.seconds };
}

function median(values: number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
  return (lower + upper) / 2;
}
