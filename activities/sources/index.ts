import { join } from 'node:path';
import type { Asset } from '../../domain/configuration/types.ts';
import { folders } from '../deployment.ts';
import { resolveSecret } from '../secrets.ts';
import { createDirectorySource } from './directory.ts';
import { createPostgresSource } from './postgres.ts';
import type { Source } from './source.ts';
import { createSqliteSource } from './sqlite.ts';

/** The driver of each asset type. */
export function createSources(dataDir: string): (asset: Asset) => Source<Asset> {
  const reserved = [dataDir];
  const sources = {
    directory: createDirectorySource({ reserved }),
    sqlite: createSqliteSource({ reserved }),
    postgres: createPostgresSource({
      resolveUrl: async (url) => (url.kind === 'literal' ? url.value : resolveSecret(url)),
      cache: join(folders.cache(dataDir), 'postgres'),
    }),
  };
  // Each driver takes its own type's configuration; the table pairs them.
  return (asset) => sources[asset.type];
}
