// The watch of a game day: asked again and again whether the service is well, as whoever notices an outage would.

import { setTimeout as pause } from 'node:timers/promises';
import type { Watch } from '../../domain/configuration/drill-types.ts';
import { HoldfastError } from '../../domain/errors.ts';
import { answerOf } from '../hosts/health-check.ts';
import { runHook } from '../hosts/user-command.ts';
import type { Step } from '../step.ts';

export interface Wanted {
  well: boolean;
  /** The last look is not before. */
  until: Date;
  folder: string;
  clock(): Date;
}

const PAUSE_MILLISECONDS = 500;
/** Of a command; a page has as long. */
const LOOK_SECONDS = 10;

export async function keepWatch(
  watch: Watch,
  wanted: Wanted,
  step: Step,
): Promise<{ seen: boolean; words: string }> {
  for (;;) {
    const trouble = await look(watch, wanted.folder, step);
    step.signal.throwIfAborted();
    const words = trouble ?? 'it is well';
    if ((trouble === null) === wanted.well) return { seen: true, words };
    if (wanted.clock() >= wanted.until) return { seen: false, words };
    await pause(PAUSE_MILLISECONDS, undefined, { signal: step.signal });
  }
}

/** null: it is well. */
async function look(watch: Watch, folder: string, step: Step): Promise<string | null> {
  if (watch.kind === 'http') return answerOf(watch.url, step.signal);
  const late = AbortSignal.timeout(LOOK_SECONDS * 1000);
  const signal = AbortSignal.any([step.signal, late]);
  try {
    await runHook(watch.command, { folder, onError: 'fail' }, { ...step, signal, say: () => undefined });
    return null;
  } catch (error) {
    if (late.aborted && !step.signal.aborted) return `it said nothing within ${LOOK_SECONDS} s`;
    if (error instanceof HoldfastError && error.code === 'hook.failed') return error.cause;
    throw error;
  }
}
