// The hours in which heavy work (retention, reading back, rehearsals) may begin. Times are UTC.

export interface Window {
  /** Seconds after midnight; `to` before `from` reaches into the next day, and equal to it is refused. */
  fromSeconds: number;
  toSeconds: number;
  /** Days on which the window opens, 0 is Sunday; null: every day. */
  days: readonly number[] | null;
}

const DAY_SECONDS = 86_400;

/** `at` itself where the window is open then; else the next moment at which it opens. */
export function opensAt(window: Window, at: Date): Date {
  const midnight = Math.floor(at.getTime() / 1000 / DAY_SECONDS) * DAY_SECONDS;
  // From yesterday, whose window may still be open, to the same day of next week.
  for (let day = -1; day <= 8; day += 1) {
    const opens = midnight + day * DAY_SECONDS + window.fromSeconds;
    if (!opensOn(window, opens)) continue;
    if (at.getTime() < opens * 1000) return new Date(opens * 1000);
    if (at.getTime() < (opens + lengthOf(window)) * 1000) return at;
  }
  throw new Error('a window without days never opens');
}

export function lengthOf({ fromSeconds, toSeconds }: Window): number {
  return (toSeconds - fromSeconds + DAY_SECONDS) % DAY_SECONDS;
}

function opensOn({ days }: Window, opens: number): boolean {
  return days === null || days.includes(new Date(opens * 1000).getUTCDay());
}
