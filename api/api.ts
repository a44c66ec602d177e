import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Role } from '../catalog/index.ts';
import type { Actor } from './services.ts';

/** Fastify whose handlers get what the zod schema beside them says. */
export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The least role that may call the route. A route without one is refused at start. */
    role?: Role | 'anyone';
  }
  interface FastifyRequest {
    /** Who asks; set on every route but those for anyone. */
    actor: Actor;
  }
}
