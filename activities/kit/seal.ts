// Sealing with age: what comes out is opened by the `age` program as well as here.

import { Decrypter, Encrypter } from 'age-encryption';
import { HoldfastError, wordsOf } from '../../domain/errors.ts';

export type SealFor = { recipients: readonly string[] } | { passphrase: string };

export async function seal(content: Uint8Array, to: SealFor): Promise<Buffer> {
  const encrypter = new Encrypter();
  if ('passphrase' in to) encrypter.setPassphrase(to.passphrase);
  else for (const recipient of to.recipients) addRecipient(encrypter, recipient);
  return Buffer.from(await encrypter.encrypt(content));
}

/** `identity`: the text of an identity file, as age-keygen writes it, or a passphrase. */
export async function unseal(sealed: Uint8Array, identity: string): Promise<Buffer> {
  const decrypter = new Decrypter();
  const identities = identity.split(/\s+/).filter((word) => word.startsWith('AGE-SECRET-KEY-'));
  try {
    if (identities.length === 0) decrypter.addPassphrase(identity.trim());
    else for (const one of identities) decrypter.addIdentity(one);
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
