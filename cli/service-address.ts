// Where the service is and what lets us in: HOLDFAST_URL and HOLDFAST_TOKEN (or HOLDFAST_TOKEN_FILE), else
// what `up` wrote to <dataDir>/run/api.json. Of the configuration only `dataDir` is read, so that a file with
// a mistake elsewhere does not keep anyone from asking for the status.

import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { HoldfastError, wordsOf } from '../domain/errors.ts';

export interface ServiceAddress {
  url: string;
  token: string;
}

/** What `up` writes, mode 0600. */
export interface RunFile {
  url: string;
  tokenFile: string;
}

export async function findServiceAddress(
  config: string | undefined,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<ServiceAddress> {
  const { HOLDFAST_URL: url, HOLDFAST_TOKEN: token, HOLDFAST_TOKEN_FILE: tokenFile } = environment;
  const running = url ? null : await readRunFile(config, environment);
  if (token) return { url: url || running!.url, token };
  const file = tokenFile || running?.tokenFile;
  if (!file) {
    throw new HoldfastError({
      code: 'usage',
      message: `finding a token for ${url} failed`,
      cause: 'HOLDFAST_URL is set, and neither HOLDFAST_TOKEN nor HOLDFAST_TOKEN_FILE is',
      hint: 'set one of the two; `holdfast token create` on the host of the service makes a token',
    });
  }
  return { url: url || running!.url, token: await readToken(file) };
}

async function readRunFile(
  config: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<RunFile> {
  const configuration = resolve(config || environment['HOLDFAST_CONFIG'] || 'holdfast.yaml');
  const path = join(await dataDirectory(configuration), 'run', 'api.json');
  try {
    const content = JSON.parse(await readFile(path, 'utf8')) as RunFile;
    return { url: content.url, tokenFile: resolve(dirname(path), content.tokenFile) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw new HoldfastError({
        code: 'service.unreachable',
        message: `finding the service by ${path} failed`,
        cause: wordsOf(error),
        hint: 'run the command as the user that runs `holdfast up`, or set HOLDFAST_URL and HOLDFAST_TOKEN',
      });
    }
    throw notRunning(`it is not running: there is no ${path}`);
  }
}

export function notRunning(cause: string): HoldfastError {
  return new HoldfastError({
    code: 'service.unreachable',
    message: 'asking the service failed',
    cause,
    hint: 'start it with `holdfast up` (or `holdfast up --detach`)',
  });
}

/** By a full reading only where the file is not plain YAML; its mistakes are `validate`'s to tell. */
async function dataDirectory(configuration: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(configuration, 'utf8');
  } catch (error) {
    throw new HoldfastError({
      code: 'configuration.invalid',
      message: `finding the service by the configuration ${configuration} failed`,
      cause: wordsOf(error),
      hint: 'name the file with --config or HOLDFAST_CONFIG, have one written by `holdfast init`, or set HOLDFAST_URL and HOLDFAST_TOKEN',
    });
  }
  const { parseDocument } = await import('yaml');
  const dataDir: unknown = parseDocument(text).get('dataDir');
  return resolve(dirname(configuration), typeof dataDir === 'string' ? dataDir : '.holdfast');
}

async function readToken(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw new HoldfastError({
      code: 'unauthorized',
      message: `reading the token in ${file} failed`,
      cause: wordsOf(error),
      hint: 'run the command as the user that runs `holdfast up`, or set HOLDFAST_TOKEN',
    });
  }
}
