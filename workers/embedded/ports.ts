import { createServer } from 'node:net';
import { freePort } from '../../activities/hosts/postgres-cluster.ts';

/**
 * A fixed port if the configuration names one, else the one used last time while it is free (so that a
 * bookmark of the Temporal UI lives), else a free one.
 */
export async function choosePort(fixed: number | null, lastTime: number | undefined): Promise<number> {
  if (fixed !== null) return fixed;
  if (lastTime !== undefined && (await isFree(lastTime))) return lastTime;
  return freePort();
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
