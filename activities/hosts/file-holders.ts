import { readFile, readdir, stat } from 'node:fs/promises';
import { identityOf, lookAt } from './filesystem.ts';

export interface Holder {
  pid: number;
  /** The program's name only: its arguments may hold secrets. */
  command: string;
}

/**
 * Processes other than this one that have any of the files open, under whatever name they opened them. Without
 * root only those of the same account can be seen.
 */
export async function holdersOf(paths: readonly string[]): Promise<Holder[]> {
  const wanted = new Set<string>();
  for (const path of paths) {
    const stats = await lookAt(path);
    if (stats) wanted.add(identityOf(stats));
  }
  if (wanted.size === 0) return [];
  const holders: Holder[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    if (!(await holdsAny(name, wanted))) continue;
    const command = await readFile(`/proc/${name}/comm`, 'utf8').catch(() => '');
    holders.push({ pid: Number(name), command: command.trim() || 'unknown' });
  }
  return holders;
}

export function namesOf(holders: readonly Holder[]): string {
  return holders.map(({ pid, command }) => `${command} (pid ${pid})`).join(', ');
}

async function holdsAny(pid: string, wanted: ReadonlySet<string>): Promise<boolean> {
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
  for (const descriptor of descriptors) {
    const stats = await stat(`/proc/${pid}/fd/${descriptor}`, { bigint: true }).catch(() => null);
    if (stats && wanted.has(identityOf(stats))) return true;
  }
  return false;
}
