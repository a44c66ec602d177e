import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createDirectorySource } from '../../../activities/sources/directory.ts';
import { skipBecause } from '../../skip.ts';
import { directoryAsset, makeBench, makeOrder, type Bench } from './source-fixture.ts';

describe('directory target and impact', () => {
  let bench: Bench;
  let root: string;
  beforeEach(async () => {
    bench = await makeBench();
    root = join(bench.folder, 'srv/tree');
    await mkdir(root, { recursive: true });
  });
  afterEach(() => bench.close());

  const source = () => createDirectorySource({ reserved: [join(bench.folder, 'data')] });
  const check = async (to: string | null, bytes = 1) => {
    const asset = directoryAsset(root);
    await source().checkTarget(asset, await source().resolveTarget(asset, to), bytes, bench.step);
  };

  it('takes the place itself, an empty folder, or one that is not there yet', async () => {
    await writeFile(join(root, 'old'), '');
    await check(null);
    await check(join(bench.folder, 'not/yet/there'));
    await mkdir(join(bench.folder, 'empty'));
    await check(join(bench.folder, 'empty'));
  });

  it('refuses what is not empty, not a folder, too small, relative, or around the asset', async () => {
    await mkdir(join(bench.folder, 'full'));
    await writeFile(join(bench.folder, 'full/file'), '');
    await assert.rejects(check(join(bench.folder, 'full')), { code: 'target.notEmpty' });
    await assert.rejects(check(join(bench.folder, 'full/file')), { code: 'target.notEmpty' });
    await assert.rejects(check(null, 1e18), { code: 'target.tooSmall', cause: /needed .* free/ });
    await assert.rejects(check('relative'), { code: 'usage' });
    await assert.rejects(check(join(root, 'inside')), { code: 'usage' });
    await assert.rejects(check(join(bench.folder, 'srv')), { code: 'usage' });
  });

  it('refuses to touch its own data, also through a symlink', async () => {
    await mkdir(join(bench.folder, 'data'));
    for (const to of ['data', 'data/staging']) {
      await assert.rejects(check(join(bench.folder, to)), { code: 'usage', cause: /keeps its own data/ });
    }
    await symlink(join(bench.folder, 'data'), join(bench.folder, 'link'));
    await assert.rejects(check(join(bench.folder, 'link/below')), {
      code: 'usage',
      cause: /keeps its own data/,
    });
    await assert.rejects(check(bench.folder), { code: 'usage' });
  });

  it('refuses a read-only file system and a folder it may not write', async function () {
    if (process.geteuid?.() !== 0) skipBecause(this, 'only root can become another user');
    const place = join(bench.folder, 'read-only');
    await mkdir(place);
    await chmod(bench.folder, 0o755);
    process.seteuid?.(65534);
    try {
      await assert.rejects(check(join(place, 'new')), { code: 'target.readOnly', cause: /EACCES/ });
    } finally {
      process.seteuid?.(0);
    }
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs', place], { stdio: 'ignore' });
    } catch {
      skipBecause(this, 'only root with the right to mount can do this');
    }
    try {
      await assert.rejects(check(join(place, 'new')), { code: 'target.readOnly', cause: /EROFS/ });
    } finally {
      execFileSync('umount', ['--', place]);
    }
  });

  it('counts what a restore adds, changes and removes, and reads content only where times differ', async () => {
    const restored = join(bench.folder, 'restored');
    for (const at of [root, restored]) {
      await mkdir(join(at, 'sub'), { recursive: true });
      for (const name of ['same', 'touched', 'sub/changed', 'mode']) await writeFile(join(at, name), 'four');
      await symlink('a', join(at, 'link'));
      for (const name of ['same', 'sub/changed', 'mode']) await utimes(join(at, name), 1e9, 1e9);
    }
    await utimes(join(restored, 'touched'), 1, 1);
    await writeFile(join(restored, 'sub/changed'), 'FOUR');
    await writeFile(join(root, 'only here'), 'abc');
    await writeFile(join(restored, 'sub/new\nline'), '12345');
    await chmod(join(root, 'mode'), 0o600);
    await rm(join(restored, 'link'));
    await symlink('b', join(restored, 'link'));
    const target = { description: root, inPlace: true, location: root };
    const asset = directoryAsset(root, { exclude: ['*.tmp'] });
    const order = makeOrder(bench, target, { files: restored });
    const impact = await source().impact(asset, order, bench.workspace, bench.step);
    assert.deepEqual(impact.files, {
      added: { count: 1, bytes: 5, examples: ['sub/new\\x0aline'] },
      changed: { count: 3, bytes: 8, examples: ['link', 'mode', 'sub/changed'] },
      removed: { count: 1, bytes: 3, examples: ['only here'] },
    });
    assert.equal(impact.bytes, 21);
    assert.match(impact.warnings.join(), /what is excluded from the backup \(\*\.tmp\)/);
    const part = await source().impact(asset, { ...order, include: ['sub'] }, bench.workspace, bench.step);
    assert.deepEqual(
      [part.files?.added.count, part.files?.changed.count, part.files?.removed.count],
      [1, 1, 0],
    );
  });

  it('takes a safety point of everything there, excluded or not, and none of an empty folder', async () => {
    const target = { description: root, inPlace: true, location: root };
    const asset = directoryAsset(root, { exclude: ['*'] });
    const capture = () => source().captureForSafety(asset, target, bench.workspace, bench.step);
    assert.equal(await capture(), null);
    await writeFile(join(root, 'file'), '');
    const safety = await capture();
    assert.equal(safety?.method, 'files');
    assert.deepEqual(safety?.parts, [{ kind: 'folder', name: 'files', path: root, exclude: [] }]);
  });
});
