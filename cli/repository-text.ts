// A repository in `status`, where there is something to say: it fills up, or the day's budget does.

import { formatBytes } from '../domain/bytes.ts';
import { printable } from './printable.ts';
import { relative } from './when.ts';

export interface RepositoryLine {
  name: string;
  health: string;
  reason: string;
  usedBytes?: number | null;
  capacityBytes?: number | null;
  uploadedToday?: number;
  dailyUpload?: number | null;
  resetsAt?: string | null;
}

/** From four fifths on, somebody may want to do something about it. */
const NOTABLE = 0.8;

export function repositoryNotes(repositories: readonly RepositoryLine[], now: Date): string[] {
  return repositories.flatMap((repository) => [...roomNote(repository), ...budgetNote(repository, now)]);
}

/** One that is not well says so already. */
function roomNote({ name, health, usedBytes, capacityBytes }: RepositoryLine): string[] {
  if (health !== 'ok' || !usedBytes || !capacityBytes || usedBytes < capacityBytes * NOTABLE) return [];
  return [`${printable(name)} is ${shareOf(usedBytes, capacityBytes)} full`];
}

function budgetNote({ name, uploadedToday, dailyUpload, resetsAt }: RepositoryLine, now: Date): string[] {
  if (!uploadedToday || !dailyUpload || uploadedToday < dailyUpload * NOTABLE) return [];
  const reset = resetsAt ? `; it begins anew ${relative(resetsAt, now)}` : '';
  return [`${printable(name)} was sent ${shareOf(uploadedToday, dailyUpload)} of its daily upload${reset}`];
}

/** `93 % (465 GiB of 500 GiB)`. */
function shareOf(part: number, whole: number): string {
  return `${Math.floor((100 * part) / whole)} % (${formatBytes(part)} of ${formatBytes(whole)})`;
}
