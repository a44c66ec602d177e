import type { Catalog } from '../catalog/index.ts';
import { DAY_MILLISECONDS } from '../domain/objectives/windows.ts';

/** As long as the longest window of the objectives, though none of them is computed from these rows. */
const KEPT_DAYS = 90;

/** Counted from midnight, UTC: however often it is asked for, it is one event on the chain a day. */
export async function forgetOldRecords(catalog: Catalog, now: Date): Promise<void> {
  const days = Math.floor(now.getTime() / DAY_MILLISECONDS) - KEPT_DAYS;
  await catalog.oldRecords.forget(new Date(days * DAY_MILLISECONDS).toISOString());
}
