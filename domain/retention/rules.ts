// Which points restic's words keep, and why. The decisions are those of `restic forget`, which
// test/activities/repositories/restic-retention.test.ts holds them against; hours, days, weeks, months and years
// are counted in UTC, whatever this host's clock shows.

import type { Retention } from '../configuration/types.ts';
import { writeDuration } from '../duration.ts';

export interface TimedPoint {
  id: string;
  /** RFC 3339. */
  takenAt: string;
  /** None if left out. */
  tags?: readonly string[];
}

/** For each point a rule keeps, by its id, the rules that do. The order of `points` does not matter. */
export function keptByRules(
  points: readonly TimedPoint[],
  rules: Retention,
  now: Date,
): Map<string, string[]> {
  const history = newestFirst(points).map(({ id, takenAt, tags = [] }) => ({
    id,
    time: new Date(takenAt),
    tags,
  }));
  const kept = new Map<string, string[]>();
  const latest = latestOf(history, now);
  for (const { id, reason } of rulesOf(rules).flatMap(({ keeps }) => keeps(history, latest)))
    kept.set(id, [...(kept.get(id) ?? []), reason]);
  return kept;
}

/** `newest 3, daily 30, within 1d`; empty where no word keeps anything, 0 being as good as none. */
export function writeRetention(rules: Retention): string {
  return rulesOf(rules)
    .map(({ words }) => words)
    .join(', ');
}

/** Points of one moment are told apart by their ids, so that every plan of the same points is the same. */
export function newestFirst<Point extends TimedPoint>(points: readonly Point[]): Point[] {
  return points
    .map((point) => ({ point, time: instant(point.takenAt) }))
    .sort((one, other) => other.time - one.time || (one.point.id < other.point.id ? 1 : -1))
    .map(({ point }) => point);
}

interface Moment {
  id: string;
  time: Date;
  tags: readonly string[];
}

interface Rule {
  words: string;
  /** `history` is newest first; `latest` is what "within" counts back from, in milliseconds. */
  keeps: (history: readonly Moment[], latest: number) => { id: string; reason: string }[];
}

interface Period {
  word: string;
  /** The hour, day … as a person writes it, in UTC. */
  of: (time: Date) => string;
}

const hourly: Period = {
  word: 'hourly',
  of: (time) => time.toISOString().slice(0, 13).replace('T', ' ') + ':00',
};
const daily: Period = { word: 'daily', of: (time) => time.toISOString().slice(0, 10) };
const weekly: Period = { word: 'weekly', of: isoWeek };
const monthly: Period = { word: 'monthly', of: (time) => time.toISOString().slice(0, 7) };
const yearly: Period = { word: 'yearly', of: (time) => time.toISOString().slice(0, 4) };

function rulesOf(rules: Retention): Rule[] {
  return [
    ...tagged(rules.keepTags ?? []),
    ...newest(rules.keepLast),
    ...counted(hourly, rules.keepHourly),
    ...counted(daily, rules.keepDaily),
    ...counted(weekly, rules.keepWeekly),
    ...counted(monthly, rules.keepMonthly),
    ...counted(yearly, rules.keepYearly),
    ...within(rules.keepWithinSeconds),
    ...countedWithin(hourly, rules.keepWithinHourlySeconds),
    ...countedWithin(daily, rules.keepWithinDailySeconds),
    ...countedWithin(weekly, rules.keepWithinWeeklySeconds),
    ...countedWithin(monthly, rules.keepWithinMonthlySeconds),
    ...countedWithin(yearly, rules.keepWithinYearlySeconds),
  ];
}

/** As `--keep-tag` given once for each: whatever else is kept, and not counted. */
function tagged(tags: readonly string[]): Rule[] {
  return tags.map((tag) => {
    const words = `tagged ${tag}`;
    return {
      words,
      keeps: (history) =>
        history.filter((point) => point.tags.includes(tag)).map(({ id }) => ({ id, reason: words })),
    };
  });
}

function newest(count: number | null): Rule[] {
  if (!count) return [];
  const words = `newest ${count}`;
  const reason = count === 1 ? 'the newest' : `one of the newest ${count}`;
  return [{ words, keeps: (history) => history.slice(0, count).map(({ id }) => ({ id, reason })) }];
}

function within(seconds: number | null): Rule[] {
  if (!seconds) return [];
  const words = `within ${writeDuration(seconds)}`;
  const reason = `${words} of the newest`;
  return [
    {
      words,
      keeps: (history, latest) =>
        history.filter(({ time }) => isWithin(time, latest, seconds)).map(({ id }) => ({ id, reason })),
    },
  ];
}

function counted(period: Period, count: number | null): Rule[] {
  if (!count) return [];
  const words = `${period.word} ${count}`;
  return [{ words, keeps: (history) => lastOfEach(period, history, period.word, (_, kept) => kept < count) }];
}

function countedWithin(period: Period, seconds: number | null): Rule[] {
  if (!seconds) return [];
  const words = `${period.word} within ${writeDuration(seconds)}`;
  return [
    {
      words,
      keeps: (history, latest) =>
        lastOfEach(period, history, `${words} of the newest`, (time) => isWithin(time, latest, seconds)),
    },
  ];
}

/**
 * The last point of each hour, day … And the oldest of all if the rule has room left for it, even where its
 * period has one: so that a young history is kept back to its beginning.
 */
function lastOfEach(
  period: Period,
  history: readonly Moment[],
  words: string,
  hasRoom: (time: Date, kept: number) => boolean,
): { id: string; reason: string }[] {
  const kept: { id: string; reason: string }[] = [];
  let previous: string | null = null;
  for (const [index, { id, time }] of history.entries()) {
    const current = period.of(time);
    const isOldest = index === history.length - 1;
    if (!hasRoom(time, kept.length) || (current === previous && !isOldest)) continue;
    const what = current === previous ? 'the oldest of all' : `the last of ${current}`;
    kept.push({ id, reason: `${words}: ${what}` });
    previous = current;
  }
  return kept;
}

/** The newest that is not of the future; none: everything counts as within, as with restic. */
function latestOf(history: readonly Moment[], now: Date): number {
  return history.find(({ time }) => time.getTime() < now.getTime())?.time.getTime() ?? -Infinity;
}

function isWithin(time: Date, latest: number, seconds: number): boolean {
  return time.getTime() > latest - seconds * 1000;
}

/** The year is that of the week's Thursday: 2027-01-01 lies in week 2026-W53. */
function isoWeek(time: Date): string {
  const thursday = new Date(time);
  thursday.setUTCDate(time.getUTCDate() + 3 - ((time.getUTCDay() + 6) % 7));
  const year = thursday.getUTCFullYear();
  const days = Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / 86_400_000);
  return `week ${year}-W${String(Math.floor(days / 7) + 1).padStart(2, '0')}`;
}

/** Throws at a text that is no time: to a comparison it would be older than everything, and so dropped. */
function instant(text: string): number {
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new RangeError(`not a time: ${text}`);
  return time;
}
