import { z } from 'zod';
import type { Api } from './api.ts';
import { HoldfastError } from '../domain/errors.ts';
import { time } from './schemas.ts';
import type { Services } from './services.ts';

export function configurationRoutes(api: Api, services: Services): void {
  api.route({
    method: 'GET',
    url: '/configuration',
    config: { role: 'viewer' },
    schema: {
      summary: 'The configuration in force: references to secrets, never secrets',
      response: {
        200: z.object({
          configuration: z.record(z.string(), z.unknown()),
          digest: z.string(),
          appliedAt: time,
          appliedBy: z.string(),
        }),
      },
    },
    handler: async () => {
      const current = await services.currentConfiguration();
      if (!current) {
        throw new HoldfastError({
          code: 'notFound',
          message: 'reading the configuration in force failed',
          cause: 'none has been applied yet',
          hint: '`holdfast apply`',
        });
      }
      const configuration = withoutArguments(current.configuration) as Record<string, unknown>;
      return { ...current, configuration };
    },
  });

  api.route({
    method: 'POST',
    url: '/configuration',
    // A configuration names commands to run, so whoever applies one can do whatever the service can.
    config: { role: 'admin' },
    bodyLimit: 8 * 2 ** 20,
    schema: {
      summary: 'Reconcile assets, policies and schedules with a configuration file; starts no backup',
      body: z.strictObject({
        source: z.string(),
        path: z.string().startsWith('/', 'is not absolute'),
        dryRun: z.boolean().default(false),
      }),
      response: { 200: applied },
    },
    handler: (request) => services.applyConfiguration(request.actor, request.body),
  });
}

/** The arguments of a `cmd:` reference may hold the secret themselves, so they stay here. */
function withoutArguments(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutArguments);
  if (typeof value !== 'object' || value === null) return value;
  if ('kind' in value && value.kind === 'cmd' && 'command' in value && Array.isArray(value.command)) {
    const [program, ...words] = value.command as unknown[];
    return { ...value, command: words.length > 0 ? [program, '…'] : [program] };
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutArguments(inner)]));
}

const difference = z.object({
  added: z.array(z.string()),
  changed: z.array(z.string()),
  removed: z.array(z.string()),
});

const rename = z.object({ from: z.string(), to: z.string() });

const applied = z.object({
  digest: z.string(),
  changed: z.boolean(),
  dryRun: z.boolean(),
  assets: difference,
  policies: difference,
  repositories: difference,
  schedules: difference,
  renamed: z
    .object({ assets: z.array(rename), policies: z.array(rename) })
    .describe('whose history goes to whom'),
  warnings: z.array(z.string()),
});
