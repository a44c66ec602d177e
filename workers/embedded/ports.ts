import { createServer } from 'node:net';
import { freePort } from '../../activities/hosts/postgres-cluster.ts';
import { HoldfastError } from '../../domain/errors.ts';
import { ENDED } from './process-part.ts';

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

/**
 * Between the look for a free port and its use another process may take it, also as the near end of a connection: the
 * server ends at once, and is started once more, on ports that are chosen anew. Returns those it serves on. One that
 * does not get ready in time is not started again: it may still be at work on its files.
 */
export async function onFreePorts<Ports>(
  first: Ports,
  anew: () => Promise<Ports>,
  start: (ports: Ports) => Promise<void>,
): Promise<Ports> {
  try {
    await start(first);
    return first;
  } catch (error) {
    if (!(error instanceof HoldfastError) || !error.cause.startsWith(ENDED)) throw error;
    // What keeps it from starting for good is said by the second attempt.
    const ports = await anew();
    await start(ports);
    return ports;
  }
}
