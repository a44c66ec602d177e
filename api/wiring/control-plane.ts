import { randomUUID } from 'node:crypto';
import { controlPlaneWorkflowId, startControlPlaneBackup } from '../../client/index.ts';
import { CONTROL_PLANE_ASSET } from '../../domain/control-plane/bundle.ts';
import { whyBehind, whyDue } from '../../domain/control-plane/due.ts';
import { controlPlaneIn } from '../../domain/control-plane/where.ts';
import { asHoldfastError, HoldfastError } from '../../domain/errors.ts';
import type { ControlPlaneItem, ControlPlaneServices } from '../control-plane-services.ts';
import type { Parts } from './parts.ts';

export function controlPlaneServices({
  catalog,
  temporal,
  clock = () => new Date(),
}: Parts): ControlPlaneServices {
  return {
    listControlPlane: async () => {
      const applied = await catalog.configurations.current();
      if (!applied) return [];
      const { everySeconds, repositories } = controlPlaneIn(applied.configuration);
      const rollbacks = new Map((await catalog.controlPlane.rollbacks()).map((one) => [one.repository, one]));
      const names = [...new Set([...repositories, ...rollbacks.keys()])];
      const now = clock();
      return (await catalog.controlPlane.states(names)).map((state): ControlPlaneItem => {
        const { repository, initialisedAt, stored, last } = state;
        const configured = repositories.includes(repository);
        return {
          ...{ repository, configured, stored, initialised: initialisedAt !== null, lastAttempt: last },
          due: configured ? whyDue(state, everySeconds, now) : null,
          behind: configured ? (whyBehind(state, everySeconds, now)?.reason ?? null) : null,
          rolledBack: rollbacks.get(repository) ?? null,
        };
      });
    },

    startControlPlaneBackup: async (actor, repository) => {
      const applied = await catalog.configurations.current();
      const known = applied?.configuration.repositories.map(({ name }) => name) ?? [];
      if (!known.includes(repository)) throw unknownRepository(repository, known);
      const own = catalog.as(actor.name);
      const startedAt = clock();
      const job = await own.jobs.begin({
        ...{ id: randomUUID(), workflowId: controlPlaneWorkflowId(repository, startedAt), repository },
        ...{ type: 'controlPlane', policy: null, trigger: 'manual', assets: [CONTROL_PLANE_ASSET] },
        startedAt: startedAt.toISOString(),
      });
      try {
        await startControlPlaneBackup(temporal, job.workflowId, {
          ...{ repository, jobId: job.id, trigger: 'manual', actor: actor.name },
        });
      } catch (thrown) {
        const error = asHoldfastError(thrown, `starting ${job.workflowId} failed`);
        await own.jobs.end(job.id, { status: 'failed', error: error.toContract() });
        throw error;
      }
      return job;
    },

    acceptRollback: async (actor, repository, reason) => {
      const own = catalog.as(actor.name);
      const found = (await own.controlPlane.rollbacks()).find((one) => one.repository === repository);
      // Before it is accepted: from then on retention counts what is there, and must not count these.
      for (const pointId of found?.missing ?? []) {
        const point = await own.points.find(pointId).catch(unlessRemoved);
        if (point?.copies.some((copy) => copy.repository === repository && copy.damagedAt === null))
          await own.points.markCopy(pointId, repository, { damagedAt: clock().toISOString() });
      }
      return own.controlPlane.acceptRollback(repository, reason);
    },
  };
}

/** By a person or by retention, since it was found missing. */
function unlessRemoved(error: unknown): null {
  if (error instanceof HoldfastError && error.code === 'point.unknown') return null;
  throw error;
}

function unknownRepository(repository: string, known: readonly string[]): HoldfastError {
  return new HoldfastError({
    code: 'notFound',
    message: `repository ${repository} is not in the applied configuration`,
    cause: known.length > 0 ? `it has ${known.join(', ')}` : 'no configuration was applied yet',
    hint: 'check the name, or run `holdfast apply`',
  });
}
