// What shows that restored data is of use: commands of the user's own, and HTTP against an application that is
// started beside the data. Each is bounded in time, and whatever hangs is ended with everything it started.

import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Drill, SmokeTest } from '../../domain/configuration/drill-types.ts';
import type { Command } from '../../domain/configuration/types.ts';
import { notCarriedOut, smokeName } from '../../domain/drills/plan.ts';
import { formatDuration } from '../../domain/duration.ts';
import { HoldfastError } from '../../domain/errors.ts';
import type { DrillCheck, DrillCommand } from '../../domain/evidence/record.ts';
import type { ProcessFence } from '../hosts/process-fence.ts';
import { lastWords, runCommand } from '../run-command.ts';
import type { Step } from '../step.ts';
import type { RoomAccount } from './room-account.ts';

export interface SmokeRoom {
  folder: string;
  /** What the tests are told: the room, and where each asset is. */
  env: Record<string, string>;
  /** Of the processes it starts: what has one of these keys is the drill's own. */
  processes: ProcessFence;
  appKey: string;
  testKey: string;
  /** Ends the application and the tests, with whatever has left them. */
  endProcesses(): Promise<void>;
  /** As whom they run; null: as the worker. */
  account: RoomAccount | null;
}

export interface Smoked {
  checks: DrillCheck[];
  commands: DrillCommand[];
}

/** A test that does not hold is in the answer; thrown is only what kept the tests from being carried out at all. */
export async function runSmoke(
  drill: Pick<Drill, 'start' | 'smoke' | 'smokeSeconds'>,
  room: SmokeRoom,
  step: Step,
): Promise<Smoked> {
  const port = await freePort();
  const told = { ...room, env: { ...room.env, HOLDFAST_DRILL_PORT: String(port) } };
  const smoked: Smoked = { checks: [], commands: [] };
  const app = drill.start === null ? null : startApp(drill.start, told, step);
  try {
    for (const test of drill.smoke) {
      const limited = { seconds: drill.smokeSeconds, port, app };
      smoked.checks.push(await runTest(test, told, limited, smoked.commands, step));
      step.signal.throwIfAborted();
    }
  } finally {
    await room.endProcesses();
    await app?.ended;
  }
  return smoked;
}

interface App {
  /** How it ended, in words; null while it runs. */
  fate(): string | null;
  ended: Promise<void>;
}

interface Limits {
  seconds: number;
  port: number;
  app: App | null;
}

function startApp(command: Command, room: SmokeRoom, step: Step): App {
  let fate: string | null = null;
  const ended = runOwn(command, room, room.appKey, step).then(
    ({ exitCode, stderr }) => {
      fate = `it ended with exit code ${exitCode}: ${lastWords(stderr) || 'it printed nothing'}`;
    },
    (error: unknown) => {
      fate = error instanceof HoldfastError ? [error.message, error.cause].join(': ') : String(error);
    },
  );
  return { fate: () => fate, ended };
}

function runOwn([file, ...args]: Command, room: SmokeRoom, key: string, step: Step) {
  const records: Promise<void>[] = [];
  const own: Step = {
    ...step,
    started: (process) => void records.push(room.processes.record(key, process)),
    // Words of the user's own may hold anything.
    ran: () => undefined,
  };
  const home = room.env['HOLDFAST_DRILL_DIR'] ?? '/';
  const confined = room.account && { ...room.account, confined: true, env: { ...room.env, HOME: home } };
  const request = { tool: file, file, args, cwd: room.folder, env: room.env, ...confined };
  return runCommand(request, own).finally(() => Promise.all(records));
}

async function runTest(
  test: SmokeTest,
  room: SmokeRoom,
  limits: Limits,
  commands: DrillCommand[],
  step: Step,
): Promise<DrillCheck> {
  const name = smokeName(test);
  step.say('info', `smoke test: ${name}`);
  const detail =
    test.kind === 'http'
      ? await ask(test.url.replaceAll('{port}', String(limits.port)), limits, step)
      : await command(test.command, room, limits, commands, step);
  step.signal.throwIfAborted();
  if (detail !== null) step.say('error', `smoke test ${name}: ${detail}`);
  return { name, ok: detail === null, detail: detail ?? 'it holds' };
}

/** For what was killed to be gone, and for what was only asked to end: longer than its grace. */
const PATIENCE_MILLISECONDS = { killed: 1_000, asked: 8_000 };

/** null: it ended well. */
async function command(
  test: Command,
  room: SmokeRoom,
  { seconds }: Limits,
  commands: DrillCommand[],
  step: Step,
): Promise<string | null> {
  let late = false;
  const told = (error: unknown) => step.say('error', String(error));
  // With all its descendants: a script that is killed alone leaves what it waits for.
  const end = () => {
    late = true;
    room.processes.fenceOff(room.testKey).catch(told);
  };
  // What has left it and holds its output would keep it from ending: the application goes as well then.
  const endAll = () => void room.endProcesses().catch(told);
  const timers = [
    setTimeout(end, seconds * 1000),
    setTimeout(endAll, seconds * 1000 + PATIENCE_MILLISECONDS.killed),
  ];
  const aborted = () => timers.push(setTimeout(endAll, PATIENCE_MILLISECONDS.asked));
  step.signal.addEventListener('abort', aborted, { once: true });
  const startedAt = performance.now();
  let exitCode: number | null = null;
  try {
    const result = await runOwn(test, room, room.testKey, step);
    exitCode = result.exitCode;
    if (late) return tooLate(seconds);
    if (exitCode === 0) return null;
    const words = lastWords(result.stderr) || lastWords(result.stdout) || 'it printed nothing';
    return `it ended with exit code ${exitCode}: ${words}${asWhom(room)}`;
  } catch (error) {
    if (late) return tooLate(seconds);
    if (step.signal.aborted || !(error instanceof HoldfastError)) throw error;
    return `${error.message}: ${error.cause}${asWhom(room)}`;
  } finally {
    step.signal.removeEventListener('abort', aborted);
    timers.forEach(clearTimeout);
    // What it left running would outlive the room.
    await room.processes.fenceOff(room.testKey);
    const words = test.length > 1 ? ['…'] : [];
    const ran = {
      tool: test[0],
      arguments: words,
      exitCode,
      seconds: (performance.now() - startedAt) / 1000,
    };
    commands.push({ asset: null, ...ran });
  }
}

/** A script that only root may read is a common reason why it does not run. */
function asWhom({ account }: SmokeRoom): string {
  return account ? ` (it ran as uid ${account.uid}, which may read the room and what everybody may)` : '';
}

function tooLate(seconds: number): string {
  return `it was still running after ${formatDuration(seconds)} and was ended`;
}

const PAUSE_MILLISECONDS = 250;

/** null: it answered that all is well. An application that was just started may need a while. */
async function ask(url: string, { seconds, app }: Limits, step: Step): Promise<string | null> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const left = Math.max(1, deadline - Date.now());
    const seen = await askOnce(url, AbortSignal.any([step.signal, AbortSignal.timeout(left)]));
    if (seen === null) return null;
    step.signal.throwIfAborted();
    const fate = app?.fate() ?? null;
    if (fate !== null) return `nothing answers: what was started is gone, ${fate}`;
    if (Date.now() >= deadline) return `${seen}, for ${formatDuration(seconds)}`;
    await pause(PAUSE_MILLISECONDS, undefined, { signal: step.signal });
  }
}

async function askOnce(url: string, signal: AbortSignal): Promise<string | null> {
  try {
    const response = await fetch(url, { signal, redirect: 'error' });
    await response.arrayBuffer();
    return response.ok ? null : `it answered ${response.status} ${response.statusText}`;
  } catch (error) {
    return error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
  }
}

export function smokeNotCarriedOut(drill: Pick<Drill, 'smoke'>, because: string): DrillCheck[] {
  return drill.smoke.map((test) => notCarriedOut(smokeName(test), because));
}

/** Of the loopback address; each drill has its own. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
