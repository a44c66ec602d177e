import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { resolveSecret } from '../../activities/secrets.ts';
import { HoldfastError } from '../../domain/errors.ts';
import { removeFolder, temporaryFolder } from './repositories/repository-fixtures.ts';

describe('resolving a secret', () => {
  const canary = 'canary-3f9d';
  let room: string;
  beforeEach(async () => {
    room = await temporaryFolder();
  });
  afterEach(async () => {
    delete process.env['HOLDFAST_TEST_SECRET'];
    await removeFolder(room);
  });

  const refused = async (reference: string): Promise<HoldfastError> => {
    const error = await resolveSecret(reference).then(
      () => assert.fail('it was resolved'),
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof HoldfastError && error.code === 'secret.unresolved');
    assert.ok(!JSON.stringify([error.toContract(), error.stack]).includes(canary));
    assert.ok(error.hint);
    return error;
  };

  it('reads a variable, and says when it is not set or empty', async () => {
    process.env['HOLDFAST_TEST_SECRET'] = canary;
    assert.equal(await resolveSecret('env:HOLDFAST_TEST_SECRET'), canary);
    process.env['HOLDFAST_TEST_SECRET'] = '';
    assert.match((await refused('env:HOLDFAST_TEST_SECRET')).cause, /empty/);
    delete process.env['HOLDFAST_TEST_SECRET'];
    assert.match((await refused('env:HOLDFAST_TEST_SECRET')).cause, /not set/);
  });

  it('reads a file without its last line break, and nothing else off it', async () => {
    const path = join(room, 'key');
    await writeFile(path, ` ${canary} \n\n`, { mode: 0o600 });
    assert.equal(await resolveSecret(`file:${path}`), ` ${canary} \n`);
    await chmod(path, 0o640);
    assert.equal(await resolveSecret({ kind: 'file', path }), ` ${canary} \n`);
  });

  it('refuses a file that anybody may read, and says how to mend it', async () => {
    const path = join(room, 'key');
    await writeFile(path, canary);
    await chmod(path, 0o644);
    const error = await refused(`file:${path}`);
    assert.match(error.cause, /0644/);
    assert.ok(error.hint.includes(`chmod 600 ${path}`));
    assert.match((await refused(`file:${join(room, 'gone')}`)).cause, /ENOENT/);
  });

  it('runs a command as an argument list, never through a shell', async () => {
    assert.equal(await resolveSecret(`cmd:printf '%s;%s' 'a  b' c`), 'a  b;c');
    assert.equal(await resolveSecret(`cmd:echo ${canary}`), canary);
    const script = join(room, 'fails');
    await writeFile(script, `#!/bin/sh\necho ${canary}; echo ${canary} >&2; exit 4\n`, { mode: 0o700 });
    assert.match((await refused(`cmd:${script}`)).cause, /exit code 4/);
    assert.match((await refused('cmd:/no/such/program')).cause, /could not be run/);
  });

  it('does not show what stands where a reference belongs', async () => {
    await refused(canary);
  });
});
