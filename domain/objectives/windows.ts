// The spans of time that rates and growth are given for. A window is today and the days before it, in UTC.

export const WINDOW_DAYS = { days7: 7, days30: 30, days90: 90 } as const;

export type WindowName = keyof typeof WINDOW_DAYS;

export type Windows<T> = Record<WindowName, T>;

export const windowNames = Object.keys(WINDOW_DAYS) as WindowName[];

export function forEachWindow<T>(figure: (window: WindowName) => T): Windows<T> {
  return { days7: figure('days7'), days30: figure('days30'), days90: figure('days90') };
}

/** `2026-11-20`: the first day of a window of that many days. */
export function firstDayOf(days: number, now: Date): string {
  return dayOf(new Date(now.getTime() - (days - 1) * DAY_MILLISECONDS));
}

export function dayOf(moment: Date): string {
  return moment.toISOString().slice(0, 10);
}

export const DAY_MILLISECONDS = 86_400_000;
