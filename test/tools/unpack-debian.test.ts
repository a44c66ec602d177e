import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { resolveTool } from '../../tools/resolve.ts';
import { unpackDebianTool } from '../../tools/unpack-debian.ts';
import { fakeTool, putProgram, withDirectory } from './fake-tools.ts';
import { skipBecause } from '../skip.ts';

/** A real package that holds the fake tool and a library, and an apt-get that knows it once `known` exists. */
async function makeDistribution(directory: string): Promise<string[]> {
  const tree = join(directory, 'tree');
  await putProgram(join(tree, 'usr/sbin'), '2.2.0');
  await mkdir(join(tree, 'usr/lib/any-linux-gnu'), { recursive: true });
  await writeFile(join(tree, 'usr/lib/any-linux-gnu/libfake.so.1'), '');
  await mkdir(join(tree, 'DEBIAN'));
  const control = {
    Package: 'fake-tools',
    Version: '2.2.0',
    Architecture: 'all',
    Maintainer: 'nobody',
    Description: 'x',
  };
  const lines = Object.entries(control).map(([key, value]) => `${key}: ${value}\n`);
  await writeFile(join(tree, 'DEBIAN/control'), lines.join(''));
  await execa('dpkg-deb', ['--build', tree, join(directory, 'fake-tools.deb')]);
  await mkdir(join(directory, 'bin'));
  const aptGet = `#!/bin/bash
echo "$*" >> '${directory}/calls'
case "$*" in
  *update*) touch '${directory}/known';;
  *) test -e '${directory}/known' || { echo 'E: Unable to locate package fake-tools' >&2; exit 100; };;
esac
case "$*" in
  *--simulate*) printf 'Inst fake-tools (2.2.0 Nowhere:1 [all])\\nConf fake-tools (2.2.0 Nowhere:1 [all])\\n';;
  *download*) cp '${directory}/fake-tools.deb' .;;
esac
`;
  await writeFile(join(directory, 'bin/apt-get'), aptGet, { mode: 0o755 });
  return ['env', `PATH=${join(directory, 'bin')}:${process.env['PATH']}`];
}

describe('a Debian package without root', () => {
  before(function () {
    if (!existsSync('/usr/bin/dpkg-deb')) skipBecause(this, 'there is no dpkg-deb: not a Debian system');
  });

  it('is unpacked into the cache, where its program is found like any other', () =>
    withDirectory(async (directory) => {
      const prefix = await makeDistribution(directory);
      await writeFile(join(directory, 'known'), '');
      const cacheDirectory = join(directory, 'cache');
      const path = await unpackDebianTool({
        name: 'fake',
        debianPackage: 'fake-tools',
        cacheDirectory,
        prefix,
      });
      const { probe, neededBy, neededFor, homepage } = fakeTool;
      const found = await resolveTool('fake', {
        cacheDirectory,
        searchPath: [],
        manifest: {
          fake: {
            ...{ kind: 'system', minimum: '2', debianPackage: 'fake-tools', neededBy, neededFor, homepage },
            ...(probe && { probe }),
          },
        },
      });
      assert.deepEqual(found, { name: 'fake', path, version: '2.2.0', origin: 'cache' });
      assert.match(await readFile(path, 'utf8'), /LD_LIBRARY_PATH="\$here\/root\/usr\/lib\/any-linux-gnu"/);
      assert.deepEqual(await readdir(join(cacheDirectory, '.staging')), []);
      assert.ok(!(await readFile(join(directory, 'calls'), 'utf8')).includes('update'));
    }));

  it('is looked for in lists of its own when the system has none that know it', () =>
    withDirectory(async (directory) => {
      const prefix = await makeDistribution(directory);
      const cacheDirectory = join(directory, 'cache');
      const path = await unpackDebianTool({
        name: 'fake',
        debianPackage: 'fake-tools',
        cacheDirectory,
        prefix,
      });
      assert.equal((await execa(path, [])).stdout, 'fake 2.2.0');
      assert.match(await readFile(join(directory, 'calls'), 'utf8'), /Dir::State::Lists=\S+ .*update$/m);
    }));

  it('that holds no such program is said so, and nothing of it stays', () =>
    withDirectory(async (directory) => {
      const prefix = await makeDistribution(directory);
      const cacheDirectory = join(directory, 'cache');
      await assert.rejects(
        unpackDebianTool({ name: 'other', debianPackage: 'fake-tools', cacheDirectory, prefix }),
        /the package fake-tools has no program called other/,
      );
      assert.ok(!existsSync(join(cacheDirectory, 'other')));
    }));
});
