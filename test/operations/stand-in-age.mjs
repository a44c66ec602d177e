// `age -d -i FILE [SEALED]` and `age-keygen` for machines that have neither, on the library that seals the kit.
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { Decrypter, generateIdentity, identityToRecipient } from 'age-encryption';

const [program = '', ...words] = process.argv.slice(2);
const identityIn = (file) => /AGE-SECRET-KEY-\S+/.exec(readFileSync(file, 'utf8'))[0];
if (basename(program) === 'age-keygen') {
  if (words[0] === '-y') process.stdout.write(`${await identityToRecipient(identityIn(words[1]))}\n`);
  else writeFileSync(words[1], `${await generateIdentity()}\n`, { mode: 0o600 });
} else {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identityIn(words[words.indexOf('-i') + 1]));
  process.stdout.write(await decrypter.decrypt(readFileSync(words.at(-1))));
}
