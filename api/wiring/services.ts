import type { TokenStore } from '../tokens.ts';
import type { Services } from '../services.ts';
import { configurationServices } from './configuration.ts';
import { jobServices } from './jobs.ts';
import type { Parts } from './parts.ts';
import { pointServices } from './points.ts';
import { restoreServices } from './restores.ts';
import { retentionServices } from './retention.ts';
import { statusServices } from './status.ts';

/** The services behind the routes, made of the real catalogue and the real Temporal. */
export function createServices(parts: Parts): Services {
  return {
    ...statusServices(parts),
    ...jobServices(parts),
    ...pointServices(parts),
    ...restoreServices(parts),
    ...retentionServices(parts),
    ...configurationServices(parts),
  };
}

export function createTokenStore({ catalog }: Parts): TokenStore {
  return {
    authenticate: (token) => catalog.tokens.authenticate(token),
    create: (actor, name, role) => catalog.as(actor.name).tokens.create(name, role),
    list: () => catalog.tokens.list(),
    revoke: (actor, name) => catalog.as(actor.name).tokens.revoke(name),
  };
}
