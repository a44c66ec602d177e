import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { HoldfastError } from '../../domain/errors.ts';
import type { Part, RunningPart } from './part.ts';

/** How the cause begins where a part did not live until it was ready. */
export const ENDED = 'it ended with';
const STOP_MILLISECONDS = 20_000;
const START_MILLISECONDS = 60_000;

export interface ProcessPart {
  name: string;
  file: string;
  args: string[];
  /** Added the first time only: a start again after a death goes without. */
  firstArgs?: string[];
  /** Appended to; what the process says goes there. */
  logFile: string;
  /** Serves when it printed a line `ready`, or when this resolves; called with a signal that ends the wait. */
  ready: 'line' | ((signal: AbortSignal) => Promise<void>);
}

/** A part that is a program of its own. It dies with this process, even when that is killed. */
export function processPart(options: ProcessPart): Part {
  let { firstArgs = [] } = options;
  return {
    name: options.name,
    launch: () => {
      const args = [...options.args, ...firstArgs];
      firstArgs = [];
      return launch({ ...options, args });
    },
  };
}

async function launch(options: ProcessPart): Promise<RunningPart> {
  const log = { file: options.logFile, append: true } as const;
  const subprocess = execa('setpriv', ['--pdeathsig', 'KILL', '--', options.file, ...options.args], {
    stdin: 'ignore',
    stdout: options.ready === 'line' ? 'pipe' : log,
    stderr: log,
    buffer: false,
    reject: false,
    cleanup: true,
    forceKillAfterDelay: STOP_MILLISECONDS,
  });
  const exited = subprocess.then((result) => ({
    exitCode: result.exitCode ?? null,
    signal: result.signal ?? null,
  }));
  const gaveUp = new AbortController();
  void exited.then(({ exitCode, signal }) => gaveUp.abort(`${ENDED} ${signal ?? `exit code ${exitCode}`}`));
  const timer = setTimeout(() => gaveUp.abort('it did not get ready in time'), START_MILLISECONDS);
  try {
    const ready = options.ready === 'line' ? readyLine(subprocess.stdout) : options.ready(gaveUp.signal);
    await Promise.race([ready, aborted(gaveUp.signal, options)]);
  } catch (error) {
    subprocess.kill('SIGKILL');
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return {
    pid: subprocess.pid ?? 0,
    exited,
    stop: async () => {
      subprocess.kill('SIGTERM');
      await exited;
    },
  };
}

/** Goes on reading afterwards, so that the process never blocks on a full pipe. */
function readyLine(stream: NodeJS.ReadableStream | null): Promise<void> {
  return new Promise((resolve) => {
    if (!stream) return;
    createInterface({ input: stream }).on('line', (line) => {
      if (line === 'ready') resolve();
    });
  });
}

function aborted(signal: AbortSignal, options: ProcessPart): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(notStarted(options, String(signal.reason))), {
      once: true,
    });
  });
}

function notStarted(options: ProcessPart, seen: string): HoldfastError {
  return new HoldfastError({
    code: 'service.failed',
    message: `${options.name} could not be started`,
    cause: seen,
    hint: `its own words are at the end of ${options.logFile}`,
  });
}
