// Kills something of a stack at random moments, the same ones for the same seed: one of its parts, or a restic
// that works for it.

import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { seeded } from '../fixtures/seeded.ts';
import type { Stack } from '../fixtures/stack.ts';
import { wanted } from './wanted.ts';

export interface Faults {
  begin(): void;
  /** Returns when the last one has been done. */
  stop(): Promise<void>;
  count(): number;
  said(): string;
}

const victims = ['worker', 'temporal', 'catalog', 'restic'] as const;

export function randomFaults(stack: Stack, seed: number): Faults {
  const random = seeded(seed);
  const longest = wanted('HOLDFAST_SOAK_FAULT_SECONDS', 40);
  const done: Record<string, number> = {};
  const ending = new AbortController();
  let running: Promise<void> = Promise.resolve();

  async function go(): Promise<void> {
    while (!ending.signal.aborted) {
      const victim = victims[Math.floor(random() * victims.length)] ?? 'worker';
      const moment = 2000 + random() * (longest - 2) * 1000;
      await pause(moment, null, { signal: ending.signal }).catch(() => undefined);
      if (ending.signal.aborted) return;
      const pid = victim === 'restic' ? await nextRestic(stack, ending.signal) : (await stack.pids())[victim];
      if (pid && killed(pid)) done[victim] = (done[victim] ?? 0) + 1;
    }
  }

  return {
    begin: () => {
      running = go();
    },
    stop: async () => {
      ending.abort();
      await running;
    },
    count: () => Object.values(done).reduce((sum, times) => sum + times, 0),
    said: () =>
      `killed ${Object.entries(done)
        .map(([victim, times]) => `${victim} ${times} times`)
        .join(', ')}`,
  };
}

/** Waits for one: it runs for a moment only. */
async function nextRestic(stack: Stack, signal: AbortSignal): Promise<number | null> {
  for (const deadline = Date.now() + RESTIC_MILLISECONDS; Date.now() < deadline && !signal.aborted;) {
    const pid = await resticOf(stack);
    if (pid) return pid;
    await pause(20);
  }
  return null;
}

const RESTIC_MILLISECONDS = 60_000;

/** Its environment names a repository in the stack's folder. */
async function resticOf(stack: Stack): Promise<number | null> {
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const environment = await readFile(`/proc/${entry}/environ`, 'latin1').catch(() => '');
    if (environment.includes(`RESTIC_REPOSITORY=${stack.folder}/`)) return Number(entry);
  }
  return null;
}

function killed(pid: number): boolean {
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch {
    // It ended by itself a moment ago.
    return false;
  }
}
