// Law 9 for keys: whoever opens a secret within a step of a job or restore has it written down first. The step
// knows for whom it works, the code that opens the secret does not, so the first waits above the second.

import { AsyncLocalStorage } from 'node:async_hooks';

/** Told where the secret stands, before it is read; what it throws stops the reading. */
export type KeyWitness = (reference: string) => Promise<void>;

const watching = new AsyncLocalStorage<KeyWitness>();

/** Each reference is told once for the work. */
export function witnessed<T>(witness: KeyWitness, work: () => Promise<T>): Promise<T> {
  const told = new Map<string, Promise<void>>();
  const once: KeyWitness = (reference) => {
    const telling = told.get(reference) ?? witness(reference);
    told.set(reference, telling);
    // One that failed is told again by the next reading.
    telling.catch(() => told.delete(reference));
    return telling;
  };
  return watching.run(once, work);
}

export async function tellWitness(reference: string): Promise<void> {
  await watching.getStore()?.(reference);
}
