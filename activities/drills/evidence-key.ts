// The audit chain's key as this host has it, for signing evidence. The service that owns the key makes and rotates
// it; here it is only read, each time anew.

import { createHash, createPrivateKey, createPublicKey, sign, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { keyIdOf } from '../../domain/audit-keys.ts';
import { HoldfastError, wordsOf } from '../../domain/errors.ts';
import type { EvidenceSigner } from '../../domain/evidence/envelope.ts';
import { folders } from '../deployment.ts';

export async function evidenceSigner(dataDir: string): Promise<EvidenceSigner> {
  const key = await readKey(join(folders.keys(dataDir), 'audit-ed25519.key'));
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64');
  return {
    publicKey,
    keyId: keyIdOf(publicKey, sha256),
    sign: (text) => sign(null, Buffer.from(text, 'utf8'), key).toString('base64'),
  };
}

export function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

async function readKey(path: string): Promise<KeyObject> {
  try {
    return createPrivateKey(await readFile(path));
  } catch (error) {
    throw new HoldfastError({
      code: 'secret.unresolved',
      message: 'signing the evidence of a drill failed',
      cause: `the audit key ${path} cannot be read: ${wordsOf(error)}`,
      hint: 'the service makes it at its first start; on several machines copy its keys folder to the host that runs drills',
    });
  }
}
