import type { NewDuration } from '../catalog/durations.ts';
import type { Deployment } from './deployment.ts';

/** Records how long a step took that began at `startedAt` (ms since 1970) and ends now: estimates come from it. */
export function recordDuration(
  deployment: Deployment,
  of: Pick<NewDuration, 'run' | 'asset' | 'step' | 'bytes'>,
  startedAt: number,
): Promise<void> {
  const now = deployment.clock().getTime();
  return deployment.catalog.durations.record({
    ...of,
    seconds: (now - startedAt) / 1000,
    endedAt: new Date(now).toISOString(),
  });
}
