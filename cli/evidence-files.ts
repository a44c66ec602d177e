// Evidence as files: a folder is written whole or not at all, and only after it was checked.

import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError, wordsOf } from '../domain/errors.ts';
import type { ErrorContract } from '../domain/errors.ts';
import type { EvidenceFile } from '../domain/evidence/check.ts';
import { parsed, readEnvelope } from '../domain/evidence/envelope.ts';
import { isEvidenceName } from '../domain/evidence/file-name.ts';
import { evidenceFiles } from '../domain/evidence/files.ts';
import { MANIFEST_FILE } from '../domain/evidence/manifest.ts';
import { signatures } from './audit-file.ts';
import { verify } from './evidence-verify.ts';
import type { Outcome } from './outcome.ts';

export const nothingNamed: ErrorContract = {
  code: 'usage',
  message: 'showing evidence failed',
  cause: 'neither an id nor a file was named',
  hint: '`holdfast evidence list` shows what there is; or name a signed file with --file',
};

export interface Signed {
  envelope: string;
}

export async function readSigned(path: string): Promise<Signed> {
  const envelope = await readFile(path, 'utf8').catch((error: unknown) => {
    throw unreadable(path, wordsOf(error));
  });
  const opened = readEnvelope(envelope);
  if (typeof opened === 'string') throw unreadable(path, opened);
  return { envelope };
}

/** What it says of itself; whether that is true is for `verify`. */
export function shown(signed: Signed, { html }: { html?: boolean }): Outcome {
  const opened = readEnvelope(signed.envelope);
  const payload = typeof opened === 'string' ? null : parsed(opened.payload);
  const wanted = html ? '.html' : '.md';
  return {
    data: { ...signed, statement: payload },
    text: () => {
      const files = evidenceFiles(signed.envelope, signatures.sha256(signed.envelope));
      return files.find(({ name }) => name.endsWith(wanted))?.text.trimEnd() ?? '';
    },
  };
}

export async function exportTo(pieces: AsyncIterable<Uint8Array>, output: string): Promise<Outcome> {
  const temporary = `${output}.${process.pid}.part`;
  try {
    await mkdir(temporary, { mode: 0o700 });
    let count = 0;
    for await (const { name, text } of filesIn(pieces)) {
      await writeNew(join(temporary, name), text);
      if (name.endsWith('.json') && name !== MANIFEST_FILE) count += 1;
    }
    const outcome = await verify([temporary], {});
    if (outcome.error) return outcome;
    // A folder that is there, and not empty, is not replaced.
    await rename(temporary, output);
    return {
      data: { path: output, count },
      text: () => `${count} pieces of evidence, rendered and with a signed manifest, in ${output}`,
    };
  } catch (error) {
    if (error instanceof HoldfastError) throw error;
    throw new HoldfastError({
      code: 'usage',
      message: `writing evidence to ${output} failed`,
      cause: wordsOf(error),
      hint: 'name a folder that is not there yet, in one that can be written to',
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function* filesIn(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<EvidenceFile> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const piece of pieces) {
    const lines = `${rest}${decoder.decode(piece, { stream: true })}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield fileIn(line);
  }
  if (rest !== '') yield fileIn(rest);
}

/** A name that led out of the folder would be the service's fault; it gets nowhere. */
function fileIn(line: string): EvidenceFile {
  const { name, text } = (parsed(line) ?? {}) as Partial<EvidenceFile>;
  const known = typeof name === 'string' && (isEvidenceName(name) || name === MANIFEST_FILE);
  if (known && typeof text === 'string') return { name, text };
  throw new HoldfastError({
    code: 'service.failed',
    message: 'the export of evidence was broken off',
    cause: 'the service sent something that is no file of evidence',
    hint: 'look at its log, and export again',
  });
}

async function writeNew(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

function unreadable(path: string, cause: string): HoldfastError {
  return new HoldfastError({
    code: 'usage',
    message: `reading the evidence ${path} failed`,
    cause,
    hint: 'name a signed file: 000004-quarterly-2026-11-21.json',
  });
}
