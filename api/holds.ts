// What keeps a recovery point, and what takes it away before its time: always a person, always with a reason.

import { z } from 'zod';
import type { RemovalPlan } from '../domain/removal.ts';
import type { Api } from './api.ts';
import { recoveryPoint } from './points.ts';
import { id, name, time } from './schemas.ts';
import type { Removal, Services } from './services.ts';

export function holdRoutes(api: Api, services: Services): void {
  api.route({
    method: 'POST',
    url: '/points/:id/hold',
    config: { role: 'operator' },
    schema: {
      summary: 'Keep a recovery point until it is released, whatever its policy says',
      params: z.object({ id }),
      body: z.strictObject({
        reason,
        owner: name.nullable().default(null),
        kind: z.enum(['legal', 'other']).default('legal'),
      }),
      response: { 200: recoveryPoint },
    },
    handler: (request) => services.holdPoint(request.actor, request.params.id, request.body),
  });

  api.route({
    method: 'POST',
    url: '/points/:id/release',
    config: { role: 'approver' },
    schema: {
      summary: "Release a recovery point's holds; its policy decides about it again",
      params: z.object({ id }),
      body: z.strictObject({ reason, owner: name.nullable().default(null) }),
      response: { 200: recoveryPoint },
    },
    handler: (request) => services.releasePoint(request.actor, request.params.id, request.body),
  });

  api.route({
    method: 'POST',
    url: '/points/:id/removal',
    config: { role: 'approver' },
    schema: {
      summary: 'Say what removing a recovery point would take away; with `confirm`, remove it',
      params: z.object({ id }),
      body: z.strictObject({
        reason,
        repository: name.nullable().default(null).describe('only the copy there'),
        confirm: z.boolean().default(false),
      }),
      response: { 200: removal },
    },
    handler: (request) => services.removePoint(request.actor, request.params.id, request.body),
  });
}

const reason = z.string().trim().min(1, 'say why').max(1000);

const plan = z.object({
  point: z.string(),
  asset: z.string(),
  takenAt: time,
  goes: z.array(z.object({ repository: z.string(), snapshots: z.array(z.string()) })),
  stays: z.array(z.string()),
  pointGoes: z.boolean(),
  warnings: z.array(z.string()),
  refusals: z.array(z.string()).describe('why it cannot be done now; empty: it can'),
}) satisfies z.ZodType<RemovalPlan>;

const removal = z.object({ plan, removed: z.boolean() }) satisfies z.ZodType<Removal>;
