// Why ssh does not connect, in its own words: restic ends before it has passed them on, as often as not.

import { runCommand } from '../run-command.ts';
import type { Step } from '../step.ts';
import type { ResticConnection } from './restic-connection.ts';
import { sshWords } from './restic-way.ts';

/** '' where it connects now, or where this is no repository over ssh. */
export async function whySshFails(
  { url, ssh, unreachableSeconds }: ResticConnection,
  step: Step,
): Promise<string> {
  const host = hostOf(url);
  if (host === null) return '';
  const options = [...sshWords(ssh, unreachableSeconds), `-oConnectTimeout=${unreachableSeconds}`];
  const args = [...options, ...(host.port === null ? [] : ['-p', host.port]), '-s', '--', host.name, 'sftp'];
  const { exitCode, stderr } = await runCommand({ tool: 'ssh', file: 'ssh', args, input: '' }, step);
  if (exitCode === 0) return '';
  return stderr
    .split('\n')
    .filter((line) => !line.startsWith('@@@'))
    .slice(-5)
    .join('\n');
}

/** `sftp://user@host:port/path`, or `sftp:user@host:path`. */
function hostOf(url: string): { name: string; port: string | null } | null {
  const [, full, port = null] = /^sftp:\/\/([^/:]+|[^/@]*@?\[[^\]]+\])(?::(\d+))?\//.exec(url) ?? [];
  if (full !== undefined) return { name: full.replaceAll(/[[\]]/g, ''), port };
  const [, short] = /^sftp:(?!\/\/)([^:]+):/.exec(url) ?? [];
  return short === undefined ? null : { name: short, port: null };
}
