// How restic reaches one repository: its location, its password and its credentials. None of them is ever an
// argument, and every message about the repository goes through `mask` first (fault 41).

import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RepositorySsh } from '../../domain/configuration/types.ts';
import type { SecretReference } from '../../domain/secret-reference.ts';
import { MASKED } from '../../domain/secret-reference.ts';
import { HoldfastError } from '../../domain/errors.ts';
import { resolveSecret } from '../secrets.ts';

export interface ResticOptions {
  name: string;
  /** As restic's `-r` takes it; a local path is absolute. */
  url: string;
  password: SecretReference | string;
  /** Variables restic gets, by name. */
  env?: Readonly<Record<string, SecretReference | string>>;
  uploadLimitBytesPerSecond?: number | null;
  /** How an `sftp:` repository is reached; what is not said is as ssh is configured for this user. */
  ssh?: RepositorySsh;
  /** Needed for an `rclone:` repository. */
  rclone?: { path: string };
  /** Persistent: without it every call fetches the index anew. May be shared between repositories. */
  cacheFolder: string;
  tool: { path: string };
  /**
   * A request without a byte moving for so long is tried again, and an operation that goes on failing for
   * so long ends the call as `repository.unreachable`: at most twice this time passes. Default 60.
   */
  unreachableSeconds?: number;
  /** How long to wait for a lock that somebody alive holds. Default 60. */
  lockWaitSeconds?: number;
  /**
   * Read restored files back from disk (`restic restore --verify`). Default false: restic authenticates
   * every blob before it writes it, and a rehearsal digests every restored byte anyway.
   */
  verifyRestores?: boolean;
}

export interface ResticConnection extends ResticOptions {
  unreachableSeconds: number;
  lockWaitSeconds: number;
  /** The folder of a repository on this host, else null. */
  localPath: string | null;
  /** The location, fit to be shown. */
  shownUrl: string;
}

export function connectionFor(options: ResticOptions): ResticConnection {
  return {
    unreachableSeconds: 60,
    lockWaitSeconds: 60,
    ...options,
    localPath: localFolderOf(options.url),
    shownUrl: withoutPassword(options.url),
  };
}

export interface OpenedSecrets {
  env: Record<string, string>;
  descriptors: number[];
  mask(text: string): string;
  close(): void;
}

/**
 * Resolves everything one restic call needs. The password goes to restic as a descriptor of a file without a
 * name: a variable would be shown by `ps e` and inherited by the command of `--stdin-from-command`, and a
 * named file would stay behind when the worker is killed.
 */
export async function openSecrets(
  connection: ResticConnection,
  from: ResticConnection | null,
): Promise<OpenedSecrets> {
  const password = await resolveSecret(connection.password);
  const fromPassword = from && (await resolveSecret(from.password));
  const variables = await resolveVariables(connection, from);
  const descriptors: number[] = [];
  try {
    descriptors.push(namelessFile(password));
    if (fromPassword) descriptors.push(namelessFile(fromPassword));
  } catch (error) {
    descriptors.forEach((descriptor) => closeSync(descriptor));
    throw error;
  }
  const secrets = [
    password,
    ...(fromPassword ? [fromPassword] : []),
    ...Object.entries(variables)
      .filter(([name]) => !/REGION|ENDPOINT|PROFILE$/.test(name))
      .map(([, value]) => value),
    ...[connection.url, from?.url ?? ''].flatMap(passwordsIn),
  ];
  return {
    env: {
      ...variables,
      RESTIC_REPOSITORY: connection.url,
      RESTIC_PASSWORD_FILE: '/dev/fd/3',
      ...(from && { RESTIC_FROM_REPOSITORY: from.url, RESTIC_FROM_PASSWORD_FILE: '/dev/fd/4' }),
      RESTIC_CACHE_DIR: connection.cacheFolder,
      RESTIC_PROGRESS_FPS: '2',
      TZ: 'UTC',
    },
    descriptors,
    mask: (text) => maskAll(text, secrets),
    close: () => descriptors.forEach((descriptor) => closeSync(descriptor)),
  };
}

/** restic takes one set of variables for both repositories of a copy: two that differ cannot both be right. */
async function resolveVariables(
  connection: ResticConnection,
  from: ResticConnection | null,
): Promise<Record<string, string>> {
  const variables: Record<string, string> = {};
  for (const side of from ? [from, connection] : [connection]) {
    for (const [name, reference] of Object.entries(side.env ?? {})) {
      const value = await resolveSecret(reference);
      if (variables[name] !== undefined && variables[name] !== value) {
        throw new HoldfastError({
          code: 'configuration.invalid',
          message: `copy from ${from?.name} to ${connection.name} is not possible with these credentials`,
          cause: `both set ${name}, to different values, and restic takes one for both`,
          hint: `use one access key that may read ${from?.name} and write ${connection.name}, or reach one of them through rclone: or rest:`,
        });
      }
      variables[name] = value;
    }
  }
  return variables;
}

/** Opened, then unlinked before the secret is written: it never stands under a name, and ends with us. */
function namelessFile(content: string): number {
  const folder = mkdtempSync(join(memoryOrTemporaryFolder(), 'holdfast-'));
  try {
    const path = join(folder, 'secret');
    const descriptor = openSync(path, 'wx+', 0o600);
    rmSync(path);
    writeSync(descriptor, content);
    return descriptor;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function memoryOrTemporaryFolder(): string {
  try {
    const probe = mkdtempSync('/dev/shm/holdfast-');
    rmSync(probe, { recursive: true });
    return '/dev/shm';
  } catch {
    return tmpdir();
  }
}

function maskAll(text: string, secrets: string[]): string {
  return secrets
    .filter((secret) => secret.length >= 4)
    .sort((one, other) => other.length - one.length)
    .reduce((masked, secret) => masked.replaceAll(secret, MASKED), withoutPassword(text));
}

/** `rest:https://user:secret@host/` → `rest:https://user:****@host/`, anywhere in a text. */
export function withoutPassword(text: string): string {
  return text.replaceAll(/(:\/\/[^/\s:@]*:)[^/\s@]+@/g, `$1${MASKED}@`);
}

function passwordsIn(url: string): string[] {
  const password = /:\/\/[^/\s:@]*:([^/\s@]+)@/.exec(url)?.[1];
  return password === undefined ? [] : [password, decodeURIComponent(password)];
}

/** The folder of a repository on this machine; null for one that is reached in another way. */
export function localFolderOf(url: string): string | null {
  return /^(?:local:)?(\/.*)$/s.exec(url)?.[1] ?? null;
}
