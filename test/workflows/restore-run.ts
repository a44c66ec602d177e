import type { RestoreStatus } from '../../domain/restore.ts';
import { commit, type RestoreInput } from '../../workflows/messages.ts';
import type { Script } from './steps-double.ts';
import { play, until, type Run } from './time-skipping.ts';

export const HOUR = 3600;
export const input: RestoreInput = {
  restoreId: 'r-1',
  asset: 'orders',
  point: 'latest',
  time: null,
  include: [],
  to: null,
  from: null,
  actor: 'tester',
  expirySeconds: HOUR,
};

export const prepare = (script: Script) => play('restore', input, script);

export async function prepared(script: Script): Promise<Run> {
  const run = await prepare(script);
  await until('it is prepared', async () => (await run.phase()) === 'prepared');
  return run;
}

export async function committed(script: Script): Promise<Run> {
  const run = await prepared(script);
  await run.handle.executeUpdate(commit);
  return run;
}

export async function statusOf(run: Run): Promise<RestoreStatus | 'cancelled'> {
  const ending = await run.ending<{ status: RestoreStatus }>();
  return ending === 'cancelled' ? ending : ending.status;
}

/** What the catalogue was told last. */
export const last = (run: Run) => run.of('restoreStatus').at(-1)!.input;
