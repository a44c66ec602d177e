// From a repository as it is configured to one that can be used.

import { join } from 'node:path';
import type { Configuration } from '../../domain/configuration/types.ts';
import { HoldfastError } from '../../domain/errors.ts';
import { resolveTool } from '../../tools/resolve.ts';
import type { Repository } from './repository.ts';
import { createResticRepository } from './restic.ts';

/** Finds the tool, never installs one. Neither a secret is resolved nor the repository asked here. */
export async function openRepository(configuration: Configuration, name: string): Promise<Repository> {
  const configured = configuration.repositories.find((repository) => repository.name === name);
  if (!configured) {
    throw new HoldfastError({
      code: 'notFound',
      message: `repository ${name} is not in the configuration`,
      cause: `it has ${configuration.repositories.map((repository) => repository.name).join(', ') || 'none'}`,
      hint: 'check the name, or add it to the configuration and run `holdfast apply`',
    });
  }
  const { path } = await resolveTool('restic', { install: false });
  return createResticRepository({
    name,
    url: configured.url,
    password: configured.password,
    env: configured.env,
    uploadLimitBytesPerSecond: configured.limits.uploadBytesPerSecond,
    ...(configured.ssh && { ssh: configured.ssh }),
    ...(configured.url.startsWith('rclone:') && {
      rclone: { path: (await resolveTool('rclone', { install: false })).path },
    }),
    cacheFolder: join(configuration.dataDir, 'cache', 'restic'),
    tool: { path },
  });
}
