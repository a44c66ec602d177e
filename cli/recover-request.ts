// What a person gave `recover`, understood or refused before anything is touched.

import { resolve } from 'node:path';
import { absoluteRepositoryUrl, refuseRepositoryUrl } from '../domain/configuration/repository-url.ts';
import { HoldfastError } from '../domain/errors.ts';
import { isRefusal, mask, parseSecretReference, type SecretReference } from '../domain/secret-reference.ts';
import type { RecoverRequest } from '../workers/recover/request.ts';
import { findConfigurationFile } from './configuration-file.ts';
import { moment } from './when.ts';

export interface RecoverFlags {
  repository: string;
  password: string;
  env?: string[];
  identityFile?: string;
  knownHostsFile?: string;
  dataDir?: string;
  catalog?: string;
  at?: string;
  point?: string;
  dryRun?: boolean;
}

export function requestFrom(flags: RecoverFlags, config: string | undefined): RecoverRequest {
  const refusal = refuseRepositoryUrl(flags.repository);
  if (refusal) throw misused('the repository', refusal.message, refusal.fix);
  const { identityFile, knownHostsFile } = flags;
  const ssh = {
    ...(identityFile !== undefined && { identityFile: resolve(identityFile) }),
    ...(knownHostsFile !== undefined && { knownHostsFile: resolve(knownHostsFile) }),
  };
  return {
    repository: {
      url: absoluteRepositoryUrl(flags.repository, process.cwd()),
      password: referenceIn('--password', flags.password),
      env: Object.fromEntries((flags.env ?? []).map(variable)),
      ...(Object.keys(ssh).length > 0 && { ssh }),
    },
    dataDir: flags.dataDir === undefined ? null : resolve(flags.dataDir),
    catalogUrl: flags.catalog === undefined ? null : referenceIn('--catalog', flags.catalog),
    configurationFile: findConfigurationFile({ option: config }).path,
    at: moment(flags.at) ?? null,
    point: flags.point ?? null,
    dryRun: flags.dryRun === true,
  };
}

function variable(text: string): [string, SecretReference] {
  const [, name, reference] = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(text) ?? [];
  if (name !== undefined && reference !== undefined) return [name, referenceIn(`--env ${name}`, reference)];
  throw misused('--env', 'it is no NAME=REFERENCE', 'write for example AWS_ACCESS_KEY_ID=env:KEY');
}

/** Of a file: below the working folder, which is all there is to begin from. */
function referenceIn(option: string, text: string): SecretReference {
  const reference = parseSecretReference(text);
  if (isRefusal(reference)) throw misused(`${option} ${mask(text)}`, reference.message, reference.fix);
  return reference.kind === 'file' ? { kind: 'file', path: resolve(reference.path) } : reference;
}

function misused(what: string, cause: string, hint: string): HoldfastError {
  return new HoldfastError({
    code: 'usage',
    message: `reading ${what} of \`holdfast recover\` failed`,
    cause,
    hint,
  });
}
