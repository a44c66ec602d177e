import { HoldfastError } from '../../domain/errors.ts';
import type { Step } from '../step.ts';

/** For loops that run no tool: throws what a cancelled tool would throw. */
export function stopIfCancelled(step: Pick<Step, 'signal'>): void {
  if (!step.signal.aborted) return;
  const reason: unknown = step.signal.reason;
  if (reason instanceof Error && reason.name === 'CancelledFailure') throw reason;
  throw new HoldfastError({
    code: 'cancelled',
    message: 'the step was stopped because its job was cancelled',
    cause: reason instanceof Error ? reason.message : 'cancelled',
    hint: 'start the job again when it is wanted',
  });
}
