// What the objectives of every asset are judged by, from the counts of each day (the triggers of migration
// 0008 keep them): one pass over 90 rows an asset, whatever the cadence.

import { PREVIOUS_DAYS, RECENT_DAYS, type DailyDuration } from '../domain/objectives/duration-trend.ts';
import type { Counted } from '../domain/objectives/figures.ts';
import { dayOf, firstDayOf, WINDOW_DAYS, type Windows } from '../domain/objectives/windows.ts';
import type { Query } from './connection.ts';

/** Of one asset under one policy; its restores, which are of no policy, apart. */
export interface AssetFigures extends Counted {
  asset: string;
  policy: string | null;
}

export async function assetFigures(query: Query, now: Date): Promise<AssetFigures[]> {
  const { days7, days30, days90 } = WINDOW_DAYS;
  const trend = RECENT_DAYS + PREVIOUS_DAYS;
  const rows = await query<BandRow>(BANDS, [
    dayOf(now),
    ...[days7, days30, days90, trend].map((days) => firstDayOf(days, now)),
  ]);
  const assets = new Map<string, BandRow[]>();
  for (const row of rows) {
    const key = `${row.asset}\0${row.policy}`;
    const known = assets.get(key);
    if (known) known.push(row);
    else assets.set(key, [row]);
  }
  return [...assets.values()].map(figuresOf);
}

/** What was counted in the days of one window that are in no shorter one. */
interface BandRow {
  asset: string;
  policy: string;
  /** 0: of the shortest. */
  band: number;
  succeeded: number;
  failed: number;
  missed: number;
  validated: number;
  invalid: number;
  added: number;
  /** `3,41250,2,40100`: days ago and milliseconds, in turn. */
  storing: string | null;
  rehearsing: string | null;
}

/**
 * Every day is looked at once, in its band; a window is its own band and the shorter ones'. A clock that was
 * ahead has left days that are yet to come: they are in none. As doubles sums of bigint are ten times as
 * fast, and exact below 2^53; days put together as text cost a fraction of what json_agg does.
 */
const BANDS = `
  select asset, policy, (day < $2::date)::integer + (day < $3::date)::integer as band,
         sum(backups_succeeded) as succeeded, sum(backups_failed) as failed, sum(backups_missed) as missed,
         sum(validations_succeeded) as validated, sum(validations_failed) as invalid,
         sum(added_bytes::double precision) as added,
         ${daily('store')} as storing, ${daily('rehearse')} as rehearsing
    from asset_days
   where day >= $4::date and day <= $1::date
   group by asset, policy, band`;

function daily(step: 'store' | 'rehearse'): string {
  return `string_agg(($1::date - day) || ',' || ${step}_milliseconds / ${step}_runs, ',')
    filter (where ${step}_runs > 0 and day >= $5::date)`;
}

function figuresOf(rows: readonly BandRow[]): AssetFigures {
  const [{ asset, policy }] = rows as [BandRow];
  return {
    asset,
    policy: policy === '' ? null : policy,
    backups: each((within) => ({
      succeeded: sum(rows, within, 'succeeded'),
      failed: sum(rows, within, 'failed'),
      missed: sum(rows, within, 'missed'),
    })),
    validations: each((within) => ({
      succeeded: sum(rows, within, 'validated'),
      failed: sum(rows, within, 'invalid'),
      missed: 0,
    })),
    addedBytes: each((within) => sum(rows, within, 'added')),
    storing: durationsOf(rows.map(({ storing }) => storing)),
    rehearsing: durationsOf(rows.map(({ rehearsing }) => rehearsing)),
  };
}

/** `within`: the last band that is in the window. */
function each<T>(figure: (within: number) => T): Windows<T> {
  return { days7: figure(0), days30: figure(1), days90: figure(2) };
}

function sum(
  rows: readonly BandRow[],
  within: number,
  of: 'succeeded' | 'failed' | 'missed' | 'validated' | 'invalid' | 'added',
): number {
  let total = 0;
  for (const row of rows) if (row.band <= within) total += row[of];
  return total;
}

function durationsOf(bands: readonly (string | null)[]): DailyDuration[] {
  const days: DailyDuration[] = [];
  const numbers = JSON.parse(`[${bands.filter((band) => band !== null).join(',')}]`) as number[];
  for (let at = 0; at < numbers.length; at += 2)
    days.push({ daysAgo: numbers[at] ?? 0, seconds: (numbers[at + 1] ?? 0) / 1000 });
  return days;
}
