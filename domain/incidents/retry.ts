// When a message that was not taken is tried again, and when no more.

const FIRST_PAUSE_SECONDS = 15;
const LONGEST_PAUSE_SECONDS = 30 * 60;
/** A weekend with nobody there to mend the mail server. */
export const GIVE_UP_AFTER_SECONDS = 3 * 86_400;
/** One failure is the network's ordinary weather; this many in a row are told through the others. */
export const FAILURES_UNTIL_TOLD = 3;

/** Doubling, with up to a fifth more or less, so that what failed together is not tried again together. */
export function pauseAfter(attempts: number, random: number): number {
  const pause = Math.min(FIRST_PAUSE_SECONDS * 2 ** (Math.max(1, attempts) - 1), LONGEST_PAUSE_SECONDS);
  return pause * (0.8 + 0.4 * random);
}

export function isGivenUp(createdAt: string, now: Date): boolean {
  return now.getTime() - Date.parse(createdAt) > GIVE_UP_AFTER_SECONDS * 1000;
}
