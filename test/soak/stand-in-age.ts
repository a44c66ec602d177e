// `age -d -i FILE SEALED` and `age-keygen -o FILE`, `age-keygen -y FILE` for machines that have neither program, on
// the library that seals the kit.

import { readFileSync, writeFileSync } from 'node:fs';
import { Decrypter, generateIdentity, identityToRecipient } from 'age-encryption';

const [program, option, file = '', ...more] = process.argv.slice(2);

if (program === 'age-keygen' && option === '-o') {
  writeFileSync(file, `${await generateIdentity()}\n`, { mode: 0o600, flag: 'wx' });
} else if (program === 'age-keygen') {
  process.stdout.write(`${await identityToRecipient(identityIn(file))}\n`);
} else {
  const [identityFile = '', sealed = ''] = more;
  const decrypter = new Decrypter();
  decrypter.addIdentity(identityIn(identityFile));
  process.stdout.write(await decrypter.decrypt(readFileSync(sealed)));
}

function identityIn(path: string): string {
  return /AGE-SECRET-KEY-\S+/.exec(readFileSync(path, 'utf8'))?.[0] ?? '';
}
