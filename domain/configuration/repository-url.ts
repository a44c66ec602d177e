// What restic takes as a repository, read as text: its kind, whether anything would leave in plain, and when
// two of them are the same.

import { resolvePath } from './paths.ts';
import type { Refusal } from './say.ts';

/** Of `restic help`, with `local:` spelled out as restic itself allows. */
const schemes = ['local', 'sftp', 'rest', 's3', 'swift', 'b2', 'azure', 'gs', 'rclone'];

/** null: it may be used. The words never contain the URL. */
export function refuseRepositoryUrl(url: string): Refusal | null {
  if (url.trim() === '')
    return { message: 'the repository has no place', fix: 'write a path or a URL restic knows' };
  if (url.startsWith('-'))
    return { message: 'a repository cannot start with "-"', fix: 'write ./ before it if it is a path' };
  if (url.startsWith('~')) return { message: '~ is not expanded', fix: 'write the whole path' };
  if (/[\0-\x1f\x7f]/.test(url))
    return { message: 'a control character is in the URL', fix: 'write it on one line' };
  const scheme = schemeOf(url);
  if (scheme !== null && /^(env|file|cmd)$/.test(scheme)) {
    return {
      message: 'a repository is not given by reference, so that it can be checked here',
      fix: 'write its URL, and its credentials as references under env',
    };
  }
  if (scheme !== null && !schemes.includes(scheme)) {
    const fix = `use a path or one of ${schemes.map((word) => `${word}:`).join(', ')}; a path with ":" starts with ./ or /`;
    return { message: 'restic knows no repository of this kind', fix };
  }
  return refuseCredentials(url, scheme) ?? refusePlainHttp(url, scheme);
}

/** Equal for two URLs that lead restic to one repository. `folder` is where relative paths start. */
export function repositoryIdentity(url: string, folder: string): string {
  const scheme = schemeOf(url);
  if (scheme === null || scheme === 'local') return resolvePath(folder, url.replace(/^local:/, ''));
  const trimmed = url.replace(/\/+$/, '');
  if (scheme !== 's3' && scheme !== 'rest') return trimmed;
  const address = trimmed.slice(scheme.length + 1).replace(/^(?!https?:\/\/)(\/\/)?/, 'https://');
  const [, protocol = '', host = '', rest = ''] = /^(https?):\/\/([^/]*)(.*)$/i.exec(address) ?? [];
  return `${scheme}:${protocol}://${host.toLowerCase().replace(protocol === 'http' ? /:80$/ : /:443$/, '')}${rest}`;
}

/** A local path made absolute; everything else as it is. */
export function absoluteRepositoryUrl(url: string, folder: string): string {
  const scheme = schemeOf(url);
  return scheme === null || scheme === 'local' ? resolvePath(folder, url.replace(/^local:/, '')) : url;
}

export function isLocalRepository(url: string): boolean {
  const scheme = schemeOf(url);
  return scheme === null || scheme === 'local';
}

/** null: a local path. Restic falls back to that for an unknown scheme; we refuse instead. */
function schemeOf(url: string): string | null {
  return /^([A-Za-z][A-Za-z0-9+]*):/.exec(url)?.[1] ?? null;
}

function refuseCredentials(url: string, scheme: string | null): Refusal | null {
  const credentialsInUrl =
    scheme !== null && /^[^@]*:[^@/]*@/.test(url.replace(/^\w+:(https?:)?(\/\/)?/i, ''));
  const secretInRemote = scheme === 'rclone' && /(pass|secret|token|key)[^=,:]*=/i.test(url);
  if (!credentialsInUrl && !secretInRemote) return null;
  const fix =
    scheme === 'rest'
      ? 'take them out and set RESTIC_REST_USERNAME and RESTIC_REST_PASSWORD under env, as references'
      : 'take them out and give them under env, as references';
  return { message: 'the URL has a secret written out in it', fix };
}

/** Restic encrypts what it stores, but over plain HTTP the credentials and what is asked for are open to read. */
function refusePlainHttp(url: string, scheme: string | null): Refusal | null {
  const host = /^(?:s3|rest|swift):http:\/\/(?:[^@/]*@)?(\[[^\]]*\]|[^/:]*)/i.exec(url)?.[1];
  if (host === undefined || isLoopback(host)) return null;
  const fix = `write ${scheme ?? ''}:https://…; plain http is taken for this host (127.0.0.1, localhost) only`;
  return { message: 'plain http to another host is refused: nothing leaves a site in plain', fix };
}

function isLoopback(host: string): boolean {
  return /^(localhost|[a-z0-9.-]+\.localhost|127(\.\d{1,3}){3}|\[::1\])$/i.test(host);
}
