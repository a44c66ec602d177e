import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { createDirectorySource } from '../../../activities/sources/directory.ts';
import type { RestoreOrder } from '../../../activities/sources/source.ts';
import { coveredPart } from '../../../activities/verify/directory-entry.ts';
import { writeManifest } from '../../../activities/verify/directory-digest.ts';
import { openManifest } from '../../../activities/verify/manifest-file.ts';
import { skipBecause } from '../../skip.ts';
import { makeStrangeTree } from './strange-tree.ts';
import { directoryAsset, emptyScratch, makeBench, makeOrder, type Bench } from './source-fixture.ts';

class Crash extends Error {}

const home = process.cwd();

/** Between swap and settle, what is set aside may lie in the target. */
const withoutOurs = (lines: string[]) => lines.filter((line) => !line.includes('.holdfast-r-1-'));

describe('directory swap', () => {
  let bench: Bench;
  let target: string;
  let restored: string;
  const servers: Server[] = [];

  beforeEach(async () => {
    bench = await makeBench();
    target = join(bench.folder, 'parent/target');
    restored = join(bench.folder, 'restored');
    for (const root of [target, restored]) {
      await mkdir(root, { recursive: true });
      // Sockets are bound with a path of at most 107 bytes.
      process.chdir(root);
      servers.push(await makeStrangeTree('.'));
      process.chdir(home);
    }
    await rm(join(restored, 'socket'));
    await writeFile(join(target, 'plain'), 'the old content\n');
    await writeFile(join(target, 'only before'), 'old\n');
    await writeFile(join(restored, 'only after'), 'new\n');
    execFileSync('touch', ['-d', '@1500000000.123456789', '--', target]);
    execFileSync('chmod', ['2750', '--', target]);
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) server.close();
    await bench.close();
  });

  /** Every fact of a tree, the folder itself included; sockets by name. */
  const facts = async (root: string): Promise<string[]> => {
    const output = join(bench.workspace.scratch, 'facts');
    const summary = await writeManifest(
      { root, output, scratch: bench.workspace.scratch, getfattr: 'getfattr' },
      bench.step,
    );
    const lines = [...summary.notStored.examples];
    for await (const entry of (await openManifest(output)).entries) lines.push(coveredPart(entry));
    await emptyScratch(bench);
    return lines;
  };
  const order = (more: Partial<RestoreOrder> = {}) =>
    makeOrder(bench, { description: target, inPlace: true, location: target }, { files: restored }, more);
  const asset = () => directoryAsset(target);

  /** Crashes after step 1, 2, … until the swap needs no more: each time undone and compared, then done again. */
  const survivesEveryCrash = async (
    make: () => RestoreOrder,
    expected: (before: string[]) => Promise<string[]>,
    normal = withoutOurs,
  ) => {
    const before = await facts(target);
    const siblings = await readdir(join(target, '..'));
    const after = await expected(before);
    const steps: string[] = [];
    for (let crashAt = 1; ; crashAt += 1) {
      let step = 0;
      let name = '';
      const crashing = createDirectorySource({
        afterStep: (done) => {
          step += 1;
          name = done;
          if (step === crashAt) throw new Crash(done);
        },
      });
      const crashed = await crashing.swap(asset(), make(), bench.step).then(
        () => false,
        (thrown: unknown) => {
          if (!(thrown instanceof Crash)) throw thrown;
          return true;
        },
      );
      if (!crashed) break;
      steps.push(name);
      const source = createDirectorySource();
      if (crashAt % 2 === 0) {
        // Gone on from after the crash, then found unhealthy.
        await source.swap(asset(), make(), bench.step);
        assert.deepEqual(normal(await facts(target)), after, `gone on after ${name} (${crashAt})`);
      }
      await source.undo(asset(), make(), bench.step);
      assert.deepEqual(await facts(target), before, `undone after ${name} (${crashAt})`);
      assert.deepEqual(await readdir(join(target, '..')), siblings, `left behind after ${name} (${crashAt})`);
    }
    const source = createDirectorySource();
    assert.deepEqual(normal(await facts(target)), after);
    await source.settle(asset(), make(), bench.step);
    await source.settle(asset(), make(), bench.step);
    const settled = await facts(target);
    assert.deepEqual(normal(settled), after);
    assert.deepEqual(settled, withoutOurs(settled));
    assert.deepEqual(await readdir(join(target, '..')), siblings);
    await assert.rejects(source.undo(asset(), make(), bench.step), { code: 'restore.state' });
    return steps;
  };

  it('replaces the whole folder; a crash at any step can be undone exactly or gone on from', async () => {
    const steps = await survivesEveryCrash(order, () => facts(restored));
    for (const name of ['bring', 'aside', 'placed']) assert.ok(steps.includes(name), name);
  });

  it('copies restored data from another file system, and checks the copy', async function () {
    const elsewhere = await mkdtemp('/dev/shm/holdfast-swap-').catch(() => null);
    if (elsewhere === null) return skipBecause(this, 'there is no second file system at /dev/shm');
    try {
      execFileSync('cp', ['-a', '-T', '--', restored, join(elsewhere, 'restored')]);
      restored = join(elsewhere, 'restored');
      await survivesEveryCrash(order, () => facts(restored));
      assert.ok(existsSync(restored));
    } finally {
      await rm(elsewhere, { recursive: true });
    }
  });

  it('swaps the contents of a folder some process works in, which keeps its identity', async () => {
    process.chdir(target);
    try {
      const expected = async () => facts(restored);
      await survivesEveryCrash(order, expected);
      assert.equal(await readFile('plain', 'utf8'), 'plain\n');
    } finally {
      process.chdir(home);
    }
  });

  it('swaps the contents of a mount point', async function () {
    const mounted = join(bench.folder, 'mounted');
    await mkdir(mounted);
    try {
      execFileSync('mount', ['--bind', '--', target, mounted], { stdio: 'ignore' });
    } catch {
      skipBecause(this, 'only root with the right to mount can do this');
    }
    try {
      const away = { description: mounted, inPlace: true, location: mounted };
      const expected = await facts(restored);
      const mountedOrder = makeOrder(bench, away, { files: restored });
      const source = createDirectorySource();
      const before = await facts(mounted);
      await source.swap(asset(), mountedOrder, bench.step);
      assert.deepEqual(withoutOurs(await facts(mounted)), expected);
      await source.undo(asset(), mountedOrder, bench.step);
      assert.deepEqual(await facts(mounted), before);
      await source.swap(asset(), mountedOrder, bench.step);
      await source.settle(asset(), mountedOrder, bench.step);
      assert.deepEqual(await facts(mounted), expected);
    } finally {
      execFileSync('umount', ['--', mounted]);
    }
  });

  it('refuses a target with another file system mounted inside, and leaves both alone', async function () {
    const inside = join(target, 'folder/empty');
    try {
      execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', inside], { stdio: 'ignore' });
    } catch {
      skipBecause(this, 'only root with the right to mount can do this');
    }
    try {
      await writeFile(join(inside, 'precious'), '');
      await assert.rejects(createDirectorySource().swap(asset(), order(), bench.step), {
        code: 'target.inUse',
      });
      await assert.rejects(
        createDirectorySource().swap(asset(), order({ include: ['folder'] }), bench.step),
        {
          code: 'target.inUse',
        },
      );
      assert.deepEqual(await readdir(inside), ['precious']);
    } finally {
      execFileSync('umount', ['--', inside]);
    }
  });

  it('with include, swaps those paths alone and makes missing folders as they were stored', async () => {
    await mkdir(join(restored, 'gone/deeper'), { recursive: true });
    await writeFile(join(restored, 'gone/deeper/one'), 'one');
    await writeFile(join(restored, 'gone/two'), 'not asked for');
    execFileSync('chmod', ['2711', '--', join(restored, 'gone')]);
    execFileSync('touch', ['-d', '@1234567890.123456789', '--', join(restored, 'gone')]);
    const include = ['plain', 'gone/deeper/one', 'gone/deeper', 'folder/original'];
    // The times of folders that stay move with what is swapped in them; an exchanged file leaves its links.
    const loosely = (lines: string[]) =>
      withoutOurs(lines).map((line) => {
        const words = line.split(' ');
        if (/^(\.|folder) dir /.test(line)) return words.toSpliced(5, 1).join(' ');
        return line.startsWith('folder/original ') ? words.toSpliced(7, 2).join(' ') : line;
      });
    await survivesEveryCrash(
      () => order({ include }),
      async (before) => {
        const paths = /^(plain|folder\/original|gone|gone\/deeper|gone\/deeper\/one) /;
        const taken = (await facts(restored)).filter((line) => paths.test(line));
        const kept = before.filter((line) => !paths.test(line));
        return loosely([...kept, ...taken]).sort();
      },
      (lines) => loosely(lines).sort(),
    );
  });

  it('never leaves the target through a symlink or an upward path', async () => {
    const outside = join(bench.folder, 'outside');
    await mkdir(outside);
    await rm(join(target, 'folder'), { recursive: true });
    await symlink(outside, join(target, 'folder'));
    const source = createDirectorySource();
    await assert.rejects(source.swap(asset(), order({ include: ['folder/original'] }), bench.step), {
      code: 'restore.state',
    });
    for (const include of ['../outside', '/etc/passwd', 'folder/../../outside']) {
      await assert.rejects(source.swap(asset(), order({ include: [include] }), bench.step), {
        code: 'usage',
      });
    }
    assert.deepEqual(await readdir(outside), []);
  });

  it('keeps what somebody put in the place of the old folder in the meantime', async () => {
    let crashed = false;
    const crashing = createDirectorySource({
      afterStep: (name) => {
        if (name === 'aside') {
          crashed = true;
          throw new Crash();
        }
      },
    });
    const before = await facts(target);
    await assert.rejects(crashing.swap(asset(), order(), bench.step), Crash);
    assert.ok(crashed);
    await mkdir(target);
    await writeFile(join(target, 'made meanwhile'), 'precious');
    const source = createDirectorySource();
    await assert.rejects(source.swap(asset(), order(), bench.step), { code: 'restore.state' });
    await source.undo(asset(), order(), bench.step);
    assert.deepEqual(await facts(target), before);
    assert.equal(
      await readFile(join(target, '../.holdfast-r-1-old-found/made meanwhile'), 'utf8'),
      'precious',
    );
    assert.match(bench.step.said.join(), /somebody made .* during the restore/);
  });

  it('finishes an undo that crashed at any of its steps', async () => {
    const before = await facts(target);
    const include = ['plain', 'folder'];
    for (const more of [{}, { include }]) {
      for (let crashAt = 1; ; crashAt += 1) {
        await createDirectorySource().swap(asset(), order(more), bench.step);
        let step = 0;
        const afterStep = () => {
          step += 1;
          if (step === crashAt) throw new Crash();
        };
        const undone = await createDirectorySource({ afterStep })
          .undo(asset(), order(more), bench.step)
          .then(
            () => true,
            () => false,
          );
        await createDirectorySource().undo(asset(), order(more), bench.step);
        assert.deepEqual(await facts(target), before, `step ${crashAt}`);
        if (undone) break;
      }
    }
  });

  it('makes a target that is not there, folders above it included, and takes them away again', async () => {
    const location = join(bench.folder, 'not/yet/there');
    const away = makeOrder(bench, { description: location, inPlace: false, location }, { files: restored });
    const source = createDirectorySource();
    const expected = await facts(restored);
    await source.swap(asset(), away, bench.step);
    assert.deepEqual(await facts(location), expected);
    await source.undo(asset(), away, bench.step);
    assert.equal(existsSync(join(bench.folder, 'not')), false);
  });
});
