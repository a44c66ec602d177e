// How one asset is brought back by hand: the very lines, with the plain tools alone. They are text on a sheet and
// run by a drill, so they take everything that may differ from a few variables that the sheet explains.

import { folderOf, type KitAsset, type KitRepository } from './facts.ts';
import { shellWord } from './shell-word.ts';

export interface AssetCommands {
  look: string;
  fetch: string;
  place: string;
  check: string;
}

export function assetCommands(asset: KitAsset, repository: KitRepository): AssetCommands {
  const restic = resticFor(repository);
  const look = `${restic} snapshots --tag ${quoted(tags(asset.name))}`;
  switch (asset.type) {
    case 'directory':
      return { look, ...directory(asset, restic) };
    case 'sqlite':
      return { look, ...sqlite(asset, restic) };
    case 'postgres':
      return { look, ...postgres(asset, restic) };
  }
}

/** ssh is told what to use: who restores has neither this host's keys nor its known hosts. */
export function resticFor({ name, ssh }: KitRepository): string {
  if (!ssh?.identity && !ssh?.knownHosts) return 'restic';
  const folder = `$KIT/${folderOf(name)}`;
  const words = [
    '-oBatchMode=yes',
    ...(ssh.identity ? ['-oIdentitiesOnly=yes', `-i '${folder}/identity'`] : []),
    ...(ssh.knownHosts ? [`-oUserKnownHostsFile='${folder}/known_hosts'`] : []),
  ];
  return `restic -o sftp.args="${words.join(' ')}"`;
}

/** Where the sheet has put it when its commands have run. `root` and `target`: what the variables were. */
export function placedAt(asset: KitAsset, root: string): string {
  return asset.type === 'postgres' ? asset.database : `${root}${asset.path}`;
}

function tags(asset: string, part?: string): string {
  return [
    `holdfast:asset=${asset}`,
    'holdfast:kind=regular',
    ...(part ? [`holdfast:part=${part}`] : []),
  ].join(',');
}

/** Names are plain words: see the names of the configuration. */
function quoted(words: string): string {
  return `"${words}\${POINT:+,holdfast:point=$POINT}"`;
}

function fetching(restic: string, asset: string, part: string, path: string | null): string {
  const what = shellWord(path === null ? 'latest' : `latest:${path}`);
  return `${restic} restore ${what} --tag ${quoted(tags(asset, part))} --target "$TARGET/${asset}/${part}"`;
}

type PathAsset = Extract<KitAsset, { path: string }>;

function directory({ name, path, stored }: PathAsset, restic: string): Omit<AssetCommands, 'look'> {
  return {
    fetch: fetching(restic, name, 'files', stored),
    place: [
      `DESTINATION="\${ROOT:-}"${shellWord(path)}`,
      'mkdir -p "$(dirname "$DESTINATION")"',
      'if [ -e "$DESTINATION" ]; then mv "$DESTINATION" "$DESTINATION.before-$(date -u +%Y%m%dT%H%M%SZ)"; fi',
      `cp -a "$TARGET/${name}/files" "$DESTINATION"`,
    ].join('\n'),
    check: [
      `DESTINATION="\${ROOT:-}"${shellWord(path)}`,
      'find "$DESTINATION" | wc -l',
      'du -sh "$DESTINATION"',
    ].join('\n'),
  };
}

/** A log of another database beside it would be played into it. */
function sqlite({ name, path, stored }: PathAsset, restic: string): Omit<AssetCommands, 'look'> {
  const file = path.slice(path.lastIndexOf('/') + 1);
  return {
    fetch: fetching(restic, name, 'database', stored),
    place: [
      `DESTINATION="\${ROOT:-}"${shellWord(path)}`,
      'mkdir -p "$(dirname "$DESTINATION")"',
      `for suffix in '' -wal -shm -journal; do`,
      '  if [ -e "$DESTINATION$suffix" ]; then mv "$DESTINATION$suffix" "$DESTINATION.before-$(date -u +%Y%m%dT%H%M%SZ)$suffix"; fi',
      'done',
      `cp -a "$TARGET/${name}/database/"${shellWord(file)} "$DESTINATION"`,
    ].join('\n'),
    check: [
      `DESTINATION="\${ROOT:-}"${shellWord(path)}`,
      `sqlite3 -readonly "$DESTINATION" 'pragma integrity_check'`,
    ].join('\n'),
  };
}

/** `psql` goes on after a role that is there already; a database that is there is never written to. */
function postgres(
  { name, database, checks }: Extract<KitAsset, { type: 'postgres' }>,
  restic: string,
): Omit<AssetCommands, 'look'> {
  const create = database === 'postgres' ? '' : '--create ';
  return {
    fetch: ['dump', 'globals'].map((part) => fetching(restic, name, part, null)).join('\n'),
    place: [
      `psql -X --quiet --dbname=postgres --file="$TARGET/${name}/globals/globals.sql"`,
      `pg_restore ${create}--exit-on-error --dbname=postgres "$TARGET/${name}/dump/"*.dump`,
    ].join('\n'),
    check: [
      `psql -X --dbname=${shellWord(database)} --command='\\dt+'`,
      ...checks.map((sql) => `psql -XAt --dbname=${shellWord(database)} --command=${shellWord(sql)}`),
    ].join('\n'),
  };
}
