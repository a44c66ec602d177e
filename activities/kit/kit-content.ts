// What is sealed: the sheet, and for every repository on it what opens it, resolved now.

import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Repository, RepositorySsh } from '../../domain/configuration/types.ts';
import { HoldfastError, wordsOf } from '../../domain/errors.ts';
import { folderOf } from '../../domain/kit/facts.ts';
import { fileNamedInRcloneConf, usesDefaultRcloneConf } from '../../domain/kit/rclone.ts';
import { shellWord } from '../../domain/kit/shell-word.ts';
import { SHEET_FILE } from '../../domain/kit/sheet.ts';
import { formatSecretReference, mask } from '../../domain/secret-reference.ts';
import { resolveSecret } from '../secrets.ts';
import type { KitNow } from './kit-facts.ts';
import type { ArchivedFile } from './tar.ts';

/** Inside the sealed part: the facts as a program reads them. */
export const FACTS_FILE = 'recovery-kit.json';

export interface KitContent {
  files: ArchivedFile[];
  /** References of what was opened; never a value. */
  opened: string[];
}

/** Throws `secret.unresolved`: a kit without one of its keys or files would look like a whole one. */
export async function kitContent(now: KitNow, sheet: string, writtenAt: string): Promise<KitContent> {
  const { configuration, facts, digest, written } = now;
  const opened: string[] = [];
  const files: ArchivedFile[] = [
    { path: SHEET_FILE, content: Buffer.from(sheet) },
    { path: FACTS_FILE, content: asJson({ version: 1, digest, writtenAt, facts }) },
    { path: 'configuration/applied.json', content: asJson(configuration) },
    ...(written ? [{ path: 'configuration/holdfast.yaml', content: Buffer.from(written.source) }] : []),
    { path: 'audit-public-key.pem', content: Buffer.from(pem(facts.auditKey.publicKey)) },
  ];
  for (const { name } of facts.repositories) {
    const repository = configuration.repositories.find((one) => one.name === name);
    if (repository) files.push(...(await repositoryFiles(repository, opened)));
  }
  return { files, opened };
}

/** Variables whose value is the name of a file: the file is what counts on another machine. */
const FILE_VARIABLES: Record<string, string> = {
  RCLONE_CONFIG: 'rclone.conf',
  GOOGLE_APPLICATION_CREDENTIALS: 'google-credentials.json',
  AWS_SHARED_CREDENTIALS_FILE: 'aws-credentials',
  RESTIC_CACERT: 'ca.pem',
  RCLONE_CA_CERT: 'rclone-ca.pem',
};

/** Under which name the kit has the file; null: the value is what counts. */
function fileBehind(variable: string, value: string): string | null {
  const oneOfRclone =
    /^RCLONE_.*_(FILE|CA_CERT|CLIENT_CERT|CLIENT_KEY)$/.test(variable) && value.startsWith('/');
  return FILE_VARIABLES[variable] ?? (oneOfRclone ? variable.toLowerCase() : null);
}

async function repositoryFiles(repository: Repository, opened: string[]): Promise<ArchivedFile[]> {
  const { name, url, password, env, ssh } = repository;
  const folder = folderOf(name);
  const files: ArchivedFile[] = [];
  const add = (file: string, content: string | Buffer) =>
    files.push({ path: `${folder}/${file}`, content: Buffer.from(content) });
  const open = async (reference: Repository['password'], what: string) => {
    opened.push(`${name}: ${what}${mask(formatSecretReference(reference))}`);
    return resolveSecret(reference);
  };
  const addBehind = async (variable: string, file: string, path: string) => {
    const content = await contentOf(path, `${variable} of repository ${name}`);
    if (variable === 'RCLONE_CONFIG') mustNameNoFile(content, path, name);
    add(file, content);
    lines.push(`export ${variable}="$KIT/${folder}/${file}"`);
  };
  add('password', await open(password, ''));
  const lines = [
    `export RESTIC_REPOSITORY=${shellWord(url)}`,
    `export RESTIC_PASSWORD_FILE="$KIT/${folder}/password"`,
  ];
  for (const [variable, reference] of Object.entries(env)) {
    const value = await open(reference, `${variable} `);
    const file = fileBehind(variable, value);
    if (file === null) lines.push(`export ${variable}=${shellWord(value)}`);
    else await addBehind(variable, file, value);
  }
  if (usesDefaultRcloneConf(url, Object.keys(env))) {
    const path = join(homedir(), '.config', 'rclone', 'rclone.conf');
    opened.push(`${name}: file:${path}`);
    await addBehind('RCLONE_CONFIG', 'rclone.conf', path);
  }
  if (url.startsWith('sftp:')) {
    const { identityFile, knownHostsFile } = whole(name, ssh);
    opened.push(`${name}: ssh key file:${identityFile}`);
    add('identity', await contentOf(identityFile, `the ssh key of repository ${name}`));
    add('known_hosts', await contentOf(knownHostsFile, `the known hosts of repository ${name}`));
  }
  add('environment', `${lines.join('\n')}\n`);
  return files;
}

/** It would name a file of this host wherever it is opened. */
function mustNameNoFile(conf: Buffer, path: string, repository: string): void {
  const named = fileNamedInRcloneConf(conf.toString('utf8'));
  if (named === null) return;
  throw new HoldfastError({
    code: 'secret.unresolved',
    message: `RCLONE_CONFIG of repository ${repository} cannot be put into the recovery kit`,
    cause: `\`${named.option}\` in ${path} names the file ${named.path}, which another machine does not have`,
    hint: `put the credentials themselves there (service_account_credentials, key_pem), or name the file not there but in a variable of the repository: RCLONE_CONFIG_<remote>_${named.option.toUpperCase()}`,
  });
}

/** What ssh takes by itself from its user's folder stays behind on this host. */
function whole(repository: string, ssh: RepositorySsh = {}): Required<RepositorySsh> {
  const { identityFile, knownHostsFile } = ssh;
  if (identityFile !== undefined && knownHostsFile !== undefined) return { identityFile, knownHostsFile };
  const missing = [
    ...(identityFile === undefined ? ['ssh.identityFile'] : []),
    ...(knownHostsFile === undefined ? ['ssh.knownHostsFile'] : []),
  ].join(' and ');
  throw new HoldfastError({
    code: 'secret.unresolved',
    message: `what reaches repository ${repository} cannot be put into the recovery kit`,
    cause: `${missing} is not configured, and what ssh takes by itself is not on another machine`,
    hint: `name ${missing} at the repository ${repository} in the configuration, then \`holdfast apply\``,
  });
}

async function contentOf(path: string, what: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new HoldfastError({
      code: 'secret.unresolved',
      message: `${what} cannot be put into the recovery kit`,
      cause: wordsOf(error),
      hint: `make ${path} readable for the worker's user`,
    });
  }
}

function asJson(value: object): Buffer {
  return Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
}

function pem(publicKey: string): string {
  return `-----BEGIN PUBLIC KEY-----\n${publicKey}\n-----END PUBLIC KEY-----\n`;
}
