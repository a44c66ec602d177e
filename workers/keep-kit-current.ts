// Law 6 is kept by a kit that is true: where what it says has changed, it is written anew, or, where nobody is
// configured to write it for, told to be outdated. Any number of workers may look side by side.

import { randomUUID } from 'node:crypto';
import { kitNow } from '../activities/kit/kit-facts.ts';
import type { WriteKit } from '../activities/contract.ts';
import type { Catalog } from '../catalog/index.ts';

export interface KitKeeping {
  catalog: Catalog;
  dataDir: string;
  now(): Date;
  write(input: WriteKit): Promise<unknown>;
}

/** What does not come with an `apply` (a rotated audit key, a renamed database) is looked for so often. */
const WHOLE_LOOK_MILLISECONDS = 600_000;
/** Until what failed is tried again: each attempt opens every secret, and has that on the audit chain. */
const PAUSE_MILLISECONDS = 600_000;

/** Returns the work of one look; between whole looks only the configuration is compared. */
export function keepKitCurrent(keeping: KitKeeping): () => Promise<void> {
  let lookedAt = 0;
  let failed: { digest: string; at: number } | null = null;
  return async () => {
    const { catalog, now } = keeping;
    const applied = await catalog.configurations.current();
    const kit = await catalog.kits.newest();
    if (!applied || (!kit && !applied.configuration.kit)) return;
    const at = now().getTime();
    const same = kit?.configuration === applied.digest && kit.outdatedAt === null;
    if (same && at - lookedAt < WHOLE_LOOK_MILLISECONDS) return;
    const current = await kitNow(keeping);
    lookedAt = at;
    if (kit?.digest === current.digest && kit.outdatedAt === null) return;
    // Told first: what follows may fail, and fail again.
    if (kit) await catalog.kits.outdated(kit.id, current.digest, now().toISOString());
    if (!current.configuration.kit) return;
    if (failed?.digest === current.digest && at - failed.at < PAUSE_MILLISECONDS) return;
    try {
      const asConfigured = { folder: null, recipients: [], passphraseFile: null };
      await keeping.write({ ...asConfigured, kitId: randomUUID(), asked: false, actor: 'holdfast' });
    } catch (error) {
      failed = { digest: current.digest, at: now().getTime() };
      throw error;
    }
  };
}
