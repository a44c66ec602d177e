// The HTTP API: one Fastify instance over the services it is given. It listens nowhere by itself.

import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import Fastify from 'fastify';
import type { FastifyInstance } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import packageFile from '../package.json' with { type: 'json' };
import { HoldfastError } from '../domain/errors.ts';
import type { Api } from './api.ts';
import { auditRoutes } from './audit.ts';
import { backupRoutes } from './backup.ts';
import { controlPlaneRoutes } from './control-plane.ts';
import { configurationRoutes } from './configuration.ts';
import { installErrorHandler } from './errors.ts';
import { installGate } from './gate.ts';
import { drillRoutes } from './drills.ts';
import { evidenceRoutes } from './evidence.ts';
import { kitRoutes } from './kit.ts';
import { incidentRoutes } from './incidents.ts';
import { jobRoutes } from './jobs.ts';
import { loggerOptions } from './logger.ts';
import type { LogChoice } from './logger.ts';
import { metricsRoute } from './metrics.ts';
import { historyRoutes } from './histories.ts';
import { holdRoutes } from './holds.ts';
import { installNotFound } from './not-found.ts';
import { describeApi } from './openapi.ts';
import { pointRoutes } from './points.ts';
import { policyRoutes } from './policies.ts';
import { restoreRoutes } from './restores.ts';
import { copyRoutes } from './copies.ts';
import { retentionRoutes } from './retention.ts';
import type { Services } from './services.ts';
import { healthRoute, statusRoutes } from './status.ts';
import { tokenRoutes } from './tokens.ts';
import type { TokenStore } from './tokens.ts';
import { verificationPlanRoute } from './verification-plan.ts';

export interface ServerOptions {
  services: Services;
  tokens: TokenStore;
  /** Host names to answer for besides those of loopback, without port. */
  allowedHosts: string[];
  /** null: silence. */
  logger: LogChoice | null;
  /** Per token (or address, where there is none). A waiting command line polls about 200 times a minute. */
  requestsPerMinute?: number;
}

export async function buildServer(options: ServerOptions): Promise<FastifyInstance> {
  const app = Fastify({
    logger: loggerOptions(options.logger),
    bodyLimit: 256 * 1024,
    // Long enough for a page of 500 job ids, and `restore/r-19` in one segment.
    routerOptions: { maxParamLength: 500 },
    trustProxy: false,
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.removeContentTypeParser('text/plain');
  installErrorHandler(app);

  await app.register(helmet, {
    // Plain HTTP on loopback: what stands before it on a network speaks TLS and says so.
    strictTransportSecurity: false,
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] },
    },
  });
  await app.register(rateLimit, {
    max: options.requestsPerMinute ?? 1200,
    timeWindow: '1 minute',
    keyGenerator: (request) => (request.actor ? `token ${request.actor.name}` : request.ip),
    errorResponseBuilder: (_request, { max, after }) => tooManyRequests(max, after),
  });
  installGate(app, options);
  installNotFound(app);
  await describeApi(app, packageFile.version);
  demandRoles(app);

  await app.register(async (api) => healthRoute(api as Api, options.services), { prefix: '/api' });
  await app.register(async (api) => metricsRoute(api as Api, options.services));
  await app.register(async (api) => addRoutes(api as Api, options), { prefix: '/api/v1' });
  return app;
}

function addRoutes(api: Api, { services, tokens }: ServerOptions): void {
  statusRoutes(api, services);
  backupRoutes(api, services);
  verificationPlanRoute(api, services);
  jobRoutes(api, services);
  pointRoutes(api, services);
  holdRoutes(api, services);
  restoreRoutes(api, services);
  incidentRoutes(api, services);
  copyRoutes(api, services);
  controlPlaneRoutes(api, services);
  retentionRoutes(api, services);
  configurationRoutes(api, services);
  policyRoutes(api, services);
  auditRoutes(api, services);
  historyRoutes(api, services);
  drillRoutes(api, services);
  evidenceRoutes(api, services);
  kitRoutes(api, services);
  tokenRoutes(api, tokens);
}

/** A route whose author forgot to say who may call it never starts. */
function demandRoles(api: Api): void {
  api.addHook('onRoute', ({ method, url, config }) => {
    if (config?.role === undefined) throw new Error(`${[method].join()} ${url} does not say who may call it`);
  });
}

function tooManyRequests(max: number, after: string): HoldfastError {
  return new HoldfastError({
    code: 'rateLimited',
    message: 'the request was refused',
    cause: `more than ${max} requests a minute`,
    hint: `try again in ${after}`,
  });
}
