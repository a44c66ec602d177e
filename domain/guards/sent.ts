// What an attempt that did not come to its end had sent. Counted high rather than low where it can't be known.

/** restic saves an index this often: packs older than that are not among those a repair of the index finds. */
const INDEXED_AFTER_SECONDS = 600;
/** What restic aims at; its packs are this size or somewhat larger. */
export const PACK_BYTES = 16 * 1024 * 1024;
/** A budget has to hold a pack in the making, one on its way, and the index and snapshot after them. */
export const LEAST_BUDGET_BYTES = 2 * PACK_BYTES;

export interface Interrupted {
  /** Of packs that were there and in no index; null: nobody has looked. */
  foundBytes: number | null;
  /** The last word of its progress: bytes read for a store, bytes sent for a copy. */
  progressBytes: number;
  seconds: number;
  uploadBytesPerSecond: number | null;
  /** What such a send sends as a rule: most of what is read is already there. null: it is the first. */
  expectedBytes: number | null;
}

/**
 * What was found is what was sent, as long as no index was saved meanwhile. After that, and where nobody looked:
 * no more than was read, than is sent as a rule, and than the upload limit let through.
 */
export function sentByInterrupted(attempt: Interrupted): number {
  const { foundBytes, progressBytes, seconds, uploadBytesPerSecond, expectedBytes } = attempt;
  const atMost = Math.min(
    progressBytes,
    expectedBytes ?? Infinity,
    uploadBytesPerSecond === null ? Infinity : Math.ceil(uploadBytesPerSecond * seconds),
  );
  if (foundBytes === null) return atMost;
  return seconds < INDEXED_AFTER_SECONDS ? foundBytes : Math.max(foundBytes, atMost);
}
