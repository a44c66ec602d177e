import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFile, chmod, mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import type { Server } from 'node:net';
import { join } from 'node:path';
import type { Repository } from '../../../activities/repositories/repository.ts';
import { createDirectorySource } from '../../../activities/sources/directory.ts';
import type { DirectoryManifest } from '../../../domain/recovery-point.ts';
import { skipBecause } from '../../skip.ts';
import { makeStrangeTree } from './strange-tree.ts';
import {
  directoryAsset,
  emptyScratch,
  makeBench,
  makeRepository,
  restoreAll,
  store,
} from './source-fixture.ts';
import type { Bench, Taken } from './source-fixture.ts';

const source = createDirectorySource();

describe('directory source', () => {
  let bench: Bench;
  let root: string;
  beforeEach(async () => {
    bench = await makeBench();
    root = join(bench.folder, 'tree');
    await mkdir(root);
  });
  afterEach(() => bench.close());

  describe('with restic', () => {
    let repository: Repository;
    let server: Server | undefined;
    beforeEach(async () => (repository = await makeRepository(bench)));
    afterEach(() => server?.close());

    const take = async (between?: () => Promise<void>, more = {}): Promise<Taken> => {
      const asset = directoryAsset(root, more);
      const capture = await source.capture(asset, bench.workspace, bench.step, { manifest: true });
      return store(capture, repository, bench, between);
    };
    const prove = async (taken: Taken) => {
      await emptyScratch(bench);
      const restored = await restoreAll(taken, repository, bench, `restored-${Math.random()}`);
      const asset = directoryAsset(root);
      const report = await source.rehearse(asset, restored, taken.manifest, bench.workspace, bench.step);
      return { restored: restored['files'] ?? '', report };
    };

    it('proves a restored copy of every kind of entry, and names the socket it cannot bring back', async () => {
      server = await makeStrangeTree(root);
      const taken = await take();
      const { report } = await prove(taken);
      assert.deepEqual(
        report.checks.filter(({ ok }) => !ok),
        [],
      );
      const manifest = taken.manifest as DirectoryManifest;
      assert.deepEqual(manifest.notStored, { count: 1, examples: ['socket'] });
      assert.deepEqual(manifest.changed, { count: 0, examples: [] });
      assert.match(taken.notes.join(), /1 sockets are not stored: socket/);
    });

    const spoilings: Record<string, (restored: string) => Promise<void> | void> = {
      'content|plain: ': async (at) => {
        await writeFile(join(at, 'plain'), 'PLAIN\n');
      },
      'mode|plain: ': (at) => chmod(join(at, 'plain'), 0o600),
      'time|folder: ': (at) => utimes(join(at, 'folder'), 1, 1),
      'extended attributes|plain: ': (at) =>
        void execFileSync('setfattr', ['-n', 'user.a b\\c', '-v', '1', '--', join(at, 'plain')]),
      'missing|\\xc3(/inside': (at) => void execFileSync('sh', ['-c', 'rm -f "$1"/*/inside', 'sh', at]),
      'was not in the recovery point|stranger': (at) => writeFile(join(at, 'stranger'), ''),
      'content|dangling': async (at) => {
        await rm(join(at, 'dangling'));
        await symlink('elsewhere', join(at, 'dangling'));
      },
      'hard link|folder/original': async (at) => {
        execFileSync('cp', ['-a', '--', join(at, 'folder/original'), join(at, 'copy')]);
        await rename(join(at, 'copy'), join(at, 'folder/original'));
      },
    };
    it('finds every kind of difference and names the entry', async () => {
      server = await makeStrangeTree(root);
      const taken = await take();
      const { restored } = await prove(taken);
      for (const [expected, spoil] of Object.entries(spoilings)) {
        const [what = '', name = ''] = expected.split('|');
        const spoilt = join(bench.folder, 'spoilt');
        execFileSync('cp', ['-a', '--', restored, spoilt]);
        await spoil(spoilt);
        await emptyScratch(bench);
        const parts = { files: spoilt };
        const report = await source.rehearse(
          directoryAsset(root),
          parts,
          taken.manifest,
          bench.workspace,
          bench.step,
        );
        const detail = report.checks.find(({ name }) => name === 'digest')?.detail ?? '';
        assert.equal(report.ok, false, expected);
        assert.ok(detail.includes(what) && detail.includes(name), `${expected}: ${detail}`);
        await rm(spoilt, { recursive: true });
      }
    });

    it('describes what was stored of a tree that changed while it was read', async () => {
      await mkdir(join(root, 'busy/deep'), { recursive: true });
      await mkdir(join(root, 'quiet'));
      for (const name of ['a', 'log', 'busy/gone', 'busy/stays', 'quiet/z'])
        await writeFile(join(root, name), name);
      let swept = false;
      const capture = await source.capture(directoryAsset(root), bench.workspace, bench.step, {
        manifest: true,
      });
      const sweeping: Repository = {
        ...repository,
        store: async (part, labels, step) => {
          const stored = await repository.store(part, labels, step);
          // Stored although neither look sees it, and gone after.
          await rm(join(root, 'busy/passing'));
          await rm(join(root, 'busy/deep/passing'));
          await writeFile(join(root, 'busy/late'), 'came after the reading');
          await appendFile(join(root, 'log'), 'more after the reading');
          swept = true;
          return stored;
        },
      };
      const taken = await store(capture, sweeping, bench, async () => {
        await appendFile(join(root, 'log'), 'second line');
        await rm(join(root, 'busy/gone'));
        await writeFile(join(root, 'busy/new'), 'came before the reading');
        await writeFile(join(root, 'busy/passing'), 'seen by restic alone');
        await writeFile(join(root, 'busy/deep/passing'), 'seen by restic alone');
      });
      assert.ok(swept);
      const { report } = await prove(taken);
      assert.deepEqual(
        report.checks.filter(({ ok }) => !ok),
        [],
      );
      const manifest = taken.manifest as DirectoryManifest;
      assert.deepEqual(manifest.changed.examples, ['busy/gone', 'busy/late', 'busy/new', 'log']);
      assert.match(taken.notes.join(), /4 entries changed while they were read/);
    });

    it('stores and counts only what the exclude patterns leave', async () => {
      for (const name of ['keep', 'drop.tmp']) await writeFile(join(root, name), name);
      await mkdir(join(root, 'cache'));
      await writeFile(join(root, 'cache/big'), 'big');
      const taken = await take(undefined, { exclude: ['*.tmp', 'cache'] });
      assert.equal((taken.manifest as DirectoryManifest).files, 1);
      assert.equal((await prove(taken)).report.ok, true);
    });

    it('without root compares everything but owners, and says so', async function () {
      if (process.geteuid?.() !== 0) skipBecause(this, 'only root can become another user');
      await writeFile(join(root, 'file'), 'content');
      await chmod(join(root, 'file'), 0o2755);
      const taken = await take();
      const restored = await restoreAll(taken, repository, bench, 'restored');
      const files = restored['files'] ?? '';
      await emptyScratch(bench);
      execFileSync('chown', ['-R', '65534:65534', '--', bench.folder]);
      const rehearse = async () => {
        process.seteuid?.(65534);
        try {
          return await source.rehearse(
            directoryAsset(root),
            restored,
            taken.manifest,
            bench.workspace,
            bench.step,
          );
        } finally {
          process.seteuid?.(0);
        }
      };
      const report = await rehearse();
      assert.equal(report.ok, true, JSON.stringify(report));
      assert.match(JSON.stringify(report.checks), /owners not compared, as only root can restore them/);
      await writeFile(join(files, 'file'), 'CONTENT');
      assert.equal((await rehearse()).ok, false);
    });

    it('reads again only what was touched since the last manifest, or too shortly before it', async () => {
      for (const name of ['one', 'twelve bytes']) await writeFile(join(root, name), name);
      const bytesRead = async () => {
        let bytes = 0;
        const step = {
          ...bench.step,
          progress: ({ bytesDone }: { bytesDone: number }) => (bytes = Math.max(bytes, bytesDone)),
        };
        await (await source.capture(directoryAsset(root), bench.workspace, step, { manifest: true })).close();
        return bytes;
      };
      await take();
      assert.equal(await bytesRead(), 15, 'a second change within a tick would go unseen');
      const clock = Date.now;
      Date.now = () => clock() + 10_000;
      await take().finally(() => (Date.now = clock));
      assert.equal(await bytesRead(), 0);
      await appendFile(join(root, 'one'), '!');
      assert.equal(await bytesRead(), 4);
    });
  });

  it('refuses what is missing, a file, a symlink, or less than expected', async () => {
    const preflight = (path: string) => source.preflight(directoryAsset(path), bench.step);
    await assert.rejects(preflight(join(root, 'absent')), { code: 'source.missing' });
    await writeFile(join(root, 'file'), '');
    await assert.rejects(preflight(join(root, 'file')), { code: 'source.invalid' });
    await symlink(root, join(bench.folder, 'link'));
    await assert.rejects(preflight(join(bench.folder, 'link')), {
      code: 'source.invalid',
      hint: `write path: ${root}`,
    });
    await rm(join(root, 'file'));
    for (const manifest of [true, false]) {
      const capture = source.capture(directoryAsset(root), bench.workspace, bench.step, { manifest });
      await assert.rejects(capture, { code: 'source.empty' });
    }
  });

  it('refuses a folder it may not read', async function () {
    if (process.geteuid?.() !== 0) skipBecause(this, 'only root can become another user');
    await chmod(root, 0o700);
    await chmod(bench.folder, 0o755);
    process.seteuid?.(65534);
    try {
      await assert.rejects(source.preflight(directoryAsset(root), bench.step), { code: 'source.unreadable' });
    } finally {
      process.seteuid?.(0);
    }
  });
});
