// Who is let in. A request must name a host we answer for (a page elsewhere can point its own name at
// loopback: DNS rebinding), must not be a write sent by another site's page, and must carry a token whose
// role reaches the route's. Only what is marked for `anyone` is open.

import type { FastifyRequest } from 'fastify';
import type { Role } from '../catalog/index.ts';
import { HoldfastError } from '../domain/errors.ts';
import type { Api } from './api.ts';
import { thinnedOut } from './refusals.ts';
import type { TokenStore } from './tokens.ts';

export interface GateOptions {
  tokens: TokenStore;
  allowedHosts: string[];
}

/** Failed authentications a minute from one address before they are answered 429. A valid token is never held up. */
const failuresPerMinute = 20;

export function installGate(api: Api, { tokens, allowedHosts }: GateOptions): void {
  const hosts = new Set([...loopbackHosts, ...allowedHosts.map((host) => host.toLowerCase())]);
  const countFailure = api.createRateLimit({
    max: failuresPerMinute,
    timeWindow: '1 minute',
    keyGenerator: (request) => `failed authentication from ${request.ip}`,
  });

  const refused = thinnedOut((refusal) => tokens.refused(refusal));

  api.addHook('onRequest', async (request, reply) => {
    refuseForeignHost(request, hosts);
    refuseCrossSite(request);
    const needed = neededRole(request);
    if (needed === 'anyone') return;
    const entry = await authenticate(request, tokens);
    const { method } = request;
    const route = request.routeOptions.url ?? 'none';
    if (!entry) {
      await refused({ subject: `address/${request.ip}`, method, route });
      const limit = await countFailure(request);
      if (!limit.isAllowed && limit.isExceeded) {
        void reply.header('retry-after', limit.ttlInSeconds);
        throw tooManyFailures();
      }
      void reply.header('www-authenticate', 'Bearer');
      throw unauthenticated(request);
    }
    request.actor = { name: entry.name, role: entry.role };
    if (roles.indexOf(entry.role) >= roles.indexOf(needed)) return;
    await refused({ subject: `token/${entry.name}`, method, route });
    throw notAllowed(request, entry, needed);
  });
}

const roles: Role[] = ['viewer', 'operator', 'approver', 'admin'];

/** For what only some requests to a route ask for, beyond the route's own role. */
export function demandRole(request: FastifyRequest, needed: Role): void {
  const { actor } = request;
  if (roles.indexOf(actor.role) < roles.indexOf(needed)) throw notAllowed(request, actor, needed);
}

const loopbackHosts = ['localhost', '127.0.0.1', '[::1]'];

function refuseForeignHost(request: FastifyRequest, hosts: Set<string>): void {
  const host = request.headers.host;
  const name = host === undefined ? undefined : /^(.+?)(?::\d+)?$/.exec(host)?.[1]?.toLowerCase();
  if (name !== undefined && hosts.has(name)) return;
  throw new HoldfastError({
    code: 'forbidden',
    message: 'the request was refused before it was read',
    cause: 'its Host header names a host this service does not answer for',
    hint: 'use the URL that `holdfast up` printed, or allow the host where the service is started',
  });
}

/** Browsers say where a request comes from; programs that are no browser say nothing, and need the token. */
function refuseCrossSite(request: FastifyRequest): void {
  if (request.method === 'GET' || request.method === 'HEAD') return;
  const site = request.headers['sec-fetch-site'];
  const { origin, host } = request.headers;
  const foreignSite = site !== undefined && site !== 'same-origin' && site !== 'none';
  const foreignOrigin = origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`;
  if (!foreignSite && !foreignOrigin) return;
  throw new HoldfastError({
    code: 'forbidden',
    message: 'the request was refused before it was read',
    cause: 'it was sent by a page of another site',
    hint: 'send it from the page this service serves, or from a program',
  });
}

/** What is not there is not told to strangers either. */
function neededRole(request: FastifyRequest): Role | 'anyone' {
  if (request.is404) return request.url.startsWith('/api/') ? 'viewer' : 'anyone';
  return request.routeOptions.config.role ?? 'admin';
}

async function authenticate(request: FastifyRequest, tokens: TokenStore) {
  const token = /^Bearer ([\x21-\x7e]{1,500})$/i.exec(request.headers.authorization ?? '')?.[1];
  return token === undefined ? null : tokens.authenticate(token);
}

function unauthenticated(request: FastifyRequest): HoldfastError {
  return new HoldfastError({
    code: 'unauthorized',
    message: 'the request was refused',
    cause: request.headers.authorization ? 'its token is unknown or revoked' : 'it carries no token',
    hint: 'send `authorization: Bearer TOKEN`; `holdfast token create` makes one, and HOLDFAST_TOKEN hands it to the command line',
  });
}

function tooManyFailures(): HoldfastError {
  return new HoldfastError({
    code: 'rateLimited',
    message: 'the request was refused',
    cause: `more than ${failuresPerMinute} requests a minute came without a valid token`,
    hint: 'wait a minute, and send a valid token',
  });
}

function notAllowed(
  request: FastifyRequest,
  actor: { name: string; role: Role },
  needed: Role,
): HoldfastError {
  return new HoldfastError({
    code: 'forbidden',
    message: `${request.method} ${request.routeOptions.url ?? request.url} was refused`,
    cause: `it needs the role ${needed}, and the token ${actor.name} has ${actor.role}`,
    hint: `use a token with the role ${needed}`,
  });
}
