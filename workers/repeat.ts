import { setTimeout as pause } from 'node:timers/promises';

export interface Repetition {
  /** Resolves when the work under way has ended; it is not begun again. */
  stop(): Promise<void>;
}

/** Does the work again and again, `milliseconds` after it ended, never beside itself. A failure ends nothing. */
export function repeat(
  milliseconds: number,
  work: () => Promise<void>,
  failed: (error: unknown) => void,
): Repetition {
  const stopping = new AbortController();
  const { signal } = stopping;
  const running = (async () => {
    for (;;) {
      await pause(milliseconds, null, { signal }).catch(() => null);
      if (signal.aborted) return;
      await work().catch(failed);
    }
  })();
  return {
    stop: () => {
      stopping.abort();
      return running;
    },
  };
}
