// How often what was to happen did happen. A run that was due and did not take place counts like one that
// failed; one that a person cancelled counts for nothing. Where nothing was due the rate is null, not 100 %.

export interface RunCounts {
  succeeded: number;
  failed: number;
  /** Due, and not begun: the service was down, or the run before was still going. */
  missed: number;
}

export interface SuccessRate extends RunCounts {
  /** 0 to 1. */
  rate: number | null;
}

export function successRate({ succeeded, failed, missed }: RunCounts): SuccessRate {
  const due = succeeded + failed + missed;
  return { succeeded, failed, missed, rate: due === 0 ? null : succeeded / due };
}
