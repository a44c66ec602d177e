// Sealing with age: what comes out is opened by the `age` program as well as here.

import { Worker } from 'node:worker_threads';
import { Decrypter, Encrypter } from 'age-encryption';
import { HoldfastError, wordsOf } from '../../domain/errors.ts';

export type SealFor = { recipients: readonly string[] } | { passphrase: string };

export async function seal(content: Uint8Array, to: SealFor): Promise<Buffer> {
  if ('passphrase' in to) return withPassphrase('seal', content, to.passphrase);
  const encrypter = new Encrypter();
  for (const recipient of to.recipients) addRecipient(encrypter, recipient);
  return Buffer.from(await encrypter.encrypt(content));
}

/** `identity`: the text of an identity file, as age-keygen writes it, or a passphrase. */
export async function unseal(sealed: Uint8Array, identity: string): Promise<Buffer> {
  const identities = identity.split(/\s+/).filter((word) => word.startsWith('AGE-SECRET-KEY-'));
  try {
    if (identities.length === 0) return await withPassphrase('unseal', sealed, identity.trim());
    const decrypter = new Decrypter();
    for (const one of identities) decrypter.addIdentity(one);
    return Buffer.from(await decrypter.decrypt(sealed));
  } catch (error) {
    throw new HoldfastError({
      code: 'secret.unresolved',
      message: 'the recovery kit cannot be opened',
      // The library's words name neither the identity nor the content.
      cause: wordsOf(error),
      hint: 'use the identity of one of its recipients, which are named on its sheet; where that is lost, `holdfast kit export` for another',
    });
  }
}

/** Stretching a passphrase takes seconds of computing: in a thread of its own, as heartbeats must not wait for it. */
function withPassphrase(what: 'seal' | 'unseal', content: Uint8Array, passphrase: string): Promise<Buffer> {
  const library = import.meta.resolve('age-encryption');
  return new Promise((resolve, reject) => {
    const thread = new Worker(STRETCHING, { eval: true, workerData: { library, what, content, passphrase } });
    thread.once('message', (done: Uint8Array) => resolve(Buffer.from(done)));
    thread.once('error', reject);
  });
}

const STRETCHING = `
  const { parentPort, workerData: { library, what, content, passphrase } } = require('node:worker_threads');
  import(library).then(async ({ Decrypter, Encrypter }) => {
    const age = what === 'seal' ? new Encrypter() : new Decrypter();
    if (what === 'seal') age.setPassphrase(passphrase);
    else age.addPassphrase(passphrase);
    parentPort.postMessage(what === 'seal' ? await age.encrypt(content) : await age.decrypt(content));
  });`;

function addRecipient(encrypter: Encrypter, recipient: string): void {
  try {
    encrypter.addRecipient(recipient);
  } catch (error) {
    throw new HoldfastError({
      code: 'usage',
      message: `the recovery kit cannot be sealed for ${recipient}`,
      cause: wordsOf(error),
      hint: 'a recipient is what `age-keygen -y` prints: age1…',
    });
  }
}
