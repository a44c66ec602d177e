// How much room a file system must keep. Below the floor a running step is stopped: a disk that is really full
// also stops the catalogue, the logs and whatever else lives there.

import { formatBytes } from '../bytes.ts';

const FLOOR_BYTES = 256 * 1024 * 1024;
const FLOOR_SHARE = 0.02;

export interface Space {
  path: string;
  freeBytes: number;
  totalBytes: number;
}

/** Two hundredths of a small file system, 256 MiB of a large one. */
export function floorOf({ totalBytes }: Pick<Space, 'totalBytes'>): number {
  return Math.min(FLOOR_BYTES, Math.floor(totalBytes * FLOOR_SHARE));
}

/** What is missing for writing so many bytes there and staying above the floor; 0: there is room. */
export function missingBytes(space: Space, neededBytes: number): number {
  return Math.max(0, neededBytes + floorOf(space) - space.freeBytes);
}

/** `needed 48 GiB, 31 GiB free on /var/lib/holdfast`. */
export function spaceWords(space: Space, neededBytes: number): string {
  return `needed ${formatBytes(neededBytes + floorOf(space))}, ${formatBytes(space.freeBytes)} free on ${space.path}`;
}
