// Where nothing of the control plane is left, the points are: what there is of each asset by the labels in the
// repository, and the commands of restic alone that bring it back (law 6). Pure.

import type { EngineSnapshot } from '../../activities/repositories/repository.ts';
import { UNREAD_PART } from '../../domain/recovery-point.ts';
import type { SecretReference } from '../../domain/secret-reference.ts';
import type { GivenRepository } from './request.ts';

export interface PlainRestores {
  /** To be run first, in the shell of the commands below. */
  environment: string[];
  assets: PlainAsset[];
  /** Snapshots that are not Holdfast's. */
  foreign: number;
}

export interface PlainAsset {
  asset: string;
  points: number;
  newest: { point: string; takenAt: string; partial: string | null };
  commands: string[];
}

export function plainRestores(listed: readonly EngineSnapshot[], given: GivenRepository): PlainRestores {
  const own = listed.filter(({ labels }) => labels?.kind === 'regular');
  // An attempt that was broken off may have left the list of what it could not read, and no data.
  const data = own.filter(({ labels }) => labels?.part !== UNREAD_PART);
  const assets = [...new Set(data.map(({ labels }) => labels?.asset ?? ''))].sort();
  return {
    environment: environmentOf(given),
    assets: assets.map((asset) =>
      plainAsset(
        asset,
        own.filter(({ labels }) => labels?.asset === asset),
      ),
    ),
    foreign: listed.filter(({ labels }) => labels === null).length,
  };
}

function plainAsset(asset: string, snapshots: readonly EngineSnapshot[]): PlainAsset {
  const data = snapshots.filter(({ labels }) => labels?.part !== UNREAD_PART);
  const newest = data.reduce((one, other) => (other.takenAt > one.takenAt ? other : one), data[0]!);
  const parts = data.filter(
    ({ labels, takenAt }) => labels?.point === newest.labels?.point && takenAt === newest.takenAt,
  );
  const unread = snapshots.find(
    ({ labels }) => labels?.point === newest.labels?.point && labels?.part === UNREAD_PART,
  );
  return {
    asset,
    points: new Set(data.map(({ labels }) => labels?.point)).size,
    newest: {
      point: newest.labels?.point ?? '',
      takenAt: newest.takenAt,
      partial: unread?.labels?.partial ?? null,
    },
    // A database's objects belong to roles: those first.
    commands: [...parts]
      .sort((one, other) => Number(isRoles(other)) - Number(isRoles(one)))
      .flatMap((part) => commandsFor(asset, part)),
  };
}

function isRoles({ labels }: EngineSnapshot): boolean {
  return labels?.part === 'globals';
}

function commandsFor(asset: string, { id, paths, labels }: EngineSnapshot): string[] {
  const path = paths[0] ?? '/';
  const file = quoted(`${asset}.${labels?.part ?? ''}`);
  switch (labels?.part) {
    case 'dump':
      return [
        `restic dump ${id} ${quoted(path)} > ${file}`,
        `pg_restore --exit-on-error --create --dbname=postgres ${file}`,
      ];
    case 'globals':
      // It goes on after a role that is there already.
      return [
        `restic dump ${id} ${quoted(path)} > ${file}`,
        `psql -X --quiet --dbname=postgres --file=${file}`,
      ];
    case 'files':
    case 'database':
      return [`restic restore ${quoted(`${id}:${path}`)} --target ${quoted(`./${asset}`)}`];
    default:
      return [`restic dump ${id} ${quoted(path)} > ${file}`];
  }
}

function environmentOf({ url, password, env }: GivenRepository): string[] {
  return [
    `export RESTIC_REPOSITORY=${quoted(url)}`,
    passwordLine(password),
    ...Object.entries(env).map(([name, reference]) => `export ${name}=${valueOf(reference)}`),
  ];
}

function passwordLine(reference: SecretReference): string {
  switch (reference.kind) {
    case 'file':
      return `export RESTIC_PASSWORD_FILE=${quoted(reference.path)}`;
    case 'env':
      return `export RESTIC_PASSWORD="$${reference.name}"`;
    case 'cmd':
      return `export RESTIC_PASSWORD="$(${SAME_COMMAND})"`;
  }
}

function valueOf(reference: SecretReference): string {
  switch (reference.kind) {
    case 'file':
      return `"$(cat ${quoted(reference.path)})"`;
    case 'env':
      return `"$${reference.name}"`;
    case 'cmd':
      return `"$(${SAME_COMMAND})"`;
  }
}

/** Its words may be secrets themselves. */
const SAME_COMMAND = 'the command that was given';

function quoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}
