import { join } from 'node:path';
import type { Catalog } from '../catalog/index.ts';
import type { Asset, Configuration } from '../domain/configuration/types.ts';
import { HoldfastError } from '../domain/errors.ts';
import type { LeaseRequest } from '../domain/lease.ts';
import type { ProcessFence } from './hosts/process-fence.ts';
import type { Repository } from './repositories/repository.ts';
import type { Source } from './sources/source.ts';

/** What of Temporal the leases on repositories need. */
export interface Leases {
  ask(request: LeaseRequest & { repository: string }): Promise<void>;
  holderRuns(workflowId: string): Promise<boolean>;
}

/** What the activities of one worker have in common. */
export interface Deployment {
  catalog: Catalog;
  processes: ProcessFence;
  dataDir: string;
  /** The catalogue's own address, with its password: what is dumped when the control plane stores itself. */
  catalogUrl: string;
  /** Task queue of this host. */
  hostQueue: string;
  /** The worker's clock; tests hand in their own. */
  clock(): Date;
  openRepository(configuration: Configuration, name: string): Promise<Repository>;
  leases: Leases;
  sourceOf(asset: Asset): Source<Asset>;
}

/** Folders below the data directory, each 0700. One place, so that nothing is left behind unnoticed. */
export const folders = {
  staging: (dataDir: string, asset: string) => join(dataDir, 'staging', asset),
  scratch: (dataDir: string, key: string) => join(dataDir, 'scratch', key),
  restore: (dataDir: string, id: string) => join(dataDir, 'restores', id),
  cache: (dataDir: string) => join(dataDir, 'cache'),
  run: (dataDir: string) => join(dataDir, 'run'),
  keys: (dataDir: string) => join(dataDir, 'keys'),
  evidence: (dataDir: string) => join(dataDir, 'evidence'),
};

/** The configuration a job was begun with; a later `apply` does not reach it. */
export async function configurationOf(deployment: Deployment, digest: string): Promise<Configuration> {
  return (await deployment.catalog.configurations.find(digest)).configuration;
}

export function assetOf(configuration: Configuration, name: string): Asset {
  const asset = configuration.assets.find((one) => one.name === name);
  if (asset) return asset;
  throw new HoldfastError({
    code: 'notFound',
    message: `asset ${name} is not in the applied configuration`,
    cause: `it has ${configuration.assets.map((one) => one.name).join(', ')}`,
    hint: 'check the name, or add it to the configuration and run `holdfast apply`',
  });
}
