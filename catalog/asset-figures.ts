// What the objectives of every asset are judged by, from the counts of each day (the triggers of migration
// 0008 keep them): one pass over 90 rows an asset, whatever the cadence.

import { RECENT_DAYS, PREVIOUS_DAYS, type DailyDuration } from '../domain/objectives/duration-trend.ts';
import type { Counted } from '../domain/objectives/figures.ts';
import { dayOf, firstDayOf, forEachWindow, WINDOW_DAYS, windowNames } from '../domain/objectives/windows.ts';
import type { Query } from './connection.ts';

/** Of one asset under one policy; its restores, which are of no policy, apart. */
export interface AssetFigures extends Counted {
  asset: string;
  policy: string | null;
}

export async function assetFigures(query: Query, now: Date): Promise<AssetFigures[]> {
  const rows = await query<FiguresRow>(FIGURES, [
    dayOf(now),
    ...windowNames.map((name) => firstDayOf(WINDOW_DAYS[name], now)),
    firstDayOf(RECENT_DAYS + PREVIOUS_DAYS, now),
  ]);
  return rows.map((row) => ({
    asset: row.asset,
    policy: row.policy === '' ? null : row.policy,
    backups: forEachWindow((window) => ({
      succeeded: row[`${window}_succeeded`],
      failed: row[`${window}_failed`],
      missed: row[`${window}_missed`],
    })),
    validations: forEachWindow((window) => ({
      succeeded: row[`${window}_validated`],
      failed: row[`${window}_invalid`],
      missed: 0,
    })),
    addedBytes: forEachWindow((window) => Number(row[`${window}_added`])),
    storing: durationsOf(row.storing),
    rehearsing: durationsOf(row.rehearsing),
  }));
}

type Sum = 'succeeded' | 'failed' | 'missed' | 'validated' | 'invalid' | 'added';

type FiguresRow = Record<`${keyof typeof WINDOW_DAYS}_${Sum}`, number> & {
  asset: string;
  policy: string;
  storing: [number, number][] | null;
  rehearsing: [number, number][] | null;
};

const COLUMN: Record<Sum, string> = {
  succeeded: 'backups_succeeded',
  failed: 'backups_failed',
  missed: 'backups_missed',
  validated: 'validations_succeeded',
  invalid: 'validations_failed',
  added: 'added_bytes',
};

const SUMS = windowNames.flatMap((window, index) =>
  Object.entries(COLUMN).map(
    ([sum, column]) =>
      `coalesce(sum(${column}) filter (where day >= $${index + 2}::date), 0)::bigint as "${window}_${sum}"`,
  ),
);

function daily(step: 'store' | 'rehearse'): string {
  return `json_agg(json_build_array($1::date - day, ${step}_milliseconds / ${step}_runs))
    filter (where ${step}_runs > 0 and day >= $5::date)`;
}

/** A clock that was ahead has left days that are yet to come: they are not in any window. */
const FIGURES = `
  select asset, policy, ${SUMS.join(', ')}, ${daily('store')} as storing, ${daily('rehearse')} as rehearsing
    from asset_days
   where day >= $4::date and day <= $1::date
   group by asset, policy`;

function durationsOf(days: [number, number][] | null): DailyDuration[] {
  return (days ?? []).map(([daysAgo, milliseconds]) => ({ daysAgo, seconds: milliseconds / 1000 }));
}
