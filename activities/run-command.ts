import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { execa, type Options } from 'execa';
import { HoldfastError } from '../domain/errors.ts';
import type { Step } from './step.ts';

/** Output kept for error messages; a tool that says more is cut at the front. */
const KEPT_CHARACTERS = 64 * 1024;
/** Between asking a cancelled tool to end and killing it: restic removes its lock in this time. */
const GRACE_MILLISECONDS = 7_000;

export interface CommandRequest {
  /** The tool's name for messages. */
  tool: string;
  /** Resolved executable. */
  file: string;
  args: readonly string[];
  /** Added to a minimal environment (PATH, HOME, locale, proxies and CA settings); never the worker's own secrets. */
  env?: Readonly<Record<string, string>>;
  cwd?: string;
  uid?: number;
  gid?: number;
  /** It can never get more rights than it begins with, and is told of no proxy. */
  confined?: boolean;
  /** Written to the tool's stdin, which is otherwise closed. */
  input?: string | Uint8Array;
  onStdoutLine?: (line: string) => void;
  onStderrLine?: (line: string) => void;
  /** Standard output goes to this file (created 0600, truncated) instead of being kept. */
  stdoutFile?: string;
  /** Open files the tool inherits as descriptors 3, 4, … in this order; the caller closes its own. */
  descriptors?: readonly number[];
  /** Lines written to the descriptor that follows `descriptors`: for the words of a tool's own child. */
  onSideLine?: (line: string) => void;
  /**
   * Ends the tool with `tool.stalled` when nothing that counts as progress happened for so long. Every
   * line of output counts unless `isProgress` says otherwise. 0: never.
   */
  stallSeconds?: number;
  isProgress?: (line: string) => boolean;
}

export interface CommandResult {
  exitCode: number;
  /** Complete when `onStdoutLine` and `stdoutFile` are absent (then at most 64 MiB), else empty. */
  stdout: string;
  /** The last 64 KiB. */
  stderr: string;
  durationSeconds: number;
}

/**
 * Runs a tool to its end and returns its exit code, whatever it is: what a code means is for the file of
 * that tool to say. Throws `cancelled` when the step was aborted, `tool.stalled`, `tool.missing` when the
 * executable cannot be started, and `tool.failed` when a signal from outside ended it. The tool dies with this process, even when that is
 * killed (setpriv --pdeathsig), and gets an argument list, never a shell.
 */
export async function runCommand(request: CommandRequest, step: Step): Promise<CommandResult> {
  if (step.signal.aborted) throw cancelled(request.tool, step.signal);
  const abort = new AbortController();
  const end = () => abort.abort();
  step.signal.addEventListener('abort', end, { once: true });
  let stalled = false;
  let timer: NodeJS.Timeout | undefined;
  const rearm = () => {
    if (!request.stallSeconds) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      stalled = true;
      abort.abort();
    }, request.stallSeconds * 1000);
  };
  rearm();
  const progressed = (line: string) => {
    if (request.isProgress?.(line) ?? true) rearm();
  };

  const startedAt = performance.now();
  let stderr = '';
  try {
    const rights = ['--pdeathsig', 'KILL', ...(request.confined ? ['--no-new-privs'] : [])];
    const subprocess = execa('setpriv', [...rights, '--', request.file, ...request.args], {
      ...optionsFor(request),
      cancelSignal: abort.signal,
    });
    if (subprocess.pid !== undefined) step.started({ pid: subprocess.pid, tool: request.tool });
    const readers = [
      eachLine(subprocess.stderr, (line) => {
        stderr = `${stderr}${line}\n`.slice(-KEPT_CHARACTERS);
        progressed(line);
        request.onStderrLine?.(line);
      }),
    ];
    if (request.onStdoutLine) {
      readers.push(
        eachLine(subprocess.stdout, (line) => {
          progressed(line);
          request.onStdoutLine?.(line);
        }),
      );
    }
    if (request.onSideLine) {
      const side = subprocess.stdio[sideIndex(request)];
      readers.push(eachLine(side as Readable | undefined, request.onSideLine));
    }
    const result = await subprocess;
    await Promise.all(readers);
    if (step.signal.aborted) throw cancelled(request.tool, step.signal);
    if (stalled) throw stalledError(request, stderr);
    const neverStarted = result.exitCode === 127 && stderr.startsWith('setpriv:');
    if (result.exitCode === undefined || neverStarted) throw notFinished(request, result, stderr);
    const durationSeconds = (performance.now() - startedAt) / 1000;
    step.ran?.({
      tool: request.tool,
      args: request.args,
      exitCode: result.exitCode,
      seconds: durationSeconds,
    });
    return {
      exitCode: result.exitCode,
      stdout: typeof result.stdout === 'string' ? result.stdout : '',
      stderr: stderr.trimEnd(),
      durationSeconds,
    };
  } finally {
    clearTimeout(timer);
    step.signal.removeEventListener('abort', end);
  }
}

function optionsFor(request: CommandRequest) {
  return {
    env: {
      ...(request.confined ? withoutProxies(minimalEnvironment()) : minimalEnvironment()),
      ...request.env,
    },
    extendEnv: false,
    reject: false,
    stripFinalNewline: false,
    forceKillAfterDelay: GRACE_MILLISECONDS,
    maxBuffer: 64 * 1024 * 1024,
    buffer: {
      stdout: !request.onStdoutLine && !request.stdoutFile,
      stderr: false,
      ...(request.onSideLine && { [`fd${sideIndex(request)}`]: false }),
    },
    // The type allows a number for descriptors 0 to 2 only; execa passes it on for the others as well.
    stdio: [
      request.input === undefined ? 'ignore' : 'pipe',
      request.stdoutFile === undefined ? 'pipe' : { file: request.stdoutFile },
      'pipe',
      ...((request.descriptors ?? []) as unknown as 'inherit'[]),
      ...(request.onSideLine ? (['pipe'] as const) : []),
    ],
    ...(request.input !== undefined && { input: request.input }),
    ...(request.cwd !== undefined && { cwd: request.cwd }),
    ...(request.uid !== undefined && { uid: request.uid }),
    ...(request.gid !== undefined && { gid: request.gid }),
  } satisfies Options;
}

function sideIndex(request: CommandRequest): number {
  return 3 + (request.descriptors?.length ?? 0);
}

/** What tools need to find programs, certificates and a home, and nothing else of the worker's own. */
export function minimalEnvironment(): Record<string, string> {
  const names = /^(PATH|HOME|TMPDIR|TZ|LANG|SSL_CERT_FILE|SSL_CERT_DIR|(HTTPS?|NO|ALL)_PROXY)$/i;
  const kept = Object.entries(process.env).filter(([name, value]) => names.test(name) && value !== undefined);
  return { ...(Object.fromEntries(kept) as Record<string, string>), LC_ALL: 'C.UTF-8' };
}

/** A proxy's address may hold a password, and is a way out. */
function withoutProxies(environment: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !/_PROXY$/i.test(name)));
}

async function eachLine(stream: Readable | null | undefined, handle: (line: string) => void): Promise<void> {
  if (!stream) return;
  for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) handle(line);
}

function cancelled(tool: string, signal: AbortSignal): Error {
  if (signal.reason instanceof Error && signal.reason.name === 'CancelledFailure') return signal.reason;
  return new HoldfastError({
    code: 'cancelled',
    message: `${tool} was stopped because its job was cancelled`,
    cause: String(signal.reason ?? 'cancelled'),
    hint: 'start the job again when it is wanted',
  });
}

function stalledError(request: CommandRequest, stderr: string): HoldfastError {
  return new HoldfastError({
    code: 'tool.stalled',
    message: `${request.tool} made no progress for ${request.stallSeconds} s and was ended`,
    cause: lastWords(stderr) || 'it printed nothing',
    hint: 'check that what it talks to answers; the step is tried again',
  });
}

function notFinished(
  request: CommandRequest,
  result: { signal?: string | undefined; originalMessage?: string | undefined; code?: string | undefined },
  stderr: string,
): HoldfastError {
  const missing = result.signal === undefined;
  return new HoldfastError({
    code: missing ? 'tool.missing' : 'tool.failed',
    message: missing
      ? `${request.tool} could not be started`
      : `${request.tool} was killed (${result.signal})`,
    cause:
      [result.originalMessage, lastWords(stderr)].filter(Boolean).join('; ') || `signal ${result.signal}`,
    hint: missing
      ? 'run `holdfast doctor`'
      : 'if it happens again, look for the out-of-memory killer in dmesg',
  });
}

/** The end of a tool's error output, short enough for a message. */
export function lastWords(output: string): string {
  return output.trim().split('\n').slice(-5).join('\n').slice(-1500);
}
