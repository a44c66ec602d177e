// The configuration `init` writes: every choice with the line that says what it means. Pure; holds where
// secrets are, never what they are.

import { isAbsolute, relative, sep } from 'node:path';
import { parseDuration, writeDuration } from '../domain/duration.ts';
import { COPY, LOCAL, POLICY } from './init-answers.ts';
import type { Answers, AssetAnswer, RepositoryAnswer, SecretAnswer } from './init-answers.ts';

export function configurationText(answers: Answers, folder: string): string {
  const { assets, repository, copy } = answers;
  return [
    '# Written by `holdfast init`. `holdfast validate` checks this file; `holdfast apply` makes a change count.',
    '#',
    '# Secrets are never written here, only where they are: env:NAME is a variable of the environment in which',
    '# `holdfast up` runs, file:PATH a file only its owner can read (mode 0600), cmd:COMMAND what a command prints.',
    "# Relative paths start from this file's folder.",
    '',
    'version: 1',
    '',
    '# State, logs, staging and caches. Not a backup: it can be lost, and is made again from the repositories.',
    'dataDir: ./.holdfast',
    '',
    '# Where recovery points are kept: encrypted, deduplicated, in the format of restic (https://restic.net).',
    '# Whoever has the key of a repository reads everything in it; without the key nobody does, ever again.',
    '# Keep a copy of the keys away from this machine.',
    'repositories:',
    ...repositoryLines(LOCAL, repository, folder),
    ...(copy ? repositoryLines(COPY, copy, folder) : []),
    '',
    '# What is protected.',
    'assets:',
    ...assets.flatMap((asset) => assetLines(asset, answers, folder)),
    '',
    ...policyLines(answers),
    '',
  ].join('\n');
}

/** Where a secret of this name is written, below the configuration's folder. */
export function secretFile(name: string): string {
  return `keys/${name}`;
}

export const DATA_FOLDER = '.holdfast';

function repositoryLines(name: string, { url, credentials }: RepositoryAnswer, folder: string): string[] {
  return [
    `  - name: ${name}`,
    '    type: restic',
    `    url: ${scalar(shownPlace(url, folder))}`,
    `    password: file:./${secretFile(`${name}.key`)}`,
    ...(credentials.length > 0 ? ['    env:'] : []),
    ...credentials.map(
      ({ variable, value }) => `      ${variable}: ${reference(value, credentialName(name, variable))}`,
    ),
  ];
}

export function credentialName(repository: string, variable: string): string {
  return `${repository}-${variable.toLowerCase().replaceAll('_', '-')}.secret`;
}

export function databaseUrlName(asset: string): string {
  return `${asset}.url`;
}

function assetLines(asset: AssetAnswer, answers: Answers, folder: string): string[] {
  const head = [`  - name: ${scalar(asset.name)}`, `    type: ${asset.type}`];
  switch (asset.type) {
    case 'postgres':
      return [
        ...head,
        '    # postgres://user:password@host:5432/database; its roles are kept with it.',
        `    url: ${reference(asset.url, databaseUrlName(asset.name))}`,
      ];
    case 'sqlite':
      return [
        ...head,
        "    # Copied with SQLite's own backup, also while it is being written to.",
        `    path: ${scalar(asset.path)}`,
      ];
    case 'directory': {
      const own = ownPlacesIn(asset.path, answers, folder);
      return [
        ...head,
        `    path: ${scalar(asset.path)}`,
        ...(own.length > 0
          ? ["    # Holdfast's own files lie in it, and would be backed up into themselves.", '    exclude:']
          : ["    # exclude: ['*.tmp', .cache]   # restic's pattern words"]),
        ...own.map((path) => `      - ${scalar(path.replaceAll(/[*?[\\]/g, '\\$&'))}`),
      ];
    }
  }
}

function ownPlacesIn(path: string, { repository, copy }: Answers, folder: string): string[] {
  const own = [`${folder}${sep}${DATA_FOLDER}`, repository.url, copy?.url ?? ''];
  return own.filter((place) => isAbsolute(place) && isBelow(path, place));
}

function policyLines({ assets, copy, every, proof }: Answers): string[] {
  const objective = writeDuration(2 * (parseDuration(every) ?? 0));
  return [
    'policies:',
    `  - name: ${POLICY}`,
    `    assets: [${assets.map(({ name }) => scalar(name)).join(', ')}]`,
    '    # How often: 6h, 24h, 7d; or `cron: 0 2 * * *` instead, in UTC.',
    `    every: ${every}`,
    `    repository: ${LOCAL}`,
    ...(copy
      ? [
          '    # A second copy, made with each backup, for the day this place is gone.',
          `    copies: [${COPY}]`,
        ]
      : [
          '    # copies: [offsite]   # a second repository, elsewhere: fire and theft take one place, not two',
        ]),
    '    # What may one day be dropped. Leave it out and nothing ever is; an empty one is refused.',
    '    retention: { keepLast: 3, keepDaily: 30, keepWeekly: 13, keepMonthly: 12 }',
    '    # What a backup needs to be called a success: stored (it was written), verified (every byte was read back)',
    '    # or proven (it was restored in a sandbox and compared). Proven from the copy, if there is one.',
    `    proof: ${proof}`,
    '    # `holdfast status` turns red when the newest point with that proof is older than this: two intervals, so',
    '    # that one late backup is no alarm.',
    `    objectives: { rpo: ${objective} }`,
  ];
}

function reference(secret: SecretAnswer, name: string): string {
  return secret.kind === 'env' ? `env:${secret.name}` : `file:./${secretFile(name)}`;
}

function shownPlace(url: string, folder: string): string {
  return isAbsolute(url) && isBelow(folder, url) ? `./${relative(folder, url)}` : url;
}

function isBelow(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '' && !way.startsWith(`..${sep}`) && way !== '..' && !isAbsolute(way);
}

/** JSON's strings are YAML's too. Quoted only where YAML would take the text for something else. */
function scalar(text: string): string {
  const isPlain = /^[A-Za-z./][A-Za-z0-9._/@+:-]*[A-Za-z0-9/]$/.test(text);
  return isPlain && !/^(true|false|null|\.inf|\.nan)$/i.test(text) ? text : JSON.stringify(text);
}
