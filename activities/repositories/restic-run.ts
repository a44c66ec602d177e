// The one way restic is called: secrets opened and closed around it, its retries bounded, a dead lock cleared
// once, and its end turned into a result or a typed failure.

import { mkdir } from 'node:fs/promises';
import { HoldfastError } from '../../domain/errors.ts';
import { runCommand, type CommandResult } from '../run-command.ts';
import type { Step } from '../step.ts';
import { commonArguments } from './restic-arguments.ts';
import { openSecrets, type OpenedSecrets, type ResticConnection } from './restic-connection.ts';
import { failureOf, givenUp, isRefusal } from './restic-failures.ts';
import { whySshFails } from './ssh-words.ts';
import { lastWord, readRetry, wordsOn } from './restic-messages.ts';

export interface ResticCall {
  /** For messages: "backup of orders". */
  operation: string;
  args: readonly string[];
  /** The second repository of `copy` and `init`. */
  from?: ResticConnection;
  env?: Readonly<Record<string, string>>;
  cwd?: string;
  onStdoutLine?: (line: string) => void;
  onStderrLine?: (line: string) => void;
  /** Lines that restic's child writes to descriptor 4 (5 in a call with `from`). */
  onSideLine?: (line: string) => void;
  /** Ends besides exit code 0 that the caller deals with. */
  accept?: (result: ResticResult) => boolean;
  /** What only this command's words can tell; null leaves it to what every command says. */
  explain?: (result: ResticResult) => HoldfastError | null;
  writesTo?: 'repository' | 'target';
  /** Instead of the connection's own; 0 does not wait. */
  lockWaitSeconds?: number;
}

export interface ResticResult extends CommandResult {
  /** restic's own words, without secrets. */
  words: string;
}

/**
 * Runs restic. A lock in the way is waited for, after `unlock` has removed what a dead process of this host
 * left; `unlock` keeps every lock whose owner may be alive. Throws `repository.*` and what `runCommand` does.
 */
export async function runRestic(
  connection: ResticConnection,
  call: ResticCall,
  step: Step,
): Promise<ResticResult> {
  await mkdir(connection.cacheFolder, { recursive: true, mode: 0o700 });
  const secrets = await openSecrets(connection, call.from ?? null);
  try {
    const waitSeconds = call.lockWaitSeconds ?? connection.lockWaitSeconds;
    let result = await once(connection, call, secrets, 0, step);
    if (result.exitCode === LOCKED && waitSeconds > 0) {
      await clearDeadLocks(connection, call, secrets, step);
      result = await once(connection, call, secrets, waitSeconds, step);
    }
    if (result.exitCode === 0 || call.accept?.(result)) return result;
    const explained = call.explain?.(result);
    if (explained) throw masked(explained, secrets);
    const why = /unable to start the sftp session/.test(result.words)
      ? await whySshFails(connection, step)
      : '';
    throw failureOf({
      operation: call.operation,
      repository: connection.name,
      url: connection.shownUrl,
      exitCode: result.exitCode,
      words: [secrets.mask(why), result.words].filter(Boolean).join('\n'),
      writesTo: call.writesTo ?? 'repository',
    });
  } finally {
    secrets.close();
  }
}

const LOCKED = 11;
/** restic also goes on trying where it was refused; a little patience is left for credentials just made. */
const REFUSED_SECONDS = 5;

async function clearDeadLocks(
  connection: ResticConnection,
  call: ResticCall,
  secrets: OpenedSecrets,
  step: Step,
): Promise<void> {
  step.say('info', `${connection.name} is locked: removing locks of dead processes, then waiting`);
  const unlock = { operation: call.operation, args: ['unlock'] };
  await once(connection, unlock, secrets, 0, step);
  if (!call.from) return;
  const fromSecrets = await openSecrets(call.from, null);
  try {
    await once(call.from, unlock, fromSecrets, 0, step);
  } finally {
    fromSecrets.close();
  }
}

async function once(
  connection: ResticConnection,
  call: ResticCall,
  secrets: OpenedSecrets,
  retryLockSeconds: number,
  step: Step,
): Promise<ResticResult> {
  const watch = new RetryWatch(connection.unreachableSeconds);
  const bounded: Step = { ...delegate(step), signal: AbortSignal.any([step.signal, watch.signal]) };
  const common = commonArguments({
    ends: call.from ? [connection, call.from] : [connection],
    uploadLimitBytesPerSecond: connection.uploadLimitBytesPerSecond,
    stuckSeconds: connection.unreachableSeconds,
    retryLockSeconds,
  });
  const [verb = '', ...rest] = call.args;
  try {
    const result = await runCommand(
      {
        tool: 'restic',
        file: connection.tool.path,
        args: [verb, ...common, ...rest],
        env: { ...secrets.env, ...call.env },
        descriptors: secrets.descriptors,
        ...(call.cwd !== undefined && { cwd: call.cwd }),
        ...(call.onStdoutLine && { onStdoutLine: call.onStdoutLine }),
        ...(call.onSideLine && { onSideLine: call.onSideLine }),
        onStderrLine: (line) => {
          watch.see(line);
          call.onStderrLine?.(secrets.mask(line));
        },
      },
      bounded,
    );
    return { ...result, words: secrets.mask(lastWord(result.stderr)) };
  } catch (error) {
    if (step.signal.aborted || watch.reason === null) throw masked(error, secrets);
    throw givenUp(
      {
        operation: call.operation,
        repository: connection.name,
        url: connection.shownUrl,
        words: secrets.mask(watch.reason),
        writesTo: call.writesTo ?? 'repository',
      },
      connection.unreachableSeconds,
    );
  } finally {
    watch.close();
  }
}

/** restic tries a failing request for up to 15 minutes. Ends it once one request failed for the bound. */
class RetryWatch {
  private readonly abort = new AbortController();
  private readonly failing = new Map<string, NodeJS.Timeout>();
  reason: string | null = null;

  constructor(private readonly boundSeconds: number) {}

  get signal(): AbortSignal {
    return this.abort.signal;
  }

  see(line: string): void {
    const retry = readRetry(line);
    if (!retry) return;
    const running = this.failing.get(retry.request);
    if (!retry.failing) {
      clearTimeout(running);
      this.failing.delete(retry.request);
    } else if (!running) {
      const end = () => {
        this.reason = wordsOn(line);
        this.abort.abort(new Error(this.reason));
      };
      const seconds = isRefusal(line) ? Math.min(REFUSED_SECONDS, this.boundSeconds) : this.boundSeconds;
      this.failing.set(retry.request, setTimeout(end, seconds * 1000));
    }
  }

  close(): void {
    for (const timer of this.failing.values()) clearTimeout(timer);
  }
}

function delegate(step: Step): Omit<Step, 'signal'> {
  return {
    progress: (progress) => {
      step.progress(progress);
    },
    say: (level, message) => {
      step.say(level, message);
    },
    started: (process) => {
      step.started(process);
    },
  };
}

function masked(error: unknown, secrets: OpenedSecrets): unknown {
  if (!(error instanceof HoldfastError)) return error;
  const { code, message, cause, hint, retryable } = error;
  return new HoldfastError({
    code,
    message: secrets.mask(message),
    cause: secrets.mask(cause),
    hint,
    retryable,
  });
}
