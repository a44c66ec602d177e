import assert from 'node:assert/strict';
import { assertRefused, read, repository } from './written.ts';

const sftp = (more: string) => repository(`url: "sftp://b@h:2222//srv/x", password: env:KEY, ${more}`);

describe('how a repository is reached', () => {
  it('by ssh with the files that are named, from the folder of the configuration', () => {
    const [first] = read(sftp('ssh: { identityFile: ./id, knownHostsFile: /etc/known }')).configuration
      .repositories;
    assert.match(first?.ssh?.identityFile ?? '', /^\/.+\/id$/);
    assert.equal(first?.ssh?.knownHostsFile, '/etc/known');
    assert.equal(read(sftp('')).configuration.repositories[0]?.ssh, undefined);
  });

  it('not by ssh where the URL is another', () => {
    const text = repository('url: "s3:https://h/b", password: env:KEY, §ssh: { identityFile: ./id }');
    assertRefused(text, { says: /not reached by ssh/, fix: /sftp:/ });
  });
});
