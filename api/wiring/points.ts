import { adoptSnapshots, lookInside } from '../../client/index.ts';
import type { RecoveryPoint } from '../../domain/recovery-point.ts';
import type { ListedPoint, Services } from '../services.ts';
import { pointWithHolds } from './holds.ts';
import type { Parts } from './parts.ts';

type PointServices = Pick<Services, 'listPoints' | 'getPoint' | 'listPointFiles' | 'importSnapshots'>;

export function pointServices({ catalog, temporal }: Parts): PointServices {
  return {
    listPoints: async ({ asset, kind, orphaned }, page) => {
      const { items, next } = await catalog.points.list({
        ...page,
        ...(asset !== null && { asset }),
        ...(kind !== null && { kind }),
        ...(orphaned && { orphaned }),
      });
      return { items: await withHolds(items), next };
    },

    getPoint: (id) => pointWithHolds(catalog, id),

    listPointFiles: async (actor, id, path) => {
      const point = await catalog.points.find(id);
      await catalog
        .as(actor.name)
        .audit.append({ action: 'point.listed', subject: `point/${point.id}`, details: { path } });
      return lookInside(temporal, { point: point.id, path });
    },

    importSnapshots: async (actor, request) => {
      const ids = await adoptSnapshots(temporal, { ...request, actor: actor.name });
      return Promise.all(ids.map((id) => pointWithHolds(catalog, id)));
    },
  };

  async function withHolds(points: readonly RecoveryPoint[]): Promise<ListedPoint[]> {
    const holds = await catalog.holds.openOf(points.map((point) => point.id));
    return points.map((point) => ({ ...point, holds: holds.filter((hold) => hold.pointId === point.id) }));
  }
}
