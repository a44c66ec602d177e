import { stopRunning } from '../workers/embedded/running.ts';

/** Stops the stack of this data directory; running jobs go on at the next `up`. */
export async function down(dataDir: string): Promise<{ stopped: boolean }> {
  return { stopped: await stopRunning(dataDir) };
}
