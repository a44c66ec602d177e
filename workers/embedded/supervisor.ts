import { setTimeout as pause } from 'node:timers/promises';
import type { Part, RunningPart } from './part.ts';

const FIRST_PAUSE_MILLISECONDS = 50;
const LONGEST_PAUSE_MILLISECONDS = 5_000;
/** A part that ran for so long was well: its next death is a new story. */
const HEALTHY_MILLISECONDS = 30_000;

/**
 * Keeps parts running: one that ends is started again, at once the first time and then ever more slowly.
 * Parts start in the order they are given and stop in the reverse one.
 */
export class Supervisor {
  private readonly running = new Map<string, RunningPart>();
  private readonly watches: Promise<void>[] = [];
  private readonly order: string[] = [];
  private stopping = false;
  private noted: Promise<void> = Promise.resolve();

  /** What to do when a part has another process id than before; called once at a time. */
  onRestart: () => Promise<void> = () => Promise.resolve();

  constructor(private readonly say: (message: string) => void) {}

  /** Resolves when the part serves for the first time. A part that cannot start at all is an error. */
  async start(part: Part): Promise<void> {
    const first = await part.launch();
    this.order.push(part.name);
    this.running.set(part.name, first);
    this.watches.push(this.watch(part, first));
  }

  pids(): Record<string, number> {
    return Object.fromEntries([...this.running].map(([name, { pid }]) => [name, pid]));
  }

  async stop(): Promise<void> {
    this.stopping = true;
    for (const name of [...this.order].reverse()) await this.running.get(name)?.stop();
    await Promise.all(this.watches);
  }

  private async watch(part: Part, first: RunningPart): Promise<void> {
    let current: RunningPart | null = first;
    let wait = 0;
    while (!this.stopping) {
      const startedAt = Date.now();
      if (current) {
        const { exitCode, signal } = await current.exited;
        this.running.delete(part.name);
        if (this.isStopping()) return;
        this.say(`${part.name} ended (${signal ?? `exit code ${exitCode}`}): starting it again`);
        if (Date.now() - startedAt > HEALTHY_MILLISECONDS) wait = 0;
      }
      await pause(wait);
      wait = Math.min(Math.max(wait * 2, FIRST_PAUSE_MILLISECONDS), LONGEST_PAUSE_MILLISECONDS);
      current = await this.launchAgain(part);
    }
    await current?.stop();
  }

  private async launchAgain(part: Part): Promise<RunningPart | null> {
    if (this.isStopping()) return null;
    try {
      const next = await part.launch();
      this.running.set(part.name, next);
      this.say(`${part.name} is back (pid ${next.pid})`);
      await this.note();
      return next;
    } catch (error) {
      this.say(
        `${part.name} could not be started: ${error instanceof Error ? error.message : String(error)}`,
      );
      return null;
    }
  }

  /** A record that cannot be written must not end what it is about. */
  private note(): Promise<void> {
    this.noted = this.noted.then(this.onRestart).catch((error: unknown) => {
      this.say(`the process ids could not be recorded: ${String(error)}`);
    });
    return this.noted;
  }

  /** A method, because the flag changes while this waits and the compiler would take it for constant. */
  private isStopping(): boolean {
    return this.stopping;
  }
}
