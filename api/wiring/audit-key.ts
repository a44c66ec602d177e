// The key that signs the heads of audit exports: a file of this host, 0600, made when the service first starts.
// Every change of it is on the chain, and a rotation is signed by the key that goes. Of several hosts each has its
// own, or all have copies of one.

import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  type KeyObject,
} from 'node:crypto';
import { chmod, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Catalog, Page } from '../../catalog/index.ts';
import type { AuditEvent, ChainHead } from '../../domain/audit-chain.ts';
import {
  AuditKeys,
  KEY_CREATED,
  KEY_ROTATED,
  keyIdOf,
  rotationText,
  type KeyState,
} from '../../domain/audit-keys.ts';
import { headText, type SignedHead } from '../../domain/audit-export.ts';
import { HoldfastError } from '../../domain/errors.ts';
import type { EvidenceSigner } from '../../domain/evidence/envelope.ts';

export interface AuditKey {
  shown(): PublicKey;
  signHead(head: ChainHead, at: string): SignedHead;
  /** The key as it is now. */
  signer(): EvidenceSigner;
  /** Returns the new key. The old one is gone from this host. */
  rotate(actor: string, reason: string): Promise<PublicKey>;
}

export interface PublicKey {
  keyId: string;
  /** SubjectPublicKeyInfo in DER, base64. */
  publicKey: string;
}

/**
 * Crash order of a rotation: the new key lies beside the old one, then the chain names it, then it takes the old
 * one's place. Found beside it at a start, it takes the place if the chain names it, and goes if not.
 */
export async function openAuditKey(dataDir: string, catalog: Catalog): Promise<AuditKey> {
  const file = join(dataDir, 'keys', 'audit-ed25519.key');
  const next = `${file}.new`;
  await mkdir(join(dataDir, 'keys'), { recursive: true, mode: 0o700 });
  const named = await keysOnChain(catalog);
  const begun = await readKey(next);
  if (begun && named.state(publicHalf(begun).publicKey) === 'inForce') await putInPlace(next, file, begun);
  else await rm(next, { force: true });

  let key = await readKey(file);
  if (!key) {
    key = newKey();
    await writeKey(next, key);
    await putInPlace(next, file, key);
  }
  await writePublicHalf(file, key);
  const own = publicHalf(key);
  if (named.state(own.publicKey) === 'strange') {
    await catalog.audit.append({
      action: KEY_CREATED,
      subject: `key/${own.keyId}`,
      details: { publicKey: own.publicKey },
    });
  }

  let current: KeyObject = key;
  let last: Promise<unknown> = Promise.resolve();
  return {
    shown: () => publicHalf(current),

    signHead: ({ sequence, digest }, at) => {
      const { keyId, publicKey } = publicHalf(current);
      const text = headText({ sequence, digest, at, keyId });
      return { sequence, digest, at, keyId, publicKey, signature: signed(current, text) };
    },

    signer: () => {
      const key = current;
      return { ...publicHalf(key), sign: (text) => signed(key, text) };
    },

    rotate: (actor, reason) => {
      // One after another: each is signed by the one before.
      const rotating = last.then(async () => {
        const before = publicHalf(current);
        const state = (await keysOnChain(catalog)).state(before.publicKey);
        if (state !== 'inForce') throw notInForce('the audit key was not rotated', before.keyId, state);
        const replacement = newKey();
        const { keyId, publicKey } = publicHalf(replacement);
        await writeKey(next, replacement);
        const signature = signed(current, rotationText({ previous: before.keyId, publicKey }));
        await catalog.as(actor).audit.append({
          action: KEY_ROTATED,
          subject: `key/${keyId}`,
          details: { publicKey, previous: before.keyId, signature, reason },
        });
        await putInPlace(next, file, replacement);
        current = replacement;
        return { keyId, publicKey };
      });
      last = rotating.catch(() => undefined);
      return rotating;
    },
  };
}

async function keysOnChain(catalog: Catalog): Promise<AuditKeys> {
  const events: AuditEvent[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<AuditEvent> = await catalog.audit.list({ action: 'audit.key', limit: 500, cursor });
    events.push(...page.items);
    cursor = page.next;
  } while (cursor !== null);
  const keys = ownKeys();
  for (const event of events.reverse()) keys.follow(event);
  return keys;
}

/** Whether the signatures on the chain are right is for whoever checks an export to say. */
export function ownKeys(): AuditKeys {
  return new AuditKeys(sha256, () => true);
}

export function notInForce(what: string, keyId: string, state: KeyState): HoldfastError {
  const handedOver = state === 'handedOver';
  return new HoldfastError({
    code: 'request.conflict',
    message: what,
    cause: handedOver
      ? `this service has the key ${keyId}, and another host with a copy of it has replaced it`
      : `this service has the key ${keyId}, and the chain does not name it yet`,
    hint: handedOver
      ? 'copy the `keys` folder of the host that rotated it, or remove that of this one for a key of its own; then start the service again'
      : 'start the service again: it announces its key',
  });
}

function newKey(): KeyObject {
  return generateKeyPairSync('ed25519').privateKey;
}

function publicHalf(key: KeyObject): PublicKey {
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64');
  return { publicKey, keyId: keyIdOf(publicKey, sha256) };
}

function signed(key: KeyObject, text: string): string {
  return sign(null, Buffer.from(text, 'utf8'), key).toString('base64');
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

async function readKey(path: string): Promise<KeyObject | null> {
  try {
    return createPrivateKey(await readFile(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** On disk before the chain names it: a key that was named and lost could sign nothing any more. */
async function writeKey(path: string, key: KeyObject): Promise<void> {
  await rm(path, { force: true });
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(key.export({ type: 'pkcs8', format: 'pem' }));
    await file.sync();
  } finally {
    await file.close();
  }
}

async function putInPlace(from: string, to: string, key: KeyObject): Promise<void> {
  await rename(from, to);
  await chmod(to, 0o600);
  await writePublicHalf(to, key);
}

async function writePublicHalf(file: string, key: KeyObject): Promise<void> {
  const path = file.replace(/\.key$/, '.pub');
  const written = await open(path, 'w', 0o644);
  await written.writeFile(createPublicKey(key).export({ type: 'spki', format: 'pem' }));
  await written.close();
}
