// What `init` was told, however it was asked: on a terminal or by options. Secrets are in here only until
// init-write.ts has put them into files; the configuration text is made without them.

import { basename } from 'node:path';

export interface Answers {
  /** At least one. */
  assets: AssetAnswer[];
  repository: RepositoryAnswer;
  /** A second copy, made with each backup. */
  copy: RepositoryAnswer | null;
  /** As `every:` takes it. */
  every: string;
  proof: 'stored' | 'verified' | 'proven';
}

export type AssetAnswer =
  | { name: string; type: 'directory' | 'sqlite'; path: string }
  /** A URL typed in goes to a file; one in the environment stays there. */
  | { name: string; type: 'postgres'; url: SecretAnswer };

export interface RepositoryAnswer {
  /** A local path absolute; everything else as restic takes it. */
  url: string;
  /** Of a repository that exists already; null: a key is made. */
  password: string | null;
  credentials: { variable: string; value: SecretAnswer }[];
}

export type SecretAnswer = { kind: 'env'; name: string } | { kind: 'value'; value: string };

/** The policy `init` writes; what it tells a newcomer to run has this name in it. */
export const POLICY = 'everything';
/** The repositories' names. */
export const LOCAL = 'main';
export const COPY = 'copy';

/** `/srv/My Uploads` → `my-uploads`; a number tells a second one from the first. */
export function assetName(from: string, taken: readonly string[]): string {
  const words = basename(from)
    .toLowerCase()
    .replace(/\.(db|sqlite3?)$/, '')
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .replace(/-+$/, '')
    .slice(0, 50);
  const name = words || 'data';
  for (let number = 1; ; number += 1) {
    const candidate = number === 1 ? name : `${name}-${number}`;
    if (!taken.includes(candidate)) return candidate;
  }
}

/** `ORDERS_DATABASE_URL` → `orders`. */
export function databaseName(variable: string, taken: readonly string[]): string {
  const words = variable.toLowerCase().replace(/_?(database|db|postgres|pg)?_?(url|uri|dsn)$/, '');
  return assetName((words || 'database').replaceAll('_', '-'), taken);
}

export interface CredentialKind {
  variable: string;
  what: string;
  needed: boolean;
}

/** What restic reads for a kind of repository; sftp: and rclone: bring their own configuration. */
export function credentialsFor(url: string): CredentialKind[] {
  const scheme = /^([a-z0-9]+):/i.exec(url)?.[1]?.toLowerCase() ?? '';
  return credentials[scheme] ?? [];
}

const credentials: Record<string, CredentialKind[]> = {
  s3: [
    { variable: 'AWS_ACCESS_KEY_ID', what: 'the access key id of the bucket', needed: true },
    { variable: 'AWS_SECRET_ACCESS_KEY', what: 'its secret access key', needed: true },
  ],
  b2: [
    { variable: 'B2_ACCOUNT_ID', what: 'the B2 key id', needed: true },
    { variable: 'B2_ACCOUNT_KEY', what: 'its application key', needed: true },
  ],
  azure: [
    { variable: 'AZURE_ACCOUNT_NAME', what: 'the storage account', needed: true },
    { variable: 'AZURE_ACCOUNT_KEY', what: 'its key', needed: true },
  ],
  gs: [
    { variable: 'GOOGLE_PROJECT_ID', what: 'the project id', needed: true },
    { variable: 'GOOGLE_APPLICATION_CREDENTIALS', what: 'the path of the key file (JSON)', needed: true },
  ],
  swift: [
    { variable: 'OS_AUTH_URL', what: 'the address of the identity service', needed: true },
    { variable: 'OS_USERNAME', what: 'the user', needed: true },
    { variable: 'OS_PASSWORD', what: 'the password', needed: true },
    { variable: 'OS_TENANT_NAME', what: 'the project (empty for none)', needed: false },
  ],
  rest: [
    { variable: 'RESTIC_REST_USERNAME', what: 'the user (empty for none)', needed: false },
    { variable: 'RESTIC_REST_PASSWORD', what: 'the password (empty for none)', needed: false },
  ],
};
