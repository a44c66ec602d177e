// What is asked of a repository once, and again when the configuration reaches it in another way.

import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { Configuration } from '../domain/configuration/types.ts';
import type { Deployment } from './deployment.ts';
import { ifThere } from './hosts/if-there.ts';
import type { Repository } from './repositories/repository.ts';
import { resolveSecret } from './secrets.ts';
import type { Step } from './step.ts';

/**
 * Before anything is sent. Where rclone's `crypt` is named and does not encrypt, also behind a repository that is there
 * already, `repository.untrusted` is thrown, each time.
 */
export async function requireEncrypting(
  deployment: Deployment,
  configuration: Configuration,
  repository: Repository,
  step: Step,
): Promise<void> {
  const isThrough = configuration.repositories.find(({ name }) => name === repository.name)?.url;
  if (!isThrough?.startsWith('rclone:')) return;
  await once(deployment, configuration, repository, 'crypt', async () => {
    await repository.requireEncrypting(step);
    return 'on';
  });
}

/** Says it where the copy takes everything a second time, as it cuts its data in places of its own. */
export async function warnOfOtherChunker(
  deployment: Deployment,
  configuration: Configuration,
  { from, to }: { from: Repository; to: Repository },
  step: Step,
): Promise<void> {
  const chunkers: string[] = [];
  for (const one of [from, to])
    chunkers.push(await once(deployment, configuration, one, 'chunker', () => one.chunker(step)));
  if (chunkers[0] === chunkers[1]) return;
  step.say(
    'warning',
    `${to.name} was made with chunker parameters of its own: what is in ${from.name} already is not recognised there, and takes its room again. A new repository in its place, made by the first copy, would share them`,
  );
}

async function once(
  { catalog, clock }: Deployment,
  configuration: Configuration,
  { name: repository }: Repository,
  what: 'chunker' | 'crypt',
  look: () => Promise<string>,
): Promise<string> {
  const way = await wayOf(configuration, repository);
  const known = await catalog.repositoryLooks.find(repository, what, way);
  if (known !== null) return known;
  const found = await look();
  await catalog.repositoryLooks.record({ repository, what, way, found, at: clock().toISOString() });
  return found;
}

/** Of the location, of which secrets by name, and of when rclone's own configuration was last written. */
async function wayOf(configuration: Configuration, name: string): Promise<string> {
  const configured = configuration.repositories.find((one) => one.name === name);
  const settings = configured?.env['RCLONE_CONFIG'];
  const file = settings && (await ifThere(stat(await resolveSecret(settings))));
  const written = file ? [file.size, file.mtimeMs] : [];
  const words = JSON.stringify([configured?.url, configured?.env, written]);
  return createHash('sha256').update(words).digest('hex');
}
