// The configuration as written → as used: every default filled in, every path absolute.

import type { SecretReference } from '../secret-reference.ts';
import { DEFAULT_IDEMPOTENCY_SECONDS, normaliseHeadroom, normaliseLimits } from './normalise-guards.ts';
import { normaliseNotification } from './normalise-notifications.ts';
import { normaliseControlPlane } from './schema-control-plane.ts';
import { normaliseDrill } from './schema-drills.ts';
import { resolvePath } from './paths.ts';
import { presets } from './retention-presets.ts';
import { absoluteRepositoryUrl } from './repository-url.ts';
import type { WrittenConfiguration } from './schema.ts';
import { normaliseVerification } from './schema-verification.ts';
import type { WrittenRetention } from './schema-retention.ts';
import type {
  Asset,
  Command,
  Configuration,
  HealthCheck,
  Hooks,
  Policy,
  PolicyCopy,
  PolicyRetention,
  Repository,
  RepositorySsh,
  RestorePlan,
} from './types.ts';

type Written<Key extends 'repositories' | 'assets' | 'policies'> = NonNullable<
  WrittenConfiguration[Key]
>[number];

/** `folder`: the absolute one the file lies in, where its relative paths start. */
export function normalise(written: WrittenConfiguration, folder: string): Configuration {
  const { temporal, catalog, ports = {} } = written;
  return {
    version: 1,
    folder,
    dataDir: resolvePath(folder, written.dataDir ?? './.holdfast'),
    temporal: temporal ? { address: temporal.address, namespace: temporal.namespace ?? 'default' } : null,
    catalog: catalog ? { url: absoluteSource(catalog.url, folder) } : null,
    ports: {
      temporal: ports.temporal ?? null,
      temporalUi: ports.temporalUi ?? null,
      catalog: ports.catalog ?? null,
      api: ports.api ?? null,
      metrics: ports.metrics ?? null,
    },
    idempotency: { keepSeconds: written.idempotency?.keep ?? DEFAULT_IDEMPOTENCY_SECONDS },
    repositories: (written.repositories ?? []).map((repository) => normaliseRepository(repository, folder)),
    assets: (written.assets ?? []).map((asset) => normaliseAsset(asset, folder)),
    policies: (written.policies ?? []).map(normalisePolicy),
    ...(written.drills?.length && {
      drills: written.drills.map((drill) => ({
        ...normaliseDrill(drill, (command) => absoluteCommand(command, folder)),
        ...(drill.kit && {
          kit: {
            file: resolvePath(folder, drill.kit.file),
            identity: absoluteSource(drill.kit.identity, folder),
          },
        }),
      })),
    }),
    ...(written.evidence && { evidence: { folder: resolvePath(folder, written.evidence.folder) } }),
    ...(written.kit && {
      kit: {
        recipients: written.kit.recipients,
        folder: resolvePath(folder, written.kit.folder ?? './kit'),
      },
    }),
    ...(written.controlPlane && { controlPlane: normaliseControlPlane(written.controlPlane) }),
    notifications: (written.notifications ?? []).map((channel) =>
      normaliseNotification(channel, (reference) => absoluteSource(reference, folder)),
    ),
  };
}

function normaliseRepository(written: Written<'repositories'>, folder: string): Repository {
  const env = Object.entries(written.env ?? {}).map(
    ([name, from]) => [name, absoluteSource(from, folder)] as const,
  );
  return {
    name: written.name,
    type: 'restic',
    url: absoluteRepositoryUrl(written.url, folder),
    password: absoluteSource(written.password, folder),
    env: Object.fromEntries(env),
    limits: normaliseLimits(written.url, written.limits),
    headroom: normaliseHeadroom(written.url, written.headroom),
    ...(written.immutability && { immutability: written.immutability }),
    ...(written.ssh && { ssh: normaliseSsh(written.ssh, folder) }),
  };
}

function normaliseSsh(written: NonNullable<Written<'repositories'>['ssh']>, folder: string): RepositorySsh {
  const { identityFile, knownHostsFile } = written;
  return {
    ...(identityFile !== undefined && { identityFile: resolvePath(folder, identityFile) }),
    ...(knownHostsFile !== undefined && { knownHostsFile: resolvePath(folder, knownHostsFile) }),
  };
}

function normaliseAsset(written: Written<'assets'>, folder: string): Asset {
  const base = {
    name: written.name,
    ...(written.renamedFrom !== undefined && { renamedFrom: written.renamedFrom }),
    ...(written.owner !== undefined && { owner: written.owner }),
    class: written.class ?? 'standard',
    restore: normaliseRestore(written.restore, folder),
    hooks: normaliseHooks(written.hooks, folder),
  };
  switch (written.type) {
    case 'postgres': {
      const url = absoluteSource(written.url, folder);
      return { ...base, type: 'postgres', url, method: 'dump', checks: written.checks ?? [] };
    }
    case 'sqlite': {
      // SQLite takes an empty file for an empty database: a truncated one must not pass for it.
      const expect = { minBytes: written.expect?.minBytes ?? 1 };
      return { ...base, type: 'sqlite', path: resolvePath(folder, written.path), expect };
    }
    case 'directory': {
      const { minFiles = 1, minBytes = 0 } = written.expect ?? {};
      const path = resolvePath(folder, written.path);
      return {
        ...base,
        type: 'directory',
        path,
        exclude: written.exclude ?? [],
        expect: { minFiles, minBytes },
      };
    }
  }
}

function normaliseRestore(written: Written<'assets'>['restore'], folder: string): RestorePlan {
  const { stop = [], start = [], health = [] } = written ?? {};
  return {
    stop: stop.map((command) => absoluteCommand(command, folder)),
    start: start.map((command) => absoluteCommand(command, folder)),
    health: health.map((check): HealthCheck =>
      check.kind === 'command' ? { ...check, command: absoluteCommand(check.command, folder) } : check,
    ),
  };
}

function normaliseHooks(written: Written<'assets'>['hooks'], folder: string): Hooks {
  const { before = [], after = [], onError = 'fail' } = written ?? {};
  return {
    before: before.map((command) => absoluteCommand(command, folder)),
    after: after.map((command) => absoluteCommand(command, folder)),
    onError,
  };
}

function normalisePolicy(written: Written<'policies'>): Policy {
  const { objectives } = written;
  return {
    name: written.name,
    ...(written.renamedFrom !== undefined && { renamedFrom: written.renamedFrom }),
    assets: written.assets,
    cadence:
      written.cron === undefined
        ? { kind: 'every', seconds: written.every ?? 0 }
        : { kind: 'cron', expression: written.cron },
    timing: {
      window: written.window ?? null,
      jitterSeconds: written.jitter ?? null,
      catchUpSeconds: written.catchUp ?? null,
      overlap: written.overlap ?? 'skip',
    },
    repository: written.repository,
    copies: (written.copies ?? []).map(normaliseCopy),
    retention: normaliseRetention(written.retention),
    proof: written.proof ?? 'verified',
    objectives: {
      rpoSeconds: objectives?.rpo ?? null,
      rtoSeconds: objectives?.rto ?? null,
      provenWithinSeconds: objectives?.provenWithin ?? null,
      successRate: objectives?.successRate ?? null,
    },
    verification: normaliseVerification(written.verification),
  };
}

/** What was not said is not there: a configuration of before keeps its digest. */
function normaliseCopy(copy: NonNullable<Written<'policies'>['copies']>[number]): PolicyCopy {
  if (typeof copy === 'string') return { repository: copy, retention: null };
  const { repository, every, cron, lag } = copy;
  return {
    repository,
    retention: normaliseRetention(copy.retention),
    ...(every !== undefined && { cadence: { kind: 'every' as const, seconds: every } }),
    ...(cron !== undefined && { cadence: { kind: 'cron' as const, expression: cron } }),
    ...(lag !== undefined && { lagSeconds: lag }),
  };
}

function normaliseRetention(retention: WrittenRetention | undefined): PolicyRetention | null {
  if (!retention) return null;
  const written: WrittenRetention = { ...(retention.preset && presets[retention.preset]), ...retention };
  return {
    keepLast: written.keepLast ?? null,
    keepHourly: written.keepHourly ?? null,
    keepDaily: written.keepDaily ?? null,
    keepWeekly: written.keepWeekly ?? null,
    keepMonthly: written.keepMonthly ?? null,
    keepYearly: written.keepYearly ?? null,
    keepWithinSeconds: written.keepWithin ?? null,
    keepWithinHourlySeconds: written.keepWithinHourly ?? null,
    keepWithinDailySeconds: written.keepWithinDaily ?? null,
    keepWithinWeeklySeconds: written.keepWithinWeekly ?? null,
    keepWithinMonthlySeconds: written.keepWithinMonthly ?? null,
    keepWithinYearlySeconds: written.keepWithinYearly ?? null,
    ...(written.keepTags !== undefined && { keepTags: written.keepTags }),
    ...(written.maxDrop !== undefined && { maxDropShare: written.maxDrop }),
  };
}

function absoluteSource<Source extends SecretReference | { kind: 'literal' }>(
  source: Source,
  folder: string,
): Source {
  if (source.kind === 'file') return { ...source, path: resolvePath(folder, source.path) };
  if (source.kind === 'cmd')
    return { ...source, command: absoluteCommand(source.command as Command, folder) };
  return source;
}

/** A program written with a slash is a path; one without is looked up on the PATH, as everywhere. */
function absoluteCommand([program, ...words]: Command, folder: string): Command {
  return [program.includes('/') ? resolvePath(folder, program) : program, ...words];
}
