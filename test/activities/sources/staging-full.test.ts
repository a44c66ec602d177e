import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createDirectorySource } from '../../../activities/sources/directory.ts';
import { createSqliteSource } from '../../../activities/sources/sqlite.ts';
import { skipBecause } from '../../skip.ts';
import {
  directoryAsset,
  makeBench,
  makeRepository,
  sqliteAsset,
  store,
  type Bench,
} from './source-fixture.ts';
import { sql } from './sqlite-writer.ts';

// Row 7 of the fault matrix: the disk under staging is full.
describe('a staging disk that is too small', () => {
  let bench: Bench;
  let mounted: string | null = null;
  beforeEach(async () => {
    bench = await makeBench();
  });
  afterEach(async () => {
    if (mounted) execFileSync('umount', ['--', mounted]);
    mounted = null;
    await bench.close();
  });

  function mountSmall(context: Mocha.Context, folder: string): void {
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder], { stdio: 'ignore' });
      mounted = folder;
    } catch {
      skipBecause(context, 'only root with the right to mount can do this');
    }
  }

  it('refuses an SQLite backup before it begins, says how much is missing, and leaves nothing', async function () {
    const path = join(bench.folder, 'app.db');
    sql(path, 'CREATE TABLE t(a); INSERT INTO t VALUES(randomblob(5000000))');
    mountSmall(this, bench.workspace.staging);
    const source = createSqliteSource();
    const taken = source.capture(sqliteAsset(path), bench.workspace, bench.step, { manifest: true });
    await assert.rejects(taken, { code: 'staging.full', cause: /MiB/ });
    assert.deepEqual(await readdir(bench.workspace.staging), []);
    assert.deepEqual(await readdir(bench.workspace.scratch), []);
  });

  it('fails a restore that does not fit as what it is, and calls no data damaged', async function () {
    const root = join(bench.folder, 'uploads');
    const target = join(bench.folder, 'target');
    await mkdir(root);
    await mkdir(target);
    await writeFile(join(root, 'big'), randomBytes(5_000_000));
    const repository = await makeRepository(bench);
    const asset = directoryAsset(root);
    const source = createDirectorySource();
    const captured = await source.capture(asset, bench.workspace, bench.step, { manifest: false });
    const { stored } = await store(captured, repository, bench);
    mountSmall(this, target);
    const [part] = stored;
    assert.ok(part);
    const request = {
      snapshotId: part.snapshotId,
      path: part.path,
      target,
      include: [],
      expectedBytes: null,
    };
    await assert.rejects(repository.restore(request, bench.step), {
      code: 'staging.full',
      cause: /no space left/,
    });
  });
});
