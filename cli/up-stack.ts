import { spawn } from 'node:child_process';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Configuration } from '../domain/configuration/types.ts';
import { HoldfastError } from '../domain/errors.ts';
import { findRunning } from '../workers/embedded/running.ts';
import { startStack, type RunningStack } from '../workers/embedded/stack.ts';

export interface UpOptions {
  configuration: Configuration;
  configurationFile: string;
  only: 'worker' | 'api' | null;
  say(message: string): void;
}

/** Runs the stack until a signal ends it; `onReady` is called once everything serves. */
export async function upInForeground(
  options: UpOptions,
  onReady: (urls: RunningStack['urls']) => void,
): Promise<void> {
  const stack = await startStack(options);
  const ended = new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, resolve);
  });
  onReady(stack.urls);
  options.say(`stopping (${await ended})`);
  await stack.stop();
}

/** Starts `up` as a process of its own that shares nothing with this one, and returns when it is ready. */
export async function upDetached(options: UpOptions, args: readonly string[]): Promise<RunningStack['urls']> {
  const { dataDir } = options.configuration;
  const running = await findRunning(dataDir);
  if (running?.ready) return running.ready.urls;
  await mkdir(join(dataDir, 'log'), { recursive: true, mode: 0o700 });
  const logFile = join(dataDir, 'log', 'up.log');
  const log = await open(logFile, 'a', 0o600);
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? '', ...args], {
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  await log.close();
  const ended: number[] = [];
  child.once('exit', (code) => ended.push(code ?? 1));
  child.unref();
  for (;;) {
    const found = await findRunning(dataDir);
    if (found?.pid === child.pid && found?.ready) return found.ready.urls;
    if (ended.length > 0) {
      throw new HoldfastError({
        code: 'service.failed',
        message: 'the stack could not be started',
        cause: `it ended with exit code ${ended[0]}`,
        hint: `its own words are at the end of ${logFile}; \`holdfast up\` in the foreground shows them too`,
      });
    }
    await pause(100);
  }
}

export function partNamed(name: string | undefined): 'worker' | 'api' | null {
  if (name === undefined || name === 'worker' || name === 'api') return name ?? null;
  throw new HoldfastError({
    code: 'usage',
    message: `\`up --only ${name}\` cannot be done`,
    cause: 'the parts that can run alone are worker and api',
    hint: 'choose one of the two, or leave --only away',
  });
}
