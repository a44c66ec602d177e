// Whether a clock may be believed, from what it has shown before. Pure.

/** What was shown last, and what came next. */
export interface ClockJump {
  from: string;
  to: string;
}

/** Clocks of two hosts may differ by this much before one of them counts as wrong. */
export const TOLERATED_CLOCK_SKEW_SECONDS = 300;
/** Retention runs once a day: after a longer time without any run it is rather the clock that went ahead. */
const TOLERATED_SILENCE_SECONDS = 7 * 86_400;

export function isJump({ from, to }: ClockJump): boolean {
  const seconds = (Date.parse(to) - Date.parse(from)) / 1000;
  return seconds < -TOLERATED_CLOCK_SKEW_SECONDS || seconds > TOLERATED_SILENCE_SECONDS;
}
