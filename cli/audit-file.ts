// Exports of the audit chain as files: written whole or not at all, and checked without any service.

import { createHash, createPublicKey, verify } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { ExportCheck, type ExportLine, type ExportReport, type Signatures } from '../domain/audit-export.ts';
import { HoldfastError, wordsOf } from '../domain/errors.ts';
import type { Outcome } from './outcome.ts';

/** `publicKey`: the path of one that was kept from before; null: the chain's own word is taken. */
export async function checkFile(path: string, publicKey: string | null): Promise<Outcome> {
  const trusted = publicKey === null ? null : await readPublicKey(publicKey);
  const check = new ExportCheck(signatures, trusted);
  try {
    const lines = createInterface({ input: createReadStream(path), crlfDelay: Infinity });
    for await (const line of lines) if (!check.accept(line)) break;
  } catch (error) {
    throw unreadable(`the audit export ${path}`, error, 'name a file written by `holdfast audit export`');
  }
  return verdict(check.report(), path);
}

export async function exportTo(
  pieces: AsyncIterable<Uint8Array>,
  output: string | null,
  json: boolean,
): Promise<Outcome> {
  if (output !== null) return written(pieces, output);
  if (json) return { data: await collected(pieces) };
  for await (const piece of pieces) {
    if (!process.stdout.write(piece)) await once(process.stdout, 'drain');
  }
  return { data: {} };
}

/** Under its name only when it was checked: half an export must not be taken for one. */
async function written(pieces: AsyncIterable<Uint8Array>, output: string): Promise<Outcome> {
  const temporary = `${output}.${process.pid}.part`;
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      for await (const piece of pieces) await file.write(piece);
      await file.sync();
    } finally {
      await file.close();
    }
    const outcome = await checkFile(temporary, null);
    if (outcome.error) return outcome;
    await rename(temporary, output);
    const report = outcome.data as ExportReport;
    return {
      data: { path: output, ...report },
      text: () => `${report.events} events in ${output}, signed by key ${report.signedBy?.keyId}`,
    };
  } finally {
    await rm(temporary, { force: true });
  }
}

async function collected(pieces: AsyncIterable<Uint8Array>): Promise<object> {
  const chunks: Uint8Array[] = [];
  for await (const piece of pieces) chunks.push(piece);
  const text = Buffer.concat(chunks).toString('utf8').split('\n').filter(Boolean);
  const lines = text.map((line) => JSON.parse(line) as ExportLine);
  const items = lines.filter((line) => !('signedHead' in line)).reverse();
  return { items, next: null };
}

function verdict(report: ExportReport, path: string): Outcome {
  const { events, head, signedBy, problem } = report;
  if (problem === null && signedBy) {
    const trust =
      signedBy.known === 'given'
        ? 'the key given, or one it handed over to'
        : 'the key the chain itself names; give --public-key to know that it is yours';
    return {
      data: report,
      text: () =>
        [
          `the chain in ${path} is whole: ${events} events, the last with digest ${head.digest}`,
          `signed ${signedBy.at} by key ${signedBy.keyId}, ${trust}`,
        ].join('\n'),
    };
  }
  return {
    data: report,
    error: {
      code: 'proof.failed',
      message: `checking the audit chain in ${path} failed`,
      cause: problem ? `event ${problem.sequence}: ${problem.what}` : '',
      hint: 'compare with an export kept elsewhere: what comes before that event can be trusted, what follows cannot',
    },
  };
}

export const signatures: Signatures = {
  sha256: (text) => createHash('sha256').update(text).digest('hex'),
  verifies: (publicKey, text, signature) => {
    try {
      const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' });
      return (
        key.asymmetricKeyType === 'ed25519' &&
        verify(null, Buffer.from(text, 'utf8'), key, Buffer.from(signature, 'base64'))
      );
    } catch {
      // What is no key verifies nothing.
      return false;
    }
  },
};

/** As the check of signatures takes it; of a file that `holdfast audit key` wrote. */
export async function readPublicKey(path: string): Promise<string> {
  try {
    return createPublicKey(await readFile(path))
      .export({ type: 'spki', format: 'der' })
      .toString('base64');
  } catch (error) {
    throw unreadable(`the public key ${path}`, error, 'name a file written by `holdfast audit key`');
  }
}

function unreadable(what: string, error: unknown, hint: string): HoldfastError {
  return new HoldfastError({ code: 'usage', message: `reading ${what} failed`, cause: wordsOf(error), hint });
}
