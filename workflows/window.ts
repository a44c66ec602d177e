import { sleep } from '@temporalio/workflow';
import { opensAt, type Window } from '../domain/cadence/window.ts';

/** Heavy work begins only while its window is open; nothing of it is begun before, no job and no lease. */
export async function untilOpen(window: Window | undefined): Promise<void> {
  if (!window) return;
  const now = new Date();
  const waits = opensAt(window, now).getTime() - now.getTime();
  if (waits > 0) await sleep(waits);
}
