import type { Command } from '../../domain/configuration/types.ts';
import { HoldfastError } from '../../domain/errors.ts';
import { lastWords, runCommand } from '../run-command.ts';
import type { Step } from '../step.ts';

/** Commands of the user's own that say nothing for so long are ended: a hung quiesce must not hold a job. */
const STALL_SECONDS = 15 * 60;

export interface HookOptions {
  /** The configuration's folder: relative names mean what they mean there. */
  folder: string;
  /** `continue`: a failure is said and the job goes on. */
  onError: 'fail' | 'continue';
}

/** Runs one hook, stop, start or health command. It gets no secret of Holdfast's. */
export async function runHook(command: Command, options: HookOptions, step: Step): Promise<void> {
  const [file, ...args] = command;
  const shown = command.join(' ');
  step.say('info', `running ${shown}`);
  const { exitCode, stdout, stderr } = await runCommand(
    { tool: file, file, args, cwd: options.folder, stallSeconds: STALL_SECONDS },
    step,
  );
  if (exitCode === 0) return;
  const failure = new HoldfastError({
    code: 'hook.failed',
    message: `${shown} ended with exit code ${exitCode}`,
    cause: lastWords(stderr) || lastWords(stdout) || 'it printed nothing',
    hint: 'run it by hand to see why; it is run from the folder of the configuration',
  });
  if (options.onError === 'fail') throw failure;
  step.say('warning', `${failure.message}: ${failure.cause}; going on, as the asset's onError says`);
}
