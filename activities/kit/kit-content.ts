// What is sealed: the sheet, and for every repository on it what opens it, resolved now.

import { readFile } from 'node:fs/promises';
import type { Repository } from '../../domain/configuration/types.ts';
import { HoldfastError, wordsOf } from '../../domain/errors.ts';
import { folderOf } from '../../domain/kit/facts.ts';
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

/** Throws `secret.unresolved`: a kit without one of its keys would look like a whole one. */
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
};

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
  add('password', await open(password, ''));
  const lines = [
    `export RESTIC_REPOSITORY=${shellWord(url)}`,
    `export RESTIC_PASSWORD_FILE="$KIT/${folder}/password"`,
  ];
  for (const [variable, reference] of Object.entries(env)) {
    const value = await open(reference, `${variable} `);
    const file = FILE_VARIABLES[variable];
    if (file === undefined) lines.push(`export ${variable}=${shellWord(value)}`);
    else {
      add(file, await contentOf(value, `${variable} of repository ${name}`));
      lines.push(`export ${variable}="$KIT/${folder}/${file}"`);
    }
  }
  if (url.startsWith('sftp:')) {
    if (ssh?.identityFile !== undefined) {
      opened.push(`${name}: ssh key file:${ssh.identityFile}`);
      add('identity', await contentOf(ssh.identityFile, `the ssh key of repository ${name}`));
    }
    if (ssh?.knownHostsFile !== undefined) {
      add('known_hosts', await contentOf(ssh.knownHostsFile, `the known hosts of repository ${name}`));
    }
  }
  add('environment', `${lines.join('\n')}\n`);
  return files;
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
