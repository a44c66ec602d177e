import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';
import type { Api } from './api.ts';
import { errorContract } from './schemas.ts';

/** The document at /openapi.json and a page to try it at /docs. Both describe what anyone can read in the source. */
export async function describeApi(api: Api, version: string): Promise<void> {
  api.addHook('onRoute', (route) => {
    const role = route.config?.role;
    if (role === undefined || route.schema?.hide) return;
    const words = role === 'anyone' ? 'Needs no token.' : `Needs the role ${role}.`;
    route.schema = {
      ...route.schema,
      description: words,
      response: { ...(route.schema?.response as object | undefined), default: errorContract },
    };
  });

  await api.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Holdfast',
        version,
        description:
          'Times are RFC 3339 UTC, sizes bytes, durations seconds. Every list is `{ items, next }`, newest first. Every failure is `{ code, message, cause, hint }`.',
      },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{ token: [] }],
    },
    transform: jsonSchemaTransform,
  });

  await api.register(async (docs) => {
    docs.addHook('onRoute', (route) => {
      route.config = { ...route.config, role: 'anyone' };
      route.schema = { ...route.schema, hide: true };
    });
    await docs.register(swaggerUi, { routePrefix: '/docs', staticCSP: true });
    docs.get('/openapi.json', () => api.swagger());
  });
}
