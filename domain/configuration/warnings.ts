// What a configuration may say but hardly means. Told, never refused.

import { formatDuration } from '../duration.ts';
import { excludePatterns } from '../exclude-pattern.ts';
import { longestGap } from './cadence.ts';
import { controlPlaneWarnings } from './control-plane-rules.ts';
import { notificationWarnings } from './notification-rules.ts';
import { isWithin, resolvePath } from './paths.ts';
import type { Finding } from './problem.ts';
import { isLocalRepository } from './repository-url.ts';
import type { Configuration, DirectoryAsset } from './types.ts';

export function warningsOf(configuration: Configuration): Finding[] {
  return [
    ...unprotected(configuration),
    ...unusedRepositories(configuration),
    ...objectivesOutOfReach(configuration),
    ...selfBackups(configuration),
    ...idlePorts(configuration),
    ...notificationWarnings(configuration),
    ...controlPlaneWarnings(configuration),
  ];
}

function unprotected({ assets, policies }: Configuration): Finding[] {
  if (policies.length === 0) {
    return [
      {
        path: ['policies'],
        atKey: true,
        message: 'there is no policy: nothing is backed up',
        fix: 'add one',
      },
    ];
  }
  const inPolicy = new Set(policies.flatMap((policy) => policy.assets));
  return assets.flatMap(({ name }, index) =>
    inPolicy.has(name)
      ? []
      : [{ path: ['assets', index, 'name'], message: 'no policy protects this asset', fix: 'add it to one' }],
  );
}

function unusedRepositories({ repositories, policies }: Configuration): Finding[] {
  if (policies.length === 0) return [];
  const used = new Set(
    policies.flatMap(({ repository, copies }) => [repository, ...copies.map((copy) => copy.repository)]),
  );
  return repositories.flatMap(({ name }, index) =>
    used.has(name)
      ? []
      : [
          {
            path: ['repositories', index, 'name'],
            message: 'no policy uses this repository',
            fix: 'use it, or remove it',
          },
        ],
  );
}

function objectivesOutOfReach({ policies }: Configuration): Finding[] {
  return policies.flatMap(({ cadence, objectives }, index) => {
    const between = cadence.kind === 'every' ? cadence.seconds : longestGap(cadence.expression);
    if (objectives.rpoSeconds === null || between <= objectives.rpoSeconds) return [];
    const message = `backups up to ${formatDuration(between)} apart cannot keep this objective`;
    return [
      {
        path: ['policies', index, 'objectives', 'rpo'],
        message,
        fix: 'back up more often, or allow more loss',
      },
    ];
  });
}

/** A directory that holds the repository it goes to grows with each backup of itself. */
function selfBackups({ assets, repositories, dataDir }: Configuration): Finding[] {
  const own = [
    { path: dataDir, what: 'the data directory' },
    ...repositories
      .filter(({ url }) => isLocalRepository(url))
      .map(({ url, name }) => ({ path: url, what: `the repository ${name}` })),
  ];
  return assets.flatMap((asset, index) => {
    if (asset.type !== 'directory') return [];
    return own
      .filter(({ path }) => isWithin(asset.path, path) && !excludes(asset, path))
      .map(({ path, what }) => ({
        path: ['assets', index, 'path'],
        message: `this directory holds ${what}, which would be backed up with it`,
        fix: `add ${JSON.stringify(path)} to its exclude`,
      }));
  });
}

/** As restic reads the patterns: itself, or a folder above it on the way down from the asset. */
function excludes({ exclude, path: top }: DirectoryAsset, path: string): boolean {
  const isExcluded = excludePatterns(exclude);
  const steps = path.slice(top.length).split('/').filter(Boolean);
  return steps.some((_, index) => isExcluded(bytesOf(resolvePath(top, steps.slice(0, index + 1).join('/')))));
}

/** One character a byte, as the patterns are matched. */
function bytesOf(path: string): string {
  return Array.from(new TextEncoder().encode(path), (byte) => String.fromCharCode(byte)).join('');
}

function idlePorts({ temporal, catalog, ports }: Configuration): Finding[] {
  const fix = 'take it out';
  const findings: Finding[] = [];
  for (const name of ['temporal', 'temporalUi'] as const) {
    const message = 'no embedded Temporal is started, as temporal.address is set';
    if (temporal && ports[name] !== null) findings.push({ path: ['ports', name], message, fix });
  }
  const message = 'no embedded PostgreSQL is started, as catalog.url is set';
  if (catalog && ports.catalog !== null) findings.push({ path: ['ports', 'catalog'], message, fix });
  return findings;
}
