// Who was not let in goes on the audit chain, but nobody from outside may fill it: of one caller and one reason
// there is an event a minute, with how many there were since the one before.

export interface Refusal {
  /** `address/<ip>` of whoever showed no valid token, `token/<name>` of one whose role does not reach. */
  subject: string;
  method: string;
  /** The pattern, not the path: a path may hold anything. */
  route: string;
}

export interface CountedRefusal extends Refusal {
  /** Refused since the event before, and not told. */
  untold: number;
}

/** Callers remembered at most: whoever comes from ever new addresses makes events, but no memory. */
const REMEMBERED = 1000;
const MINUTE = 60_000;

export function thinnedOut(
  record: (refusal: CountedRefusal) => Promise<void>,
  now: () => number = () => Date.now(),
): (refusal: Refusal) => Promise<void> {
  const callers = new Map<string, { told: number; untold: number }>();
  return async (refusal) => {
    const caller = callers.get(refusal.subject);
    if (caller && now() - caller.told < MINUTE) {
      caller.untold += 1;
      return;
    }
    callers.delete(refusal.subject);
    callers.set(refusal.subject, { told: now(), untold: 0 });
    const [oldest] = callers.keys();
    if (callers.size > REMEMBERED && oldest !== undefined) callers.delete(oldest);
    await record({ ...refusal, untold: caller?.untold ?? 0 });
  };
}
