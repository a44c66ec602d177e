// What a person sees while a recovery goes on, and how it is stopped: Ctrl-C leaves nothing behind.

import { formatByteRate, formatBytes } from '../domain/bytes.ts';
import { HoldfastError } from '../domain/errors.ts';
import type { recover } from '../workers/recover/recover.ts';
import { printable } from './printable.ts';

type Step = Parameters<typeof recover>[1];

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const PROGRESS_MILLISECONDS = 5_000;

/** `end` lets the signals do again what they did before. */
export function stepOfTerminal(say: (line: string) => void): { step: Step; end: () => void } {
  const stopping = new AbortController();
  const stop = (signal: NodeJS.Signals) => stopping.abort(stopped(signal));
  for (const signal of SIGNALS) process.once(signal, stop);
  let shownAt = Date.now();
  const step: Step = {
    signal: stopping.signal,
    started: () => undefined,
    say: (level, message) => say(printable(level === 'info' ? message : `${level}: ${message}`)),
    progress: ({ bytesDone, bytesTotal, bytesPerSecond }) => {
      if (Date.now() - shownAt < PROGRESS_MILLISECONDS) return;
      shownAt = Date.now();
      const total = bytesTotal === null ? '' : ` of ${formatBytes(bytesTotal)}`;
      say(`  ${formatBytes(bytesDone)}${total}, ${formatByteRate(bytesPerSecond)}`);
    },
  };
  return {
    step,
    end: () => {
      for (const signal of SIGNALS) process.off(signal, stop);
    },
  };
}

function stopped(signal: string): HoldfastError {
  return new HoldfastError({
    code: 'cancelled',
    message: 'the recovery was stopped',
    cause: signal,
    hint: 'nothing was left behind; run it again when it is wanted',
  });
}
