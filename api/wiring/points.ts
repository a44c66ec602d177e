import { adoptSnapshots, lookInside } from '../../client/index.ts';
import type { Services } from '../services.ts';
import type { Parts } from './parts.ts';

type PointServices = Pick<Services, 'listPoints' | 'getPoint' | 'listPointFiles' | 'importSnapshots'>;

export function pointServices({ catalog, temporal }: Parts): PointServices {
  return {
    listPoints: ({ asset, kind }, page) =>
      catalog.points.list({ ...page, ...(asset !== null && { asset }), ...(kind !== null && { kind }) }),

    getPoint: (id) => catalog.points.find(id),

    listPointFiles: async (id, path) => {
      const point = await catalog.points.find(id);
      return lookInside(temporal, { point: point.id, path });
    },

    importSnapshots: async (actor, request) => {
      const ids = await adoptSnapshots(temporal, { ...request, actor: actor.name });
      return Promise.all(ids.map((id) => catalog.points.find(id)));
    },
  };
}
