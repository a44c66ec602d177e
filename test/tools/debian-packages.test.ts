import assert from 'node:assert/strict';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { installDebianPackages } from '../../tools/debian-packages.ts';
import { withDirectory } from './fake-tools.ts';

/** An apt-get that writes down its arguments; `fate` is what else it does. */
async function fakeAptGet(directory: string, fate: string): Promise<{ command: string[] }> {
  const program = join(directory, 'apt-get');
  await writeFile(program, `#!/bin/bash\ncd '${directory}'\necho "$@" >> calls\n${fate}\n`);
  await chmod(program, 0o755);
  return { command: ['env', `PATH=${directory}:${process.env['PATH']}`] };
}

const callsOf = async (directory: string) =>
  (await readFile(join(directory, 'calls'), 'utf8')).trim().split('\n').map(verbOf);
const verbOf = (call: string) => call.split(' ').find((word) => ['install', 'update'].includes(word));

describe('installing Debian packages', () => {
  it('leaves the package lists alone when they know the packages', () =>
    withDirectory(async (directory) => {
      await installDebianPackages(['attr', 'zstd'], await fakeAptGet(directory, 'exit 0'));
      assert.deepEqual(await callsOf(directory), ['install']);
      assert.match(await readFile(join(directory, 'calls'), 'utf8'), / attr zstd$/m);
    }));

  it('brings the package lists up to date when they do not, and tries again', () =>
    withDirectory(async (directory) => {
      const fate = `case "$*" in *update) touch updated;; *) test -f updated || { echo 'E: Unable to locate package attr' >&2; exit 100; };; esac`;
      await installDebianPackages(['attr'], await fakeAptGet(directory, fate));
      assert.deepEqual(await callsOf(directory), ['install', 'update', 'install']);
    }));

  it("silences what packages' scripts would create or start, for this call only", () =>
    withDirectory(async (directory) => {
      const fate = `for word in "$@"; do case "$word" in DPkg::Path=*)
        path="\${word#DPkg::Path=}"; ls "\${path%%:*}" > silenced; "\${path%%:*}/pg_createcluster" 15 main && echo "\${path%%:*}" > folder;; esac; done`;
      await installDebianPackages(['postgresql'], await fakeAptGet(directory, fate));
      const silenced = await readFile(join(directory, 'silenced'), 'utf8');
      assert.deepEqual(silenced.trim().split('\n').sort(), [
        'deb-systemd-invoke',
        'invoke-rc.d',
        'pg_createcluster',
      ]);
      const folder = (await readFile(join(directory, 'folder'), 'utf8')).trim();
      await assert.rejects(readFile(join(folder, 'pg_createcluster')), { code: 'ENOENT' });
    }));

  it("keeps apt-get's own words when it fails", () =>
    withDirectory(async (directory) => {
      const aptGet = await fakeAptGet(
        directory,
        `echo 'W: old' >&2; echo 'E: dpkg was interrupted' >&2; exit 100`,
      );
      await assert.rejects(installDebianPackages(['attr'], aptGet), {
        code: 'tool.failed',
        message: 'apt-get install attr failed',
        cause: 'E: dpkg was interrupted',
      });
    }));
});
