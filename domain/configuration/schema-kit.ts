// Who the recovery kit is sealed for, and where it is written.

import { say } from './say.ts';
import * as value from './schema-values.ts';

/** Bech32: whether its checksum is right is seen when the kit is sealed. */
const recipient = value.text(
  'an age recipient',
  'age1qyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqs3290gq',
  (written) =>
    /^age1[02-9ac-hj-np-z]{58,}$/.test(written)
      ? written
      : {
          message: written.startsWith('AGE-SECRET-KEY-')
            ? 'this is the secret half, which belongs into no configuration: make a new one'
            : 'not an age recipient',
          fix: 'write what `age-keygen -y` prints: age1…',
        },
);

export const kit = value.keys('the recovery kit', {
  recipients: value
    .list(recipient, 'a list of age recipients', '[age1…]')
    .min(1, say('nobody could open the kit', 'name an age recipient')),
  folder: value.path.optional(),
});

/** Of a drill: the kit it has its key and its commands from. */
export const drillKit = value.keys('the recovery kit of a drill', {
  file: value.path,
  identity: value.secret,
});
