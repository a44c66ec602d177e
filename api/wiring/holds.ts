import { removePoint } from '../../client/index.ts';
import { HoldfastError } from '../../domain/errors.ts';
import type { RecoveryPoint } from '../../domain/recovery-point.ts';
import { removalPlan, type RemovalPlan } from '../../domain/removal.ts';
import type { ListedPoint, Services } from '../services.ts';
import type { Parts } from './parts.ts';

type HoldServices = Pick<Services, 'holdPoint' | 'releasePoint' | 'removePoint'>;

export function holdServices({ catalog, temporal }: Parts): HoldServices {
  return {
    holdPoint: async (actor, id, { kind, owner, reason }) => {
      const hold = await catalog
        .as(actor.name)
        .holds.place(id, { kind, reason, ...(owner !== null && { owner }) });
      return pointWithHolds(catalog, hold.pointId);
    },

    releasePoint: async (actor, id, { reason, owner }) => {
      const point = await catalog.points.find(id);
      await catalog.as(actor.name).holds.release(point.id, reason, owner ?? undefined);
      return pointWithHolds(catalog, point.id);
    },

    removePoint: async (actor, id, { reason, repository, confirm }) => {
      const plan = await planned(await catalog.points.find(id), repository);
      if (!confirm) return { plan, removed: false };
      if (plan.refusals.length > 0) throw refused(plan);
      const repositories = plan.goes.map((copy) => copy.repository);
      await removePoint(temporal, { point: plan.point, repositories, reason, actor: actor.name });
      return { plan, removed: true };
    },
  };

  async function planned(point: RecoveryPoint, repository: string | null): Promise<RemovalPlan> {
    const [applied, holds, openRestores, newest, newestProven] = await Promise.all([
      catalog.configurations.current(),
      catalog.holds.openOf([point.id]),
      catalog.removals.openRestores(point.id),
      catalog.points.newest(point.asset),
      catalog.points.newest(point.asset, { proof: 'proven' }),
    ]);
    return removalPlan({
      point,
      repository,
      configured: applied?.configuration.repositories ?? [],
      now: new Date(),
      holds,
      openRestores,
      newest: newest?.id ?? null,
      newestProven: newestProven?.id ?? null,
    });
  }
}

export async function pointWithHolds(catalog: Parts['catalog'], id: string): Promise<ListedPoint> {
  const point = await catalog.points.find(id);
  return { ...point, holds: await catalog.holds.openOf([point.id]) };
}

function refused(plan: RemovalPlan): HoldfastError {
  return new HoldfastError({
    code: 'request.conflict',
    message: `recovery point ${plan.point} of ${plan.asset} was not removed`,
    cause: plan.refusals.join('; '),
    hint: `release a hold with \`holdfast points release ${plan.point.slice(0, 8)} --reason …\`, end what uses the point, then remove it again`,
  });
}
