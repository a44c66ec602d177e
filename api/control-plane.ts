import { z } from 'zod';
import type { Api } from './api.ts';
import type { ControlPlaneItem } from './control-plane-services.ts';
import { job } from './jobs.ts';
import { failure, name, time } from './schemas.ts';
import type { Services } from './services.ts';

const rollback = z.object({
  repository: z.string(),
  foundAt: time,
  pointId: z.string().describe('of those that were stored there last, one that was not there any more'),
  missing: z.array(z.string()).describe('ids of the points whose copies there are gone'),
});

const item = z.object({
  repository: z.string(),
  configured: z.boolean(),
  initialised: z.boolean().describe('false: the repository was never made'),
  stored: z
    .object({
      pointId: z.string(),
      snapshotId: z.string(),
      takenAt: time,
      auditSequence: z.number().describe('the end of the audit chain in it'),
      evidenceSequence: z.number().describe('the newest evidence in it'),
      configurationDigest: z.string().nullable(),
    })
    .nullable(),
  due: z.string().nullable().describe('why it is to be stored anew'),
  behind: z.string().nullable().describe('what is wrong; null: nothing'),
  lastAttempt: z.object({ jobId: z.string(), endedAt: time, error: failure.nullable() }).nullable(),
  rolledBack: rollback.nullable().describe('what the repository lost, until somebody accepts it'),
}) satisfies z.ZodType<ControlPlaneItem>;

/** The recovery points of the control plane itself. */
export function controlPlaneRoutes(api: Api, services: Services): void {
  api.route({
    method: 'GET',
    url: '/control-plane',
    config: { role: 'viewer' },
    schema: {
      summary: 'Where the control plane is stored, and how its last attempt there ended',
      response: { 200: z.object({ items: z.array(item), next: z.null() }) },
    },
    handler: async () => ({ items: await services.listControlPlane(), next: null }),
  });

  api.route({
    method: 'POST',
    url: '/control-plane/backups',
    config: { role: 'operator' },
    schema: {
      summary: 'Store the control plane in a repository now',
      body: z.strictObject({ repository: name }),
      response: { 202: job },
    },
    handler: async ({ actor, body }, reply) =>
      reply.code(202).send(await services.startControlPlaneBackup(actor, body.repository)),
  });

  api.route({
    method: 'POST',
    url: '/control-plane/rollbacks/:repository/accept',
    config: { role: 'approver' },
    schema: {
      summary: 'Say that a repository that was rolled back is as it is: what it lost counts as gone',
      params: z.object({ repository: name }),
      body: z.strictObject({ reason: z.string().min(1).max(1000) }),
      response: { 200: rollback },
    },
    handler: ({ actor, params, body }) => services.acceptRollback(actor, params.repository, body.reason),
  });
}
