// As whom the user's own commands run in a clean room. Where Holdfast is root they get a number nobody else has, no
// groups and no way to more rights: they read the room and what everybody may read, and nothing of production's or
// Holdfast's own. No account is made for it. Where that cannot be, the evidence says so.

import { createHash } from 'node:crypto';
import { chmod, chown, readFile, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { HoldfastError } from '../../domain/errors.ts';
import { lastWords, runCommand } from '../run-command.ts';
import type { Step } from '../step.ts';

export interface RoomAccount {
  uid: number;
  gid: number;
}

export interface Entered {
  /** null: as the worker's own user. */
  account: RoomAccount | null;
  /** Why there is none. */
  because: string | null;
}

export interface RoomToEnter {
  dataDir: string;
  drillId: string;
  folder: string;
  /** The configuration's folder: commands are run from there. */
  origin: string;
  /** What came back as files: handed to the account, after it was compared with what its backup noted. */
  paths: string[];
}

/** Only the way to the rooms is open to this group, and nobody is in it but what runs in a room. */
const ROOMS_GROUP = 2_000_000_000;
const FIRST_ACCOUNT = 2_000_000_001;
const ACCOUNTS = 100_000_000;
/** Where a container has only the numbers below 65,536: what lies between people and services of systemd's making. */
const SMALL = { firstAccount: 60_578, accounts: 600, group: 61_183 };
const NOBODY = 65_534;

/** Not `nobody`, as whom others run as well. */
export function isRoomsOwn(uid: number): boolean {
  const within = (first: number, count: number) => uid >= first && uid < first + count;
  return within(FIRST_ACCOUNT, ACCOUNTS) || within(SMALL.firstAccount, SMALL.accounts);
}

export async function enterRoom(room: RoomToEnter, step: Step): Promise<Entered> {
  if (process.getuid?.() !== 0) return { account: null, because: null };
  const [uids, gids] = await Promise.all([idMap('uid'), idMap('gid')]);
  const account = accountFor(room.drillId, uids, gids);
  for (const folder of [room.dataDir, dirname(room.folder)]) await openWay(folder, account);
  await chown(room.folder, account.uid, account.gid);
  for (const path of room.paths) await handOver(path, room.folder, account, step);
  const closed = await firstClosed(room, account, step);
  if (closed === null) return { account, because: null };
  const because = `${closed} cannot be reached by an account of its own, as a folder above it is closed to others`;
  step.say('warning', `smoke tests run as root: ${because}`);
  return { account: null, because };
}

export function reachOf(entered: Entered): string {
  return `${whatItCouldRead(entered)}; the network of this host, loopback included, was open to it`;
}

function whatItCouldRead({ account, because }: Entered): string {
  if (account) {
    const whose = isRoomsOwn(account.uid) ? 'of its own' : '(nobody), as which others may run too';
    return `what ran there ran as uid ${account.uid} ${whose}, without groups and without a way to more rights: it could read the room and what everybody may read`;
  }
  const uid = process.getuid?.() ?? -1;
  return because === null
    ? `what ran there ran as the user of the worker (uid ${uid}): what that user may read of production, it could read too`
    : `what ran there ran as root, because ${because}: it could read whatever root may`;
}

/** The same for every attempt of one drill. The maps are those of /proc/self: which numbers there are. */
export function accountFor(drillId: string, uids: string, gids: string): RoomAccount {
  const hash = createHash('sha256').update(drillId).digest().readUInt32BE(0);
  const candidates = [
    { uid: FIRST_ACCOUNT + (hash % ACCOUNTS), gid: ROOMS_GROUP },
    { uid: SMALL.firstAccount + (hash % SMALL.accounts), gid: SMALL.group },
  ];
  const mapped = candidates.find(({ uid, gid }) => isMapped(uids, uid) && isMapped(gids, gid));
  return mapped ?? { uid: NOBODY, gid: NOBODY };
}

function idMap(kind: 'uid' | 'gid'): Promise<string> {
  return readFile(`/proc/self/${kind}_map`, 'utf8');
}

function isMapped(map: string, id: number): boolean {
  return map.split('\n').some((line) => {
    const [first = Number.NaN, , count = 0] = line.trim().split(/\s+/).map(Number);
    return id >= first && id < first + count;
  });
}

/** To be gone through, not to be listed; to others it stays as closed as it was. */
async function openWay(folder: string, { gid }: RoomAccount): Promise<void> {
  const { uid, mode } = await stat(folder);
  // Somebody's group has rights there: that is theirs to say.
  if (uid !== 0 || (mode & 0o070) !== 0) return;
  await chown(folder, 0, gid);
  await chmod(folder, (mode & 0o7777) | 0o010);
}

/** Whole, and the folders on the way to it; beside it a scratch server may have its own. */
async function handOver(path: string, room: string, account: RoomAccount, step: Step): Promise<void> {
  for (let above = dirname(path); above !== room && above.startsWith(room); above = dirname(above))
    await chown(above, account.uid, account.gid);
  const { exitCode, stderr } = await runCommand(
    { tool: 'chown', file: 'chown', args: ['-hR', `${account.uid}:${account.gid}`, '--', path] },
    { ...step, ran: () => undefined },
  );
  if (exitCode === 0) return;
  throw new HoldfastError({
    code: 'tool.failed',
    message: `handing ${basename(path)} to the account of the clean room failed`,
    cause: lastWords(stderr),
    hint: 'the data directory needs a file system that keeps owners',
  });
}

/** A folder to be gone through is open enough. */
async function firstClosed(
  { folder, origin, paths }: RoomToEnter,
  account: RoomAccount,
  step: Step,
): Promise<string | null> {
  for (const path of [origin, folder, ...paths]) {
    const { exitCode } = await runCommand(
      { tool: 'test', file: 'test', args: [path === origin ? '-x' : '-r', path], ...account, confined: true },
      { ...step, ran: () => undefined },
    );
    if (exitCode !== 0) return path;
  }
  return null;
}
