// Resolves a secret reference (law 5) inside the activity that needs the secret. No error shows the value,
// nor what a secret's command printed.

import { open } from 'node:fs/promises';
import { execa } from 'execa';
import { HoldfastError, wordsOf } from '../domain/errors.ts';
import { isRefusal, mask, parseSecretReference, type SecretReference } from '../domain/secret-reference.ts';
import { tellWitness } from './key-witness.ts';
import { minimalEnvironment } from './run-command.ts';

/** A secret's command may ask a vault or a hardware key; longer than this it is taken to hang. */
const COMMAND_SECONDS = 60;

/**
 * The secret behind `env:NAME`, `file:PATH` or `cmd:COMMAND ARGUMENT…`. One line break at the end of a file
 * or of a command's output is not part of it. Throws `secret.unresolved`: not set, empty, not readable, a
 * file that any user may read, a command that failed.
 */
export async function resolveSecret(reference: string | SecretReference): Promise<string> {
  const parsed = typeof reference === 'string' ? parse(reference) : reference;
  await tellWitness(placeOf(parsed));
  const secret = withoutLastLineBreak(await read(parsed));
  if (secret === '') throw unresolved(parsed, 'it is empty', 'put the secret where the reference points');
  if (secret.includes('\0')) throw unresolved(parsed, 'it has a NUL byte in it', 'point to a text');
  return secret;
}

function parse(text: string): SecretReference {
  const parsed = parseSecretReference(text);
  if (!isRefusal(parsed)) return parsed;
  throw new HoldfastError({
    code: 'secret.unresolved',
    message: `the secret reference ${mask(text)} cannot be read`,
    cause: parsed.message,
    hint: parsed.fix,
  });
}

async function read(reference: SecretReference): Promise<string> {
  switch (reference.kind) {
    case 'env':
      return readVariable(reference);
    case 'file':
      return readFile(reference);
    case 'cmd':
      return readOutput(reference);
  }
}

function readVariable(reference: SecretReference & { kind: 'env' }): string {
  const value = process.env[reference.name];
  if (value !== undefined) return value;
  throw unresolved(
    reference,
    'the variable is not set',
    `set ${reference.name} for the process that runs the worker`,
  );
}

async function readFile(reference: SecretReference & { kind: 'file' }): Promise<string> {
  let file;
  try {
    file = await open(reference.path, 'r');
    // Asked of the open file, so that it cannot be exchanged between the question and the reading.
    const { mode } = await file.stat();
    if (mode & 0o004) {
      throw unresolved(
        reference,
        `any user of this machine may read it (mode ${(mode & 0o777).toString(8).padStart(4, '0')})`,
        `run \`chmod 600 ${reference.path}\`, and change the secret if others use this machine`,
      );
    }
    return await file.readFile('utf8');
  } catch (error) {
    if (error instanceof HoldfastError) throw error;
    throw unresolved(reference, wordsOf(error), `make ${reference.path} readable for the worker's user`);
  } finally {
    await file?.close();
  }
}

async function readOutput(reference: SecretReference & { kind: 'cmd' }): Promise<string> {
  const [program = '', ...words] = reference.command;
  const result = await execa(program, words, {
    env: { ...minimalEnvironment() },
    extendEnv: false,
    stdin: 'ignore',
    reject: false,
    stripFinalNewline: false,
    timeout: COMMAND_SECONDS * 1000,
    maxBuffer: 1024 * 1024,
  });
  if (!result.failed) return result.stdout;
  const how = result.timedOut
    ? `it did not end within ${COMMAND_SECONDS} s`
    : result.exitCode === undefined
      ? `it could not be run (${result.code ?? result.signal ?? 'unknown'})`
      : `it ended with exit code ${result.exitCode}`;
  throw unresolved(
    reference,
    how,
    'run the command by hand, as the user of the worker; its output is not shown here',
  );
}

function withoutLastLineBreak(text: string): string {
  return text.replace(/\r?\n$/, '');
}

function unresolved(reference: SecretReference, cause: string, hint: string): HoldfastError {
  return new HoldfastError({
    code: 'secret.unresolved',
    message: `the secret ${placeOf(reference)} cannot be resolved`,
    cause,
    hint,
  });
}

/** Where it stands. Of a command only the program: its arguments may be secrets themselves. */
function placeOf(reference: SecretReference): string {
  switch (reference.kind) {
    case 'env':
      return `env:${reference.name}`;
    case 'file':
      return `file:${reference.path}`;
    case 'cmd':
      return `cmd:${reference.command[0] ?? ''}`;
  }
}
