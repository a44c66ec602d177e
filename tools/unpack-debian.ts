// A Debian package's programs without root: apt-get downloads it and what it depends on, checked as ever against
// the distribution's signed lists; they are unpacked into the cache, and none of their scripts run.
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import {
  beginStaging,
  endStaging,
  isExecutable,
  lockDirectory,
  publishStaging,
  unpackedVersion,
} from './cache.ts';
import { withLock } from './lock.ts';

const longestStepMs = 5 * 60_000;

export interface UnpackRequest {
  name: string;
  debianPackage: string;
  cacheDirectory: string;
  /** Put before each command, for tests. */
  prefix?: string[];
}

/** Leaves a script of the tool's name in the cache that runs the unpacked program; throws the reason if it can't. */
export async function unpackDebianTool(request: UnpackRequest): Promise<string> {
  const { name, debianPackage, cacheDirectory } = request;
  const lock = lockDirectory(cacheDirectory, name, unpackedVersion);
  return withLock(lock, { purpose: `unpacking ${debianPackage}`, waitSeconds: 600 }, async () => {
    const staging = await beginStaging(cacheDirectory, name, unpackedVersion);
    try {
      await unpackInto(staging, request);
      await writeFile(join(staging, name), await script(staging, name, debianPackage), { mode: 0o755 });
      return await publishStaging(staging, cacheDirectory, name, unpackedVersion);
    } finally {
      await endStaging(staging);
    }
  });
}

async function unpackInto(staging: string, { debianPackage, prefix = [] }: UnpackRequest): Promise<void> {
  const archives = join(staging, 'archives');
  await mkdir(join(archives, 'partial'), { recursive: true });
  await downloadInto(archives, debianPackage, prefix).catch(async () => {
    const ownLists = await updateOwnLists(archives, prefix);
    await downloadInto(archives, debianPackage, prefix, ownLists);
  });
  const packages = (await readdir(archives)).filter((file) => file.endsWith('.deb'));
  for (const file of packages)
    await run([...prefix, 'dpkg-deb', '--extract', join(archives, file), join(staging, 'root')], archives);
  await rm(archives, { recursive: true });
}

async function downloadInto(
  archives: string,
  debianPackage: string,
  prefix: string[],
  options: string[] = [],
): Promise<void> {
  const aptGet = [...prefix, 'env', 'LC_ALL=C.UTF-8', 'apt-get', ...options];
  const plan = await run(
    [...aptGet, 'install', '--simulate', '--no-install-recommends', debianPackage],
    archives,
  );
  const packages = [...plan.matchAll(/^Inst (\S+) (?:\[\S+\] )?\((\S+) /gm)].map(
    ([, name, version]) => `${name}=${version}`,
  );
  if (packages.length === 0) throw new Error(`apt-get would install nothing for ${debianPackage}`);
  await run([...aptGet, 'download', ...packages], archives);
}

/** The system's lists are absent or too old, and only root may renew those. */
async function updateOwnLists(archives: string, prefix: string[]): Promise<string[]> {
  const lists = join(archives, 'lists');
  await mkdir(join(lists, 'partial'), { recursive: true });
  const options = [
    '-o',
    `Dir::State::Lists=${lists}`,
    '-o',
    `Dir::Cache=${archives}`,
    '-o',
    'Debug::NoLocking=1',
  ];
  await run([...prefix, 'env', 'LC_ALL=C.UTF-8', 'apt-get', ...options, 'update'], archives);
  return options;
}

async function run([command, ...args]: string[], directory: string): Promise<string> {
  const answer = await execa(command!, args, {
    cwd: directory,
    reject: false,
    stdin: 'ignore',
    timeout: longestStepMs,
  });
  if (!answer.failed) return answer.stdout;
  const errors = answer.stderr.split('\n').filter((line) => line.startsWith('E:'));
  throw new Error(
    errors.join('; ') || answer.stderr.trim() || `${command} ended with ${answer.exitCode ?? answer.code}`,
  );
}

/** The program finds its own absolute path in its first argument, as sshd demands; libraries that came along first. */
async function script(staging: string, name: string, debianPackage: string): Promise<string> {
  const candidates = ['usr/bin', 'usr/sbin', 'bin', 'sbin'].map((folder) => `root/${folder}/${name}`);
  for (const program of candidates) {
    if (!(await isExecutable(join(staging, program)))) continue;
    const libraries = (await libraryFolders(staging)).map((folder) => `$here/${folder}`).join(':');
    const environment = libraries === '' ? '' : `export LD_LIBRARY_PATH="${libraries}"\n`;
    return `#!/bin/sh\nhere=$(cd "$(dirname "$0")" && pwd)\n${environment}exec "$here/${program}" "$@"\n`;
  }
  throw new Error(`the package ${debianPackage} has no program called ${name}`);
}

async function libraryFolders(staging: string): Promise<string[]> {
  const folders = new Set<string>();
  for (const parent of ['root/usr/lib', 'root/lib']) {
    const entries = await readdir(join(staging, parent), { withFileTypes: true }).catch(() => []);
    for (const entry of entries.filter((candidate) => candidate.isDirectory())) {
      const files = await readdir(join(staging, parent, entry.name));
      if (entry.name.includes('-linux-') && files.some((file) => file.includes('.so')))
        folders.add(`${parent}/${entry.name}`);
    }
  }
  return [...folders];
}
