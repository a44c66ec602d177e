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
  const [today, ...since] = [1, WINDOW_DAYS.days7, WINDOW_DAYS.days30, WINDOW_DAYS.days90].map((days) =>
    firstDayOf(days, now),
  );
  const bands = await query<BandRow>(BANDS, [today, ...since]);
  const measured = await query<MeasuredRow>(MEASURED, [
    dayOf(now),
    firstDayOf(RECENT_DAYS + PREVIOUS_DAYS, now),
  ]);
  const durations = new Map(measured.map((row) => [keyOf(row), row]));
  const assets = new Map<string, BandRow[]>();
  for (const row of bands) {
    const known = assets.get(keyOf(row));
    if (known) known.push(row);
    else assets.set(keyOf(row), [row]);
  }
  return [...assets.values()].map((rows) => figuresOf(rows, durations));
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
}

/**
 * Every day is added up once, in its band; a window is its own band and the shorter ones'. A clock that was
 * ahead has left days that are yet to come: they are in none. As doubles sums of bigint are ten times as
 * fast, and exact below 2^53.
 */
const BANDS = `
  select asset, policy, (day < $2::date)::integer + (day < $3::date)::integer as band,
         sum(backups_succeeded) as succeeded, sum(backups_failed) as failed, sum(backups_missed) as missed,
         sum(validations_succeeded) as validated, sum(validations_failed) as invalid,
         sum(added_bytes::double precision) as added
    from asset_days
   where day >= $4::date and day <= $1::date
   group by asset, policy, band`;

interface MeasuredRow {
  asset: string;
  policy: string;
  storing: string | null;
  rehearsing: string | null;
}

/** `[[3,41250],…]`: days ago and milliseconds. Put together as text: json_agg cost more than all the rest. */
const MEASURED = `
  select asset, policy, ${daily('store')} as storing, ${daily('rehearse')} as rehearsing
    from asset_days
   where day >= $2::date and day <= $1::date and (store_runs > 0 or rehearse_runs > 0)
   group by asset, policy`;

function daily(step: 'store' | 'rehearse'): string {
  return `'[' || string_agg('[' || ($1::date - day) || ',' || ${step}_milliseconds / ${step}_runs || ']', ',')
    filter (where ${step}_runs > 0) || ']'`;
}

function figuresOf(rows: readonly BandRow[], durations: ReadonlyMap<string, MeasuredRow>): AssetFigures {
  const [{ asset, policy }] = rows as [BandRow];
  const measured = durations.get(keyOf({ asset, policy }));
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
    storing: durationsOf(measured?.storing ?? null),
    rehearsing: durationsOf(measured?.rehearsing ?? null),
  };
}

/** `within`: the last band that is in the window. */
function each<T>(figure: (within: number) => T): Windows<T> {
  return { days7: figure(0), days30: figure(1), days90: figure(2) };
}

function sum(
  rows: readonly BandRow[],
  within: number,
  of: Exclude<keyof BandRow, 'asset' | 'policy' | 'band'>,
): number {
  let total = 0;
  for (const row of rows) if (row.band <= within) total += row[of];
  return total;
}

function durationsOf(days: string | null): DailyDuration[] {
  if (days === null) return [];
  const pairs = JSON.parse(days) as [number, number][];
  return pairs.map(([daysAgo, milliseconds]) => ({ daysAgo, seconds: milliseconds / 1000 }));
}

function keyOf({ asset, policy }: { asset: string; policy: string }): string {
  return `${asset}\0${policy}`;
}
