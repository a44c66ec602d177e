// The figures behind the objectives, as lines below the table: those of an asset or repository that was asked
// for, and of the others what a reader should know without asking.

import { formatBytes } from '../domain/bytes.ts';
import { formatDuration } from '../domain/duration.ts';
import { percent, type ErrorBudget } from '../domain/objectives/error-budget.ts';
import type { DurationTrend } from '../domain/objectives/duration-trend.ts';
import type { ObjectiveFigures } from '../domain/objectives/figures.ts';
import type { SuccessRate } from '../domain/objectives/success-rate.ts';
import { WINDOW_DAYS, windowNames, type WindowName, type Windows } from '../domain/objectives/windows.ts';
import { printable } from './printable.ts';
import { when } from './when.ts';

export interface RepositoryFigures {
  name: string;
  growth: {
    storedBytes: number | null;
    capacityBytes: number | null;
    changes: Windows<number | null>;
    bytesPerDay: number | null;
  };
  fillsAt: string | null;
}

/** A repository that will be full sooner is mentioned unasked. */
const NOTABLE_DAYS = 30;

export function assetFigureLines({
  successRates,
  errorBudget,
  growth,
  durations,
}: ObjectiveFigures): string[] {
  return [
    `  backups      ${each((window) => rateWords(successRates.backups[window]))}`,
    `  validations  ${each((window) => rateWords(successRates.validations[window]))}`,
    ...(errorBudget ? [`  budget       ${budgetWords(errorBudget)}`] : []),
    `  stored       ${each((window) => bytesWords(growth[window]))}`,
    `  took         backup ${trendWords(durations.backup)}; rehearsal ${trendWords(durations.rehearsal)}`,
  ];
}

export function repositoryLine(repository: RepositoryFigures, now: Date): string {
  const { name, growth, fillsAt } = repository;
  if (growth.storedBytes === null) return printable(`${name}: its size is unknown`);
  const of = growth.capacityBytes === null ? '' : ` of ${formatBytes(growth.capacityBytes)}`;
  const grew = each((window) => bytesWords(growth.changes[window]));
  const full = fillsAt === null ? '' : `; full ${when(fillsAt, now)} at this pace`;
  return printable(`${name}: ${formatBytes(growth.storedBytes)}${of} stored; ${grew}${full}`);
}

/** Unasked: only what will be full soon. */
export function notableRepositories(repositories: readonly RepositoryFigures[], now: Date): string[] {
  return repositories
    .filter(
      ({ fillsAt }) => fillsAt !== null && Date.parse(fillsAt) - now.getTime() < NOTABLE_DAYS * 86_400_000,
    )
    .map(({ name, fillsAt, growth }) =>
      printable(
        `${name} will be full ${when(fillsAt, now)} at the pace of the last 90 days` +
          ` (${formatBytes(growth.bytesPerDay ?? 0)} a day): keep less, or give it more room`,
      ),
    );
}

function each(words: (window: WindowName) => string): string {
  return windowNames.map((window) => `${WINDOW_DAYS[window]} d ${words(window)}`).join(', ');
}

function rateWords({ rate, succeeded, failed, missed }: SuccessRate): string {
  if (rate === null) return 'unknown';
  const due = succeeded + failed + missed;
  return `${percent(rate)} of ${due}${missed > 0 ? ` (${missed} missed)` : ''}`;
}

function budgetWords({ objective, allowed, used, remaining, burnRate }: ErrorBudget): string {
  const pace = burnRate === null ? '' : `; burning at ${rounded(burnRate)} times the pace that uses it up`;
  const left = `${rounded(remaining)} of ${rounded(allowed)} runs left for ${percent(objective)} in 30 d`;
  return `${left}, ${used} used${pace}`;
}

function trendWords({ recentSeconds, previousSeconds, ratio }: DurationTrend): string {
  if (recentSeconds === null) return 'unknown';
  const before = previousSeconds === null ? '' : ` (${formatDuration(previousSeconds)} before)`;
  return `${formatDuration(recentSeconds)}${before}${ratio !== null && ratio >= 1.5 ? ', slower' : ''}`;
}

function bytesWords(bytes: number | null): string {
  if (bytes === null) return 'unknown';
  return `${bytes < 0 ? '' : '+'}${formatBytes(bytes)}`;
}

function rounded(value: number): string {
  return String(Math.round(value * 100) / 100);
}
