// Which account a private PostgreSQL runs as: PostgreSQL refuses to run as root, and accounts are never created.

import { readFile } from 'node:fs/promises';

/** The account a cluster runs as; null: the account Holdfast itself runs as, which then is not root. */
export type ClusterOwner = { uid: number; gid: number } | null;

/** For data Holdfast keeps: the system's `postgres` account where there is one. */
export async function catalogOwner(): Promise<ClusterOwner> {
  return process.getuid?.() === 0 ? ((await accountOf('postgres')) ?? NOBODY) : null;
}

/**
 * For dumps, which are code: an account that owns nothing, so neither the catalogue nor any PostgreSQL
 * of the system (both belong to `postgres`) is in its reach.
 */
export async function sandboxOwner(): Promise<ClusterOwner> {
  return process.getuid?.() === 0 ? ((await accountOf('nobody')) ?? NOBODY) : null;
}

const NOBODY = { uid: 65_534, gid: 65_534 };

async function accountOf(name: string): Promise<ClusterOwner> {
  const accounts = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const [, uid, gid] = new RegExp(`^${name}:[^:]*:(\\d+):(\\d+):`, 'm').exec(accounts) ?? [];
  return uid === undefined || uid === '0' ? null : { uid: Number(uid), gid: Number(gid) };
}
