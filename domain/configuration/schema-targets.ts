// What a repository needs beside its URL to be reached.

import * as value from './schema-values.ts';

export const repositorySsh = value.keys('how an sftp repository is reached', {
  identityFile: value.path.optional(),
  knownHostsFile: value.path.optional(),
});
