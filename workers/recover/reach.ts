// What of a recovered configuration can be used from this machine: the secrets it refers to and the repositories
// it names. Nothing here keeps a service from starting; it says what will fail, and where that is written.

import { createResticRepository } from '../../activities/repositories/restic.ts';
import { resolveSecret } from '../../activities/secrets.ts';
import type { Step } from '../../activities/step.ts';
import type { Configuration, Repository } from '../../domain/configuration/types.ts';
import { readDocument } from '../../domain/configuration/document.ts';
import { formatPath, type Path } from '../../domain/configuration/problem.ts';
import { repositoryIdentity } from '../../domain/configuration/repository-url.ts';
import { asHoldfastError } from '../../domain/errors.ts';
import { formatSecretReference, mask, type SecretReference } from '../../domain/secret-reference.ts';
import { resolveTool } from '../../tools/resolve.ts';
import type { RecoveredConfiguration } from './configuration-file.ts';
import type { GivenRepository } from './request.ts';

export interface Reach {
  repositories: ReachedRepository[];
  unresolved: UnresolvedSecret[];
  /** Lines of the configuration to change, because the repository was reached in another way than they say. */
  toChange: string[];
}

export interface ReachedRepository {
  repository: string;
  url: string;
  /** null: it opens with what the configuration says. */
  error: { code: string; message: string; cause: string } | null;
}

export interface UnresolvedSecret {
  /** Without what may be a secret itself. */
  reference: string;
  /** `repositories[0].password` */
  path: string;
  /** What it belongs to: `repository near`. */
  usedBy: string;
  /** In the configuration's file; null when its text was not kept. */
  line: number | null;
  cause: string;
}

/** A repository that does not answer is given up sooner than when data hangs on it. */
const UNREACHABLE_SECONDS = 15;

/** `from`: the name of the repository that everything came from. */
export async function reachOf(
  recovered: RecoveredConfiguration,
  from: string,
  given: GivenRepository,
  cacheFolder: string,
  step: Step,
): Promise<Reach> {
  const { configuration, text } = recovered;
  if (!configuration) return { repositories: [], unresolved: [], toChange: [] };
  const document = text === null ? null : readDocument(text);
  const lineOf = (path: Path) => document?.positionOf(path).line ?? null;
  const unresolved: UnresolvedSecret[] = [];
  for (const { path, reference } of referencesIn(configuration)) {
    const error = await resolveSecret(reference).then(
      () => null,
      (thrown: unknown) => asHoldfastError(thrown),
    );
    if (!error) continue;
    unresolved.push({
      reference: mask(formatSecretReference(reference)),
      path: formatPath(path),
      usedBy: ownerOf(configuration, path),
      line: lineOf(path),
      cause: error.cause,
    });
  }
  const repositories = await Promise.all(
    configuration.repositories.map((repository) => reached(repository, cacheFolder, step)),
  );
  return { repositories, unresolved, toChange: differences(recovered, from, given, unresolved, lineOf) };
}

async function reached(repository: Repository, cacheFolder: string, step: Step): Promise<ReachedRepository> {
  const { name, url, password, env, ssh } = repository;
  try {
    const opened = createResticRepository({
      ...{ name, url, password, env },
      ...(ssh && { ssh }),
      ...(url.startsWith('rclone:') && { rclone: { path: (await resolveTool('rclone')).path } }),
      cacheFolder,
      tool: { path: (await resolveTool('restic')).path },
      unreachableSeconds: UNREACHABLE_SECONDS,
    });
    await opened.snapshots({}, step);
    return { repository: name, url, error: null };
  } catch (thrown) {
    const { code, message, cause } = asHoldfastError(thrown);
    return { repository: name, url, error: { code, message, cause } };
  }
}

/** Wherever a reference stands in the normalised configuration. */
function* referencesIn(
  value: unknown,
  path: Path = [],
): Generator<{ path: Path; reference: SecretReference }> {
  if (typeof value !== 'object' || value === null) return;
  if (isReference(value)) yield { path, reference: value };
  else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* referencesIn(item, [...path, index]);
  } else {
    for (const [key, item] of Object.entries(value)) yield* referencesIn(item, [...path, key]);
  }
}

function isReference(value: object): value is SecretReference {
  const { kind, name, path, command } = value as Record<string, unknown>;
  return (
    (kind === 'env' && typeof name === 'string') ||
    (kind === 'file' && typeof path === 'string') ||
    (kind === 'cmd' && Array.isArray(command))
  );
}

const OWNERS: Record<string, string> = {
  repositories: 'repository',
  assets: 'asset',
  notifications: 'notification channel',
  drills: 'drill',
};

function ownerOf(configuration: Configuration, [list, index]: Path): string {
  const items = (configuration as unknown as Record<string, unknown>)[String(list)];
  const item = Array.isArray(items) ? (items[Number(index)] as { name?: string }) : undefined;
  return item?.name === undefined ? String(list) : `${OWNERS[String(list)] ?? String(list)} ${item.name}`;
}

function differences(
  { configuration, path: file }: RecoveredConfiguration,
  from: string,
  given: GivenRepository,
  unresolved: readonly UnresolvedSecret[],
  lineOf: (path: Path) => number | null,
): string[] {
  const index = configuration?.repositories.findIndex(({ name }) => name === from) ?? -1;
  const configured = configuration?.repositories[index];
  if (!configured) return [];
  const at = (path: Path) => `${file}:${lineOf(path) ?? '?'}`;
  const lost = (path: Path) => unresolved.some((one) => one.path === formatPath(path));
  const lines: string[] = [];
  const urlPath = ['repositories', index, 'url'];
  if (repositoryIdentity(configured.url, '/') !== repositoryIdentity(given.url, '/'))
    lines.push(`${at(urlPath)}: ${from} is at ${configured.url} there, and was found at ${given.url}`);
  const passwordPath = ['repositories', index, 'password'];
  if (lost(passwordPath))
    lines.push(`${at(passwordPath)}: write password: ${mask(formatSecretReference(given.password))}`);
  for (const name of Object.keys(configured.env)) {
    const path = ['repositories', index, 'env', name];
    const reference = given.env[name];
    if (reference && lost(path))
      lines.push(`${at(path)}: write ${name}: ${mask(formatSecretReference(reference))}`);
  }
  return lines;
}
