// Whether a step takes longer than it used to: the median of the last 7 days beside that of the 30 before,
// and the slope over both. Medians of daily means: one bad night moves them little.

import { median } from './median.ts';

/** What the runs of one day took on average. */
export interface DailyDuration {
  /** 0: today. */
  daysAgo: number;
  seconds: number;
}

export interface DurationTrend {
  recentSeconds: number | null;
  previousSeconds: number | null;
  /** 1.5: half as long again as before. null: one of the two was not measured. */
  ratio: number | null;
  /** How much longer it takes each day; null with fewer than three days measured. */
  secondsPerDay: number | null;
}

export const RECENT_DAYS = 7;
export const PREVIOUS_DAYS = 30;

export function durationTrend(days: readonly DailyDuration[]): DurationTrend {
  const within = (from: number, to: number) => days.filter(({ daysAgo }) => daysAgo >= from && daysAgo < to);
  const recent = within(0, RECENT_DAYS);
  const previous = within(RECENT_DAYS, RECENT_DAYS + PREVIOUS_DAYS);
  const recentSeconds = median(recent.map(({ seconds }) => seconds));
  const previousSeconds = median(previous.map(({ seconds }) => seconds));
  return {
    recentSeconds,
    previousSeconds,
    ratio: recentSeconds === null || !previousSeconds ? null : recentSeconds / previousSeconds,
    secondsPerDay: slopePerDay([...recent, ...previous]),
  };
}

/** Least squares. */
function slopePerDay(days: readonly DailyDuration[]): number | null {
  if (days.length < 3) return null;
  const meanX = mean(days.map(({ daysAgo }) => -daysAgo));
  const meanY = mean(days.map(({ seconds }) => seconds));
  let covariance = 0;
  let variance = 0;
  for (const { daysAgo, seconds } of days) {
    covariance += (-daysAgo - meanX) * (seconds - meanY);
    variance += (-daysAgo - meanX) ** 2;
  }
  return variance === 0 ? null : covariance / variance;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
