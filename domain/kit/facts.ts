// What a recovery kit says, without any secret: from the applied configuration and what is known of the newest
// points. The same facts make the same kit; where they differ from those of the last one, that one is outdated.

import type { Asset, Configuration, Repository } from '../configuration/types.ts';
import { formatSecretReference, mask } from '../secret-reference.ts';

export interface KitFacts {
  /** Changes when the commands on the sheet do, whatever they are about. */
  layout: 1;
  /** Digest of the applied configuration. */
  configuration: string;
  /** Ed25519, SubjectPublicKeyInfo in DER, base64. */
  auditKey: { keyId: string; publicKey: string };
  tools: { name: string; minimum: string }[];
  repositories: KitRepository[];
  assets: KitAsset[];
}

export interface KitRepository {
  name: string;
  type: string;
  /** Without a password that stands in it. */
  url: string;
  /** Where its key is kept. */
  password: string;
  env: { name: string; reference: string }[];
  ssh: { identity: boolean; knownHosts: boolean } | null;
}

export type KitAsset = {
  name: string;
  /** The name its older points are labelled with; null: it always had this one. */
  previously: string | null;
  /** That have its points, the policy's own first. */
  repositories: string[];
} & (
  | { type: 'directory' | 'sqlite'; path: string; stored: string }
  | { type: 'postgres'; database: string; checks: string[] }
);

/** Of an asset's newest point: under which path its data part lies, and which database it is. */
export interface SeenPoint {
  stored: string | null;
  database: string | null;
}

export interface KitSurroundings {
  digest: string;
  auditKey: KitFacts['auditKey'];
  /** Each tool's oldest version that will do. */
  minimum: (tool: string) => string;
  seen: ReadonlyMap<string, SeenPoint>;
  shownUrl: (url: string) => string;
}

/** Only what some policy protects: of anything else there are no points to get. */
export function kitFactsOf(configuration: Configuration, around: KitSurroundings): KitFacts {
  const assets = configuration.assets.flatMap((asset) => assetFacts(configuration, asset, around));
  const used = new Set(assets.flatMap(({ repositories }) => repositories));
  const types = new Set(assets.map(({ type }) => type));
  const tools = [
    'restic',
    ...(types.has('postgres') ? ['psql', 'pg_restore'] : []),
    ...(types.has('sqlite') ? ['sqlite3'] : []),
    ...(configuration.repositories.some(({ name, url }) => used.has(name) && url.startsWith('rclone:'))
      ? ['rclone']
      : []),
  ];
  return {
    layout: 1,
    configuration: around.digest,
    auditKey: around.auditKey,
    tools: tools.map((name) => ({ name, minimum: around.minimum(name) })),
    repositories: configuration.repositories
      .filter(({ name }) => used.has(name))
      .map((repository) => repositoryFacts(repository, around)),
    assets,
  };
}

/** Where the sealed part has what belongs to a repository. */
export function folderOf(repository: string): string {
  return `repositories/${repository}`;
}

function repositoryFacts(repository: Repository, { shownUrl }: KitSurroundings): KitRepository {
  const { name, type, url, password, env, ssh } = repository;
  return {
    ...{ name, type },
    url: shownUrl(url),
    password: mask(formatSecretReference(password)),
    env: Object.entries(env).map(([variable, reference]) => ({
      name: variable,
      reference: mask(formatSecretReference(reference)),
    })),
    ssh: url.startsWith('sftp:')
      ? { identity: ssh?.identityFile !== undefined, knownHosts: ssh?.knownHostsFile !== undefined }
      : null,
  };
}

function assetFacts(configuration: Configuration, asset: Asset, around: KitSurroundings): KitAsset[] {
  const policies = configuration.policies.filter(({ assets }) => assets.includes(asset.name));
  if (policies.length === 0) return [];
  const stores = policies.flatMap(({ repository, copies }) => [
    repository,
    ...copies.map((copy) => copy.repository),
  ]);
  const seen = around.seen.get(asset.name);
  const common = {
    name: asset.name,
    previously: asset.renamedFrom ?? null,
    repositories: [...new Set(stores)],
  };
  switch (asset.type) {
    case 'directory':
      return [{ ...common, type: 'directory', path: asset.path, stored: seen?.stored ?? asset.path }];
    case 'sqlite': {
      const staged = `${configuration.dataDir}/staging/${asset.name}/database`;
      return [{ ...common, type: 'sqlite', path: asset.path, stored: seen?.stored ?? staged }];
    }
    case 'postgres': {
      const checks = asset.checks.map(({ sql }) => sql);
      return [{ ...common, type: 'postgres', database: seen?.database ?? asset.name, checks }];
    }
  }
}
