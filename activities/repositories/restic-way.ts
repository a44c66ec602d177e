// The options of restic for the ways that lead through another program: ssh and rclone. No secret is in them.

import { HoldfastError } from '../../domain/errors.ts';
import type { ResticConnection } from './restic-connection.ts';

type End = Pick<ResticConnection, 'name' | 'url' | 'ssh' | 'rclone'>;

/**
 * Throws `configuration.invalid` where both ends of a copy are reached by ssh in different ways. ssh never asks
 * anybody anything, and with a known hosts file of its own takes no host that is not in it.
 */
export function wayArguments(ends: readonly End[], stuckSeconds: number): string[] {
  const rclone = ends.find(({ rclone: tool, url }) => tool && url.startsWith('rclone:'))?.rclone;
  const ways = ends.filter(({ url }) => url.startsWith('sftp:'));
  const [way, other] = ways.map((end) => sshArguments(end, stuckSeconds));
  if (other !== undefined && other !== way) throw twoWays(ways);
  return [
    ...(way === undefined ? [] : ['-o', option(`sftp.args=${way}`)]),
    ...(rclone === undefined ? [] : ['-o', option(`rclone.program=${quoted(plain(rclone.path))}`)]),
  ];
}

function sshArguments({ ssh }: End, stuckSeconds: number): string {
  return sshWords(ssh, stuckSeconds).map(quoted).join(' ');
}

/** restic bounds requests over HTTP only; ssh has its own way to notice a line that is dead. */
export function sshWords(ssh: ResticConnection['ssh'], stuckSeconds: number): string[] {
  const { identityFile, knownHostsFile } = ssh ?? {};
  return [
    `-oServerAliveInterval=${Math.max(1, Math.ceil(stuckSeconds / 3))}`,
    '-oBatchMode=yes',
    ...(identityFile === undefined ? [] : ['-oIdentitiesOnly=yes', '-i', plain(identityFile)]),
    ...(knownHostsFile === undefined
      ? []
      : [
          '-oStrictHostKeyChecking=yes',
          '-oGlobalKnownHostsFile=none',
          `-oUserKnownHostsFile="${plain(knownHostsFile)}"`,
        ]),
  ];
}

/** restic reads the value of `-o` as a line of CSV. */
function option(assignment: string): string {
  return `"${assignment.replaceAll('"', '""')}"`;
}

/** restic splits these options as a shell would, without its expansions. */
function quoted(word: string): string {
  return `'${word}'`;
}

/** Neither restic nor ssh has a way to write these in a path. */
function plain(path: string): string {
  if (!/['"%\\\n]/.test(path)) return path;
  throw new HoldfastError({
    code: 'configuration.invalid',
    message: `${JSON.stringify(path)} cannot be given to restic`,
    cause: 'it has a quote, a backslash, a percent sign or a line break in it',
    hint: 'give the file another name',
  });
}

function twoWays(ends: readonly End[]): HoldfastError {
  const [one = '', other = ''] = ends.map(({ name }) => name);
  return new HoldfastError({
    code: 'configuration.invalid',
    message: `copy between ${one} and ${other} is not possible with these ssh settings`,
    cause: 'both are reached by ssh, with different ssh keys, and restic takes one set of options for both',
    hint: `write the same ssh key for both, or leave it out and put the hosts into ~/.ssh/config of the worker's user`,
  });
}
