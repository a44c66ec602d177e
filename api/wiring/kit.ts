import { randomUUID } from 'node:crypto';
import type { Catalog, WrittenKit } from '../../catalog/index.ts';
import { exportKit } from '../../client/index.ts';
import { HoldfastError } from '../../domain/errors.ts';
import type { KitItem, KitServices } from '../kit-services.ts';
import type { Parts } from './parts.ts';

export function kitServices({ catalog, temporal, clock = () => new Date() }: Parts): KitServices {
  return {
    exportKit: async (actor, request) => {
      const input = { ...request, kitId: randomUUID(), asked: true, actor: actor.name };
      return itemOf(catalog, await exportKit(temporal, input));
    },

    showKit: async () => {
      const kit = await catalog.kits.newest();
      if (kit) return itemOf(catalog, kit);
      throw new HoldfastError({
        code: 'notFound',
        message: 'there is no recovery kit',
        cause: 'none was ever written here',
        hint: 'write one with `holdfast kit export --recipient age1…`',
      });
    },

    confirmKit: async (actor) =>
      itemOf(catalog, await catalog.as(actor.name).kits.confirm(clock().toISOString())),
  };
}

/** The worker notes what else changed; an `apply` is seen here at once. */
async function itemOf(catalog: Catalog, kit: WrittenKit): Promise<KitItem> {
  const applied = await catalog.configurations.current();
  return { ...kit, current: kit.outdatedAt === null && kit.configuration === applied?.digest };
}
