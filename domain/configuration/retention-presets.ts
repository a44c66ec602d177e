// Names for what is kept where, so that nobody has to work it out anew. Words beside a preset go before its own.

export const presetNames = ['local', 'remote', 'continuous', 'operator', 'compliance', 'gfs'] as const;

type Words = Partial<
  Record<
    'keepLast' | 'keepDaily' | 'keepWeekly' | 'keepMonthly' | 'keepYearly' | 'keepWithin',
    number | undefined
  >
>;

const DAY = 86_400;

/** Durations in seconds, as they are once read. */
export const presets: Record<(typeof presetNames)[number], Words> = {
  /** The nearest repository: quick to restore from, small. */
  local: { keepLast: 3 },
  /** Away from the site: whatever was taken in a month. */
  remote: { keepWithin: 30 * DAY },
  /** Every point of a day, then one a day for a month. */
  continuous: { keepWithin: DAY, keepDaily: 30 },
  /** What operators take before they change something. */
  operator: { keepWithin: 90 * DAY },
  compliance: { keepWithin: 365 * DAY },
  /** Grandfather, father, son. */
  gfs: { keepDaily: 7, keepWeekly: 5, keepMonthly: 12, keepYearly: 3 },
};
