import { randomUUID } from 'node:crypto';
import { cancelRestore, commitRestore, startRestore } from '../../client/index.ts';
import { asHoldfastError, HoldfastError } from '../../domain/errors.ts';
import type { Restore } from '../../domain/restore.ts';
import type { RestoreRequest, Services } from '../services.ts';
import type { Parts } from './parts.ts';

type RestoreServices = Pick<
  Services,
  'prepareRestore' | 'commitRestore' | 'cancelRestore' | 'getRestore' | 'listRestores'
>;

/** A prepared restore holds staging space; a day is long enough to decide and short enough to forget it. */
const EXPIRY_SECONDS = 24 * 3600;

export function restoreServices({ catalog, temporal }: Parts): RestoreServices {
  return {
    prepareRestore: async (actor, request, key) => {
      const seen = key ? await catalog.idempotency.find(key.key, key.request) : null;
      if (!seen) await assetExists(request.asset);
      // Claimed before the restore is created: of two at once with one key, both create the same one.
      const own = randomUUID();
      const claimed = key
        ? await catalog.idempotency.claim(key.key, key.request, { kind: 'restore', id: own })
        : null;
      const requestId = claimed?.id ?? own;
      const restore = isRestoreId(requestId)
        ? await catalog.restores.find(requestId)
        : await catalog.as(actor.name).restores.create({
            requestId,
            asset: request.asset,
            point: request.point ?? 'latest',
            target: request.to ?? 'in place',
            include: request.include,
          });
      // Whoever asked first may have died before its workflow began; starting it twice is starting it once.
      if (restore.status === 'preparing') await begin(restore, request, actor.name);
      return { answer: restore, repeated: requestId !== own };
    },

    commitRestore: async (actor, id) => {
      await decide(actor.name, id, 'commit', () => commitRestore(temporal, id));
      return catalog.restores.find(id);
    },

    cancelRestore: async (actor, id) => {
      await decide(actor.name, id, 'cancel', () => cancelRestore(temporal, id));
      return catalog.restores.find(id);
    },

    getRestore: (id) => catalog.restores.find(id),
    listRestores: ({ asset }, page) => catalog.restores.list({ ...page, ...(asset !== null && { asset }) }),
  };

  async function begin(restore: Restore, request: RestoreRequest, actor: string): Promise<void> {
    try {
      await startRestore(temporal, {
        restoreId: restore.id,
        asset: request.asset,
        point: request.point ?? 'latest',
        time: request.time,
        include: request.include,
        to: request.to,
        from: request.from,
        actor,
        expirySeconds: EXPIRY_SECONDS,
      });
    } catch (thrown) {
      const error = asHoldfastError(thrown, `starting restore ${restore.id} failed`);
      const endedAt = new Date().toISOString();
      await catalog.restores.update(restore.id, { status: 'failed', endedAt, error: error.toContract() });
      throw error;
    }
  }

  async function assetExists(name: string): Promise<void> {
    const assets = (await catalog.configurations.current())?.configuration.assets ?? [];
    if (assets.some((asset) => asset.name === name)) return;
    throw new HoldfastError({
      code: 'notFound',
      message: `asset ${name} is not in the applied configuration`,
      cause: `it has ${assets.map((asset) => asset.name).join(', ') || 'none'}`,
      hint: 'check the name, or add it to the configuration and run `holdfast apply`',
    });
  }

  /** Who decided goes on the chain before the decision takes effect. */
  async function decide(actor: string, id: string, wish: 'commit' | 'cancel', work: () => Promise<void>) {
    const restore = await catalog.restores.find(id);
    if (restore.endedAt !== null) throw ended(restore, wish);
    const action = `restore.${wish}Requested`;
    await catalog
      .as(actor)
      .audit.append({ action, subject: `restore/${id}`, details: { status: restore.status } });
    await work();
  }
}

/** What older keys were claimed for. */
function isRestoreId(id: string): boolean {
  return /^r-\d+$/.test(id);
}

function ended(restore: Restore, wish: string): HoldfastError {
  return new HoldfastError({
    code: 'restore.state',
    message: `${wish} of restore ${restore.id} was refused`,
    cause: `it is ${restore.status} since ${restore.endedAt}`,
    hint: `look at it with \`holdfast restore show ${restore.id}\``,
  });
}
