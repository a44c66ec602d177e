// Points and rules of every kind, for the properties of retention.

import fc from 'fast-check';
import type { Retention } from '../../../domain/configuration/types.ts';
import type { RetainedPoint } from '../../../domain/retention/plan.ts';
import { keepsNothing } from '../configuration/written.ts';

export const now = new Date('2026-11-20T16:00:00.000Z');
const HOUR = 3_600_000;

export function daysAgo(days: number): string {
  return new Date(now.getTime() - days * 24 * HOUR).toISOString();
}

export function retention(words: Partial<Retention>): Retention {
  return { ...keepsNothing, ...words };
}

/** A whole regular point, nothing special about it, named by its time. */
export function pointAt(takenAt: string, change: Partial<RetainedPoint> = {}): RetainedPoint {
  return {
    id: takenAt,
    kind: 'regular',
    takenAt,
    storedAt: takenAt,
    verifiedAt: null,
    provenAt: null,
    damaged: false,
    held: [],
    expiresAt: null,
    ...change,
  };
}

const counts = ['keepLast', 'keepHourly', 'keepDaily', 'keepWeekly', 'keepMonthly', 'keepYearly'] as const;
const withins = [
  'keepWithinSeconds',
  'keepWithinHourlySeconds',
  'keepWithinDailySeconds',
  'keepWithinWeeklySeconds',
  'keepWithinMonthlySeconds',
  'keepWithinYearlySeconds',
] as const;
/** All but `keepTags`, which has no number. */
export type NumberedWord = Exclude<keyof Retention, 'keepTags'>;
export const allWords: readonly NumberedWord[] = [...counts, ...withins];

const someTags = ['release', 'audit:2026', 'v2.1', 'weekly'];
/** Most points have none. */
export const tagsOfPoint: fc.Arbitrary<string[]> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<string[]>([]) },
  { weight: 2, arbitrary: fc.subarray(someTags) },
);
const someKeepTags = fc.oneof(
  { weight: 2, arbitrary: fc.constant({}) },
  {
    weight: 1,
    arbitrary: fc
      .subarray([...someTags, 'on-no-point'], { minLength: 1, maxLength: 3 })
      .map((keepTags) => ({ keepTags })),
  },
);

/** What the configuration takes: numbers from 0, times of whole hours. */
export function numberFor(word: NumberedWord): fc.Arbitrary<number> {
  return (counts as readonly string[]).includes(word)
    ? fc.integer({ min: 0, max: 12 })
    : fc
        .oneof(
          fc.integer({ min: 1, max: 72 }),
          fc.integer({ min: 1, max: 900 }).map((days) => days * 24),
        )
        .map((hours) => hours * 3600);
}

/** One to four words of restic's; at least one keeps something. */
export const someRules: fc.Arbitrary<Retention> = fc
  .subarray([...allWords], { minLength: 1, maxLength: 4 })
  .chain((words) => fc.tuple(...words.map((word) => numberFor(word).map((number) => ({ [word]: number })))))
  .map((words) => retention(Object.assign({}, ...words) as Partial<Retention>))
  .filter((rules) => allWords.some((word) => (rules[word] ?? 0) > 0))
  .chain((rules) => someKeepTags.map((keepTags) => ({ ...rules, ...keepTags })));

/** Some in one hour or day, some years apart, some at one moment, a few yet to come. */
const someTime = fc
  .oneof(
    fc.integer({ min: 0, max: 30 * 60 }).map((minutes) => minutes / 60),
    fc.integer({ min: 0, max: 60 }).map((days) => days * 24),
    fc.integer({ min: -48, max: 4 * 365 * 24 }),
  )
  .map((hours) => new Date(now.getTime() - hours * HOUR).toISOString());

const sometimes = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: null, freq: 2 });
const somePoint = (id: string): fc.Arbitrary<RetainedPoint> =>
  fc.record({
    id: fc.constant(id),
    kind: fc.oneof(
      { weight: 6, arbitrary: fc.constant('regular' as const) },
      fc.constantFrom('safety', 'system'),
    ),
    takenAt: someTime,
    tags: tagsOfPoint,
    storedAt: someTime,
    verifiedAt: sometimes(someTime),
    provenAt: sometimes(someTime),
    damaged: fc.oneof({ weight: 6, arbitrary: fc.constant(false) }, fc.constant(true)),
    held: fc.oneof(
      { weight: 6, arbitrary: fc.constant([]) },
      fc.constant([{ owner: 'restore r-19', reason: 'it is prepared' }]),
    ),
    expiresAt: sometimes(someTime),
  });

export const somePoints: fc.Arbitrary<RetainedPoint[]> = fc
  .integer({ min: 0, max: 24 })
  .chain((count) => fc.tuple(...Array.from({ length: count }, (_, index) => somePoint(`point-${index}`))));

/** Nothing special about them: only the rules speak. */
export const plainPoints: fc.Arbitrary<RetainedPoint[]> = somePoints.map((points) =>
  points.map(({ id, takenAt, tags = [] }) => pointAt(takenAt, { id, tags })),
);
