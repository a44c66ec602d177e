import assert from 'node:assert/strict';
import { appendFile, chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HoldfastError } from '../../domain/errors.ts';
import type { Installer } from '../../tools/install.ts';
import { resolveTool } from '../../tools/resolve.ts';
import type { ResolveOptions } from '../../tools/resolve.ts';
import { fakeTool, installableTool, putProgram, withDirectory } from './fake-tools.ts';
import { skipBecause } from '../skip.ts';

const refuse: Installer = () => Promise.reject(new Error('must not be asked'));
const bring: Installer = async ({ directory, definition }) => {
  await putProgram(directory, definition.version);
};

function resolveFake(directory: string, options: Partial<ResolveOptions> = {}) {
  return resolveTool('fake', {
    manifest: { fake: installableTool },
    cacheDirectory: join(directory, 'cache'),
    searchPath: [join(directory, 'first'), join(directory, 'second')],
    installers: { release: refuse, go: refuse },
    ...options,
  });
}

describe('resolving a tool', () => {
  it('takes the one on the PATH when it is new enough', () =>
    withDirectory(async (directory) => {
      await putProgram(join(directory, 'cache/fake/2.1.0'), '2.1.0');
      const path = await putProgram(join(directory, 'second'), '2.0.0');
      assert.deepEqual(await resolveFake(directory), {
        name: 'fake',
        path,
        version: '2.0.0',
        origin: 'path',
      });
    }));

  it('passes over an old one, a mute one and a folder of that name to a later one on the PATH', () =>
    withDirectory(async (directory) => {
      await putProgram(join(directory, 'first'), '1.9.9');
      await putProgram(join(directory, 'folder/fake'), '9.9.9', 'inner');
      const mute = await putProgram(join(directory, 'mute'), 'unknown');
      await writeFile(mute, '#!/bin/sh\necho no idea >&2\nexit 3\n');
      const path = await putProgram(join(directory, 'second'), '2.4');
      const searchPath = ['first', 'folder', 'mute', 'second'].map((folder) => join(directory, folder));
      assert.equal((await resolveFake(directory, { searchPath })).path, path);
    }));

  it('takes the cached one when the PATH has only an old one', () =>
    withDirectory(async (directory) => {
      await putProgram(join(directory, 'first'), '1.9.9');
      const path = await putProgram(join(directory, 'cache/fake/2.1.0'), '2.1.0');
      assert.deepEqual(await resolveFake(directory), {
        name: 'fake',
        path,
        version: '2.1.0',
        origin: 'cache',
      });
    }));

  it('brings it in when neither has it, and finds it in the cache from then on', () =>
    withDirectory(async (directory) => {
      const path = join(directory, 'cache/fake/2.1.0/fake');
      const brought = await resolveFake(directory, { installers: { release: bring } });
      assert.deepEqual(brought, { name: 'fake', path, version: '2.1.0', origin: 'release' });
      assert.equal((await resolveFake(directory)).origin, 'cache');
    }));

  it('replaces a cached one that no longer runs', () =>
    withDirectory(async (directory) => {
      const damaged = await putProgram(join(directory, 'cache/fake/2.1.0'), '2.1.0');
      await writeFile(damaged, '#!/bin/sh\nexit 126\n');
      await resolveFake(directory, { installers: { release: bring } });
      assert.match(await readFile(damaged, 'utf8'), /fake 2\.1\.0/);
    }));

  it('builds the Go module when the release archive fails', () =>
    withDirectory(async (directory) => {
      const go = { package: 'example.org/fake', linkerFlags: '', usualSeconds: 1 };
      const manifest = { fake: { ...installableTool, go } };
      const offline: Installer = () => Promise.reject(new Error('no network'));
      const built = await resolveFake(directory, { manifest, installers: { release: offline, go: bring } });
      assert.equal(built.origin, 'go');
    }));

  it('refuses what comes in another version than was asked for', () =>
    withDirectory(async (directory) => {
      const older: Installer = async (request) => void (await putProgram(request.directory, '2.0.5'));
      await assert.rejects(
        resolveFake(directory, { installers: { release: older } }),
        (error: HoldfastError) => error.cause.includes('what came is 2.0.5 where 2.1.0 was asked for'),
      );
    }));

  it('brings nothing in when told not to', () =>
    withDirectory(async (directory) => {
      await assert.rejects(resolveFake(directory, { install: false }), { code: 'tool.missing' });
    }));

  it('asks a program its version once, and again after it has changed', () =>
    withDirectory(async (directory) => {
      const path = join(directory, 'first/fake');
      const asked = join(directory, 'asked');
      const counting = async (version: string) => {
        await putProgram(join(directory, 'first'), version);
        await appendFile(path, `echo x >> '${asked}'\n`);
      };
      await counting('2.2.0');
      await resolveFake(directory);
      await resolveFake(directory);
      assert.equal(await readFile(asked, 'utf8'), 'x\n');
      await counting('2.10.0');
      assert.equal((await resolveFake(directory)).version, '2.10.0');
      assert.equal(await readFile(asked, 'utf8'), 'x\nx\n');
    }));

  it("looks for a system's tool in its packages' folders, the newest first, before the PATH", () =>
    withDirectory(async (directory) => {
      for (const version of ['9.6', '15', '16'])
        await putProgram(join(directory, `lib/${version}/bin`), version);
      await putProgram(join(directory, 'first'), '17');
      const { probe, neededBy, neededFor, homepage } = fakeTool;
      const found = await resolveFake(directory, {
        manifest: {
          fake: {
            ...{ kind: 'system', minimum: '14', debianPackage: 'fake', neededBy, neededFor, homepage },
            ...(probe && { probe }),
            directories: [join(directory, 'lib/*/bin')],
          },
        },
      });
      assert.equal(found.path, join(directory, 'lib/16/bin/fake'));
      assert.equal(found.origin, 'system');
    }));

  it('says which Debian package has a system tool that is missing', () =>
    withDirectory(async (directory) => {
      const { neededBy, neededFor, homepage } = fakeTool;
      const definition = {
        kind: 'system',
        minimum: '1',
        debianPackage: 'fake-tools',
        neededBy,
        neededFor,
        homepage,
      };
      await assert.rejects(
        resolveFake(directory, { manifest: { fake: definition as never } }),
        (error: HoldfastError) => error.hint.includes('apt-get install fake-tools'),
      );
    }));

  it('names a cache that it may not write to', async function () {
    if (process.getuid?.() === 0)
      skipBecause(this, 'root may write anywhere: run the tests as another user to see it');
    await withDirectory(async (directory) => {
      await chmod(directory, 0o500);
      await assert.rejects(
        resolveFake(directory, { installers: { release: bring } }),
        (error: HoldfastError) => /cache: .* can't be written to/.test(error.cause),
      );
    });
  });
});
