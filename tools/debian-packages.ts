// Installs Debian packages for the programs in them: nothing they bring is started, and PostgreSQL gets no
// system cluster.
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { HoldfastError } from '../domain/errors.ts';

const longestInstallMs = 15 * 60_000;
const usualPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What packages' own scripts call to create clusters and to start services. */
const silencedCommands = ['pg_createcluster', 'invoke-rc.d', 'deb-systemd-invoke'];

/** How to run apt-get as root here, or why it can't be; `present` tells whether it is there at all. */
type AptGet = { command: string[] } | { reason: string; present: boolean };

export async function findAptGet(): Promise<AptGet> {
  const apt = await execa('apt-get', ['--version'], { reject: false });
  if (apt.failed) return { reason: 'this system has no apt-get', present: false };
  if (process.getuid?.() === 0) return { command: [] };
  const sudo = await execa('sudo', ['-n', 'true'], { reject: false, stdin: 'ignore' });
  if (!sudo.failed) return { command: ['sudo', '-n'] };
  return { reason: 'this is not root and `sudo -n` is refused', present: true };
}

/** Throws `tool.failed` with apt-get's own words. */
export async function installDebianPackages(
  packages: string[],
  aptGet: { command: string[] },
): Promise<void> {
  const silence = await beginSilence();
  const install = [
    'install',
    '--yes',
    '--no-install-recommends',
    '-o',
    `DPkg::Path=${silence}:${usualPath}`,
    ...packages,
  ];
  try {
    let answer = await runAptGet(aptGet, install);
    if (answer.failed && listsAreStale(answer.stderr)) {
      const update = await runAptGet(aptGet, ['update']);
      if (update.failed) throw aptFailed('update', update.stderr);
      answer = await runAptGet(aptGet, install);
    }
    if (answer.failed) throw aptFailed(`install ${packages.join(' ')}`, answer.stderr);
    if (packages.includes('openssh-server')) await keepSshDisabled(aptGet);
  } finally {
    await rm(silence, { recursive: true, force: true });
  }
}

/**
 * A folder put before dpkg's own PATH for this one call, in which the commands that create clusters and start
 * services do nothing. No file of the system's configuration is touched.
 */
async function beginSilence(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-apt-'));
  for (const command of silencedCommands)
    await writeFile(join(folder, command), '#!/bin/sh\nexit 0\n', { mode: 0o755 });
  return folder;
}

function runAptGet(aptGet: { command: string[] }, args: string[]) {
  const waitForDpkg = ['-o', 'DPkg::Lock::Timeout=300', '-o', 'Acquire::Retries=1'];
  const environment = ['env', 'DEBIAN_FRONTEND=noninteractive', 'LC_ALL=C.UTF-8'];
  const [command, ...rest] = [
    ...aptGet.command,
    ...environment,
    'apt-get',
    '--quiet',
    ...waitForDpkg,
    ...args,
  ];
  return execa(command!, rest, { reject: false, stdin: 'ignore', timeout: longestInstallMs });
}

function listsAreStale(words: string): boolean {
  return /Unable to locate package|no installation candidate|404 |Failed to fetch|Unable to fetch|no available version/.test(
    words,
  );
}

/** The package enables its service for the next boot; it was wanted for the tests' own servers only. */
async function keepSshDisabled(aptGet: { command: string[] }): Promise<void> {
  const hasSystemd = await stat('/run/systemd/system').catch(() => undefined);
  if (!hasSystemd) return;
  const [command, ...rest] = [...aptGet.command, 'systemctl', 'disable', '--quiet', 'ssh.service'];
  await execa(command, rest, { reject: false, stdin: 'ignore' });
}

function aptFailed(what: string, words: string): HoldfastError {
  const errors = words.split('\n').filter((line) => line.startsWith('E:'));
  return new HoldfastError({
    code: 'tool.failed',
    message: `apt-get ${what} failed`,
    cause: (errors.length > 0 ? errors.join('\n') : words.trim().split('\n').slice(-5).join('\n')).slice(
      0,
      2000,
    ),
    hint: `run \`apt-get update\` and \`apt-get ${what}\` by hand to see all it says, then run the set-up again`,
  });
}
