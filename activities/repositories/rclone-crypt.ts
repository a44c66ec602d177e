// Whether rclone's crypt is really on where a repository is to be kept behind it. restic encrypts in any case: this
// holds those to their word who count on names and sizes being hidden as well. Nothing of rclone's configuration
// but the type of a remote and what lies behind it is looked at, and none of it is said.

import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { whyNotEncrypted } from '../../domain/copies/crypt.ts';
import { HoldfastError } from '../../domain/errors.ts';
import { runCommand } from '../run-command.ts';
import { resolveSecret } from '../secrets.ts';
import type { Step } from '../step.ts';
import type { ResticConnection } from './restic-connection.ts';

/**
 * Writes an object through the remote, reads what arrived in the one behind it, and takes it away again. A remote
 * of another type passes: nobody said that it encrypts. Throws `repository.untrusted`.
 */
export async function requireCrypt(connection: ResticConnection, step: Step): Promise<void> {
  const { rclone } = connection;
  const remote = /^rclone:([^:,]+):/.exec(connection.url)?.[1];
  if (!rclone || remote === undefined) return;
  const env = await variablesOf(connection);
  const run = async (args: readonly string[], input?: string) => {
    const request = { tool: 'rclone', file: rclone.path, args, env, ...(input !== undefined && { input }) };
    const { exitCode, stdout } = await runCommand(request, step);
    // Its words may hold what the configuration holds.
    if (exitCode !== 0) throw notTold(connection, `rclone ${args[0]} ended with exit code ${exitCode}`);
    return stdout;
  };
  const { type, behind } = settingsOf(remote, env, await run(['config', 'dump']));
  if (type !== 'crypt') return;
  if (behind === null) throw notTold(connection, 'the remote behind it is not named');

  const name = `holdfast-probe-${randomBytes(6).toString('hex')}`;
  const content = randomBytes(48).toString('hex');
  try {
    await run(['rcat', `${remote}:${name}/${name}`], content);
    const found = await arrivedAs(behind, remote, name, run);
    const why = whyNotEncrypted({ name, content, ...found });
    if (why !== null) throw notEncrypted(connection, why);
    step.say('info', `${connection.name}: rclone crypt is on: a test object could not be read behind it`);
  } finally {
    await run(['purge', `${remote}:${name}`]);
  }
}

async function arrivedAs(
  behind: string,
  remote: string,
  name: string,
  run: (args: readonly string[]) => Promise<string>,
): Promise<{ rawNames: string[]; rawContent: string }> {
  const [, encrypted] = (await run(['cryptdecode', '--reverse', `${remote}:`, `${name}/${name}`])).split(
    '\t',
  );
  const path = (encrypted ?? '').trim();
  const rawContent = await run(['cat', `${behind}${/[:/]$/.test(behind) ? '' : '/'}${path}`]);
  return { rawNames: path === '' ? [] : [path], rawContent };
}

const dump = z.record(z.string(), z.object({ type: z.string().optional(), remote: z.string().optional() }));

/** A variable is stronger than the file. */
function settingsOf(remote: string, env: Readonly<Record<string, string>>, dumped: string) {
  const own = dump.parse(JSON.parse(dumped))[remote];
  const prefix = `RCLONE_CONFIG_${remote.toUpperCase().replaceAll('-', '_')}`;
  return {
    type: env[`${prefix}_TYPE`] ?? own?.type ?? null,
    behind: env[`${prefix}_REMOTE`] ?? own?.remote ?? null,
  };
}

async function variablesOf({ env = {} }: ResticConnection): Promise<Record<string, string>> {
  const entries = Object.entries(env).map(
    async ([name, reference]) => [name, await resolveSecret(reference)] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}

function notEncrypted({ name, shownUrl }: ResticConnection, cause: string): HoldfastError {
  return new HoldfastError({
    code: 'repository.untrusted',
    message: `repository ${name} (${shownUrl}) was not begun: its remote is of type crypt, and does not encrypt`,
    cause,
    hint: 'give the crypt remote filename_encryption = standard, take no_data_encryption out of it, and look whether the remote behind it is the one you mean',
  });
}

function notTold({ name, shownUrl }: ResticConnection, cause: string): HoldfastError {
  return new HoldfastError({
    code: 'repository.unreachable',
    message: `whether the remote of repository ${name} (${shownUrl}) encrypts could not be found out`,
    cause,
    hint: 'run that command by hand, with the same variables, to see what rclone says; it is tried again',
  });
}
