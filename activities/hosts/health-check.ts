import { setTimeout as pause } from 'node:timers/promises';
import type { HealthCheck } from '../../domain/configuration/types.ts';
import { HoldfastError } from '../../domain/errors.ts';
import type { Step } from '../step.ts';
import { runHook } from './user-command.ts';

/** A service that was just started may need this long until it answers. */
const HTTP_PATIENCE_MILLISECONDS = 30_000;
const HTTP_PAUSE_MILLISECONDS = 500;

export interface HealthSurroundings {
  folder: string;
  /** Runs SQL where the asset was restored to: true when the first column of its one row is. */
  ask(sql: string): Promise<boolean>;
}

/** Throws `health.failed` unless the restored service is healthy. */
export async function checkHealthOf(
  check: HealthCheck,
  around: HealthSurroundings,
  step: Step,
): Promise<void> {
  switch (check.kind) {
    case 'command':
      return checkCommand(check.command, around, step);
    case 'http':
      return checkHttp(check.url, step);
    case 'sql':
      if (await around.ask(check.sql)) return;
      throw unhealthy(check.sql, 'the answer is not true');
  }
}

async function checkCommand(
  command: Extract<HealthCheck, { kind: 'command' }>['command'],
  around: HealthSurroundings,
  step: Step,
): Promise<void> {
  try {
    await runHook(command, { folder: around.folder, onError: 'fail' }, step);
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'hook.failed')
      throw unhealthy(command.join(' '), error.cause);
    throw error;
  }
}

async function checkHttp(url: string, step: Step): Promise<void> {
  const deadline = Date.now() + HTTP_PATIENCE_MILLISECONDS;
  for (;;) {
    const seen = await answerOf(url, step.signal);
    if (seen === null) return;
    step.signal.throwIfAborted();
    if (Date.now() > deadline) throw unhealthy(url, seen);
    await pause(HTTP_PAUSE_MILLISECONDS, undefined, { signal: step.signal });
  }
}

/** What a page answers, within ten seconds; null: all is well. */
export async function answerOf(url: string, signal: AbortSignal): Promise<string | null> {
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]) });
    return response.ok ? null : `it answered ${response.status} ${response.statusText}`;
  } catch (error) {
    const cause =
      error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    return cause;
  }
}

function unhealthy(what: string, seen: string): HoldfastError {
  return new HoldfastError({
    code: 'health.failed',
    message: `the restored service is not healthy: ${what}`,
    cause: seen,
    hint: 'what was there before has been put back; restore beside it with --to to look at the data',
  });
}
