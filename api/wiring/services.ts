import type { TokenStore } from '../tokens.ts';
import type { Services } from '../services.ts';
import { auditServices } from './audit.ts';
import { configurationServices } from './configuration.ts';
import { controlPlaneServices } from './control-plane.ts';
import { incidentServices } from './incidents.ts';
import { jobServices } from './jobs.ts';
import type { Parts } from './parts.ts';
import { drillServices } from './drills.ts';
import { evidenceServices } from './evidence.ts';
import { historyServices } from './histories.ts';
import { holdServices } from './holds.ts';
import { pointServices } from './points.ts';
import { kitServices } from './kit.ts';
import { policyServices } from './policies.ts';
import { restoreServices } from './restores.ts';
import { copyServices } from './copies.ts';
import { retentionServices } from './retention.ts';
import { statusServices } from './status.ts';

/** The services behind the routes, made of the real catalogue and the real Temporal. */
export function createServices(parts: Parts): Services {
  return {
    ...statusServices(parts),
    ...auditServices(parts),
    ...controlPlaneServices(parts),
    ...drillServices(parts),
    ...evidenceServices(parts),
    ...historyServices(parts),
    ...jobServices(parts),
    ...pointServices(parts),
    ...holdServices(parts),
    ...restoreServices(parts),
    ...incidentServices(parts),
    ...kitServices(parts),
    ...copyServices(parts),
    ...retentionServices(parts),
    ...configurationServices(parts),
    ...policyServices(parts),
  };
}

export function createTokenStore({ catalog }: Parts): TokenStore {
  return {
    refused: ({ subject, ...details }) =>
      catalog.audit.append({ action: 'access.refused', subject, details: { ...details } }),
    authenticate: (token) => catalog.tokens.authenticate(token),
    create: (actor, name, role) => catalog.as(actor.name).tokens.create(name, role),
    list: () => catalog.tokens.list(),
    revoke: (actor, name) => catalog.as(actor.name).tokens.revoke(name),
  };
}
