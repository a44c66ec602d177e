// A recovery kit of nobody: the routes' words are what is tested.

import type { KitItem, KitServices } from '../../api/kit-services.ts';
import { HoldfastError } from '../../domain/errors.ts';

export function kitDouble(): KitServices {
  let kit: KitItem | null = null;
  const known = () => {
    if (kit) return kit;
    throw new HoldfastError({ code: 'notFound', message: 'there is no recovery kit', hint: 'write one' });
  };
  return {
    exportKit: async (actor, { folder, recipients }) => {
      kit = {
        ...{ id: 'kit-1', writtenAt: '2026-11-20T02:00:00.000Z', writtenBy: actor.name },
        ...{ digest: 'd1', sealedDigest: 's1', configuration: 'c1', folder: folder ?? '/etc/holdfast/kit' },
        ...{ sealedFor: recipients, confirmedAt: null, confirmedBy: null, outdatedAt: null, current: true },
      };
      return kit;
    },
    showKit: async () => known(),
    confirmKit: async (actor) => ({ ...known(), confirmedBy: actor.name }),
  };
}
