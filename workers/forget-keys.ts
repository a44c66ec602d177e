import type { Catalog } from '../catalog/index.ts';

/** As the configuration has it where nothing is applied, or what is applied was before this could be said. */
const KEPT_SECONDS = 30 * 86_400;

/** Law 3 for people: a key answers for its job until the stated time after the job's end, and is then free. */
export async function forgetExpiredKeys(catalog: Catalog, now: Date): Promise<void> {
  const applied = await catalog.configurations.current();
  const seconds = applied?.configuration.idempotency?.keepSeconds ?? KEPT_SECONDS;
  await catalog.idempotency.forget(new Date(now.getTime() - seconds * 1000).toISOString());
}
