// Room on this host's file systems while a step writes: looked at every second, and the step stopped in good
// time, so that it can still clear up behind itself.

import { statfs } from 'node:fs/promises';
import { HoldfastError } from '../../domain/errors.ts';
import { floorOf, missingBytes, spaceWords, type Space } from '../../domain/guards/free-space.ts';
import { nearestExisting } from '../hosts/filesystem.ts';
import type { Step } from '../step.ts';

/** A place a step writes to, and what it is called when it is full. */
export interface Place {
  path: string;
  code: 'staging.full' | 'repository.full';
  /** For messages: `repository local`. */
  name: string;
}

export async function spaceAt(path: string): Promise<Space> {
  const { bavail, bsize, blocks } = await statfs(await nearestExisting(path));
  return { path, freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}

/** Throws the place's code, with needed, free and path, unless so much fits there above the floor. */
export async function expectRoom(place: Place, neededBytes: number, attempted: string): Promise<void> {
  const space = await spaceAt(place.path);
  if (missingBytes(space, neededBytes) === 0) return;
  throw new HoldfastError({
    code: place.code,
    message: `${attempted} was not begun: ${place.name} has no room for it`,
    cause: spaceWords(space, neededBytes),
    hint: hintFor(place),
  });
}

/** Runs the work with a step that is stopped, with the place's code, when less than the floor is left there. */
export async function whileThereIsRoom<T>(
  places: readonly Place[],
  step: Step,
  attempted: string,
  work: (step: Step) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  let full: HoldfastError | null = null;
  const look = async () => {
    for (const place of places) {
      const space = await spaceAt(place.path);
      if (full || space.freeBytes >= floorOf(space)) continue;
      full = new HoldfastError({
        code: place.code,
        message: `${attempted} was stopped: ${place.name} is nearly full`,
        cause: spaceWords(space, 0),
        hint: hintFor(place),
      });
      stop.abort(full);
    }
  };
  const failed = (error: unknown) => step.say('warning', `free space could not be read: ${String(error)}`);
  const timer = setInterval(() => void look().catch(failed), LOOK_MILLISECONDS);
  try {
    return await work(withSignal(step, AbortSignal.any([step.signal, stop.signal])));
  } catch (error) {
    throw full && !step.signal.aborted ? full : error;
  } finally {
    clearInterval(timer);
  }
}

const LOOK_MILLISECONDS = 1000;

function withSignal(step: Step, signal: AbortSignal): Step {
  return {
    signal,
    progress: (progress) => step.progress(progress),
    say: (level, message) => step.say(level, message),
    started: (process) => step.started(process),
    ran: (command) => step.ran?.(command),
  };
}

function hintFor({ code, path }: Place): string {
  return code === 'staging.full'
    ? `free space on the file system of ${path}, or move \`dataDir\`; then run it again`
    : `free space on the file system of ${path}, or let retention drop points; what is stored stays readable`;
}
