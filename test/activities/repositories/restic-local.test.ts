import assert from 'node:assert/strict';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Repository } from '../../../activities/repositories/repository.ts';
import { connectionFor } from '../../../activities/repositories/restic-connection.ts';
import { readBackPoints } from '../../../activities/repositories/restic-read-back.ts';
import { runCommand } from '../../../activities/run-command.ts';
import { skipBecause } from '../../skip.ts';
import { fails, repositoryContract } from './repository-contract.ts';
import {
  commandPart,
  digestOf,
  filesBelow,
  flipByte,
  folderPart,
  labels,
  locksIn,
  packsIn,
  randomFiles,
  recordedStep,
  removeFolder,
  repositoryAt,
  resticTool,
  temporaryFolder,
  until,
  type Place,
} from './repository-fixtures.ts';

const localPlace = (room: string): Place => {
  const folder = join(room, 'repository');
  return { url: folder, env: {}, folder };
};

repositoryContract('a local folder', (room) => Promise.resolve(localPlace(room)));

describe('restic repository in a local folder', function () {
  this.timeout(180_000);
  let room: string;
  let place: Place;
  let tree: string;
  let repository: Repository;
  const step = () => recordedStep();

  beforeEach(async () => {
    room = await temporaryFolder();
    place = localPlace(room);
    tree = join(room, 'tree');
    await randomFiles(tree, 2, 50_000);
    repository = await repositoryAt(place, room);
  });
  afterEach(() => removeFolder(room));

  it('reads more points than a command line can name by their asset, and nothing of others', async () => {
    await repository.ensure(step());
    const store = async (point: string, asset: string) => {
      await randomFiles(join(tree, point), 1, 400_000);
      return repository.store(folderPart(join(tree, point)), labels(point, { asset }), step());
    };
    await store('p1', 'orders');
    await store('p2', 'orders');
    const [pack] = await packsIn(place);
    assert.ok(pack);
    await store('p3', 'sales');
    const connection = connectionFor({
      name: 'depot',
      url: place.url,
      password: `file:${join(room, 'password')}`,
      env: {},
      cacheFolder: join(room, 'cache'),
      tool: await resticTool(),
    });
    const readAll = () => readBackPoints(connection, ['p1', 'p2'], step(), 1);
    assert.equal((await readAll()).ok, true);
    await fails(() => readBackPoints(connection, ['p1', 'lost'], step(), 1), 'point.unknown');
    await flipByte(pack);
    const found = await readAll();
    assert.equal(found.ok, false);
    assert.equal(found.damagedSnapshots.length, 1);
    assert.equal((await readBackPoints(connection, ['p3'], step(), 0)).ok, true);
  });

  it('removes the half-written files of a dead writer, and none while a writer lives', async () => {
    await repository.ensure(step());
    const left = [
      join(place.folder, 'data', 'ab', 'abcd-tmp-123'),
      join(place.folder, 'index', 'abcd-tmp-9'),
    ];
    for (const path of left) await writeFile(path, 'half');
    const holder = step();
    const running = repository.store(commandPart(['sleep', '313']), labels('live'), holder).catch(() => null);
    await until('the lock', async () => (await locksIn(place)).length > 0);
    await repository.recover(step());
    const all = await filesBelow(place.folder);
    assert.ok(left.every((path) => all.includes(path)));
    holder.abort();
    await running;

    await repository.recover(step());
    assert.ok((await filesBelow(place.folder)).every((path) => !path.includes('-tmp-')));
  });

  it('waits out a dead exclusive lock by itself: a store after a killed prune just works', async () => {
    await repository.ensure(step());
    await repository.store(folderPart(tree), labels('p1'), step());
    const killed = step();
    const checking = repository.repair(killed).catch(() => null);
    // Under its final name: one that is killed while it writes its lock leaves half of it, which is another matter.
    await until('an exclusive lock', async () =>
      (await locksIn(place)).some((path) => !path.includes('-tmp-')),
    );
    killed.processes.forEach(({ pid }) => killIfThere(pid));
    await checking;
    await repository.store(folderPart(tree), labels('p2'), step());
    assert.deepEqual(await locksIn(place), []);
  });

  it('names a folder that is no repository, and one it may not read', async () => {
    await mkdir(place.folder);
    await writeFile(join(place.folder, 'notes.txt'), 'mine');
    const error = await fails(() => repository.snapshots({}, step()), 'repository.absent');
    assert.ok(error.message.includes(place.folder) && error.hint.includes('mounted'));
  });

  it('refuses to make a repository where keys are left without their config', async () => {
    await repository.ensure(step());
    await runCommand({ tool: 'rm', file: 'rm', args: ['-f', join(place.folder, 'config')] }, step());
    assert.equal(await repository.ensure(step()), 'existing');
    await fails(() => repository.snapshots({}, step()), 'repository.absent');
  });

  it('lists what could not be read, and stores what is beside it', async () => {
    await repository.ensure(step());
    // Write-only for everybody, root too.
    const folder = '/proc/sys/net/ipv4/route';
    const stored = await repository.store(folderPart(folder), labels('p1'), step());
    assert.equal(stored.unreadable.length, 1);
    assert.match(stored.unreadable[0] ?? '', /^\/proc\/sys\/net\/ipv4\/route\/flush: .*permission denied/);
    assert.ok(stored.files > 1);
  });

  it('stores what is behind a link, not the link', async () => {
    await repository.ensure(step());
    await symlink(tree, join(room, 'link'));
    const stored = await repository.store(folderPart(join(room, 'link')), labels('p1'), step());
    assert.deepEqual([stored.files, stored.path], [2, tree]);
    await fails(
      () => repository.store(folderPart(join(room, 'gone')), labels('p2'), step()),
      'source.missing',
    );
  });

  it('leaves out what the patterns exclude', async () => {
    await repository.ensure(step());
    await writeFile(join(tree, 'x.tmp'), 'x');
    const stored = await repository.store(folderPart(tree, ['*.tmp']), labels('p1'), step());
    assert.equal(stored.files, 2);
  });

  it('stores what a command prints under its name', async () => {
    await repository.ensure(step());
    const part = commandPart(['sh', '-c', 'printf "%s" "$GREETING"'], 'dump.sql');
    const stored = await repository.store(
      { ...part, env: { GREETING: 'hello' } } as typeof part,
      labels('p1'),
      step(),
    );
    const target = join(room, 'restored');
    await repository.restore(
      { snapshotId: stored.snapshotId, path: stored.path, target, include: [], expectedBytes: null },
      step(),
    );
    assert.deepEqual(await readdir(target), ['dump.sql']);
    assert.equal(stored.bytes, 5);
    const error = await fails(
      () => repository.store(commandPart(['no-such-program']), labels('p2'), step()),
      'tool.missing',
    );
    assert.match(error.cause, /no-such-program/);
  });

  it('does not take a reading for one when restic does not say what it read', async () => {
    const says = async (words: string) => {
      const path = join(room, 'other-restic');
      await writeFile(path, `#!/bin/sh\nprintf '%s\\n' ${words}\n`, { mode: 0o700 });
      const other = await repositoryAt(place, room, { tool: { path } });
      return other.readShare(2, 4, recordedStep());
    };
    const group = (number: number) =>
      `'read group #${number} of 3 data packs (out of total 9 packs in 4 groups'`;
    const fine = await says(`${group(2)} '[0:00] 100.00%  3 / 3 packs' 'no errors were found'`);
    assert.deepEqual([fine.ok, fine.packs], [true, { read: 3, total: 9 }]);
    for (const words of [
      "'no errors were found'",
      `${group(2)} 'no errors were found'`,
      `${group(2)} '[0:00] 66.67%  2 / 3 packs' 'no errors were found'`,
      `${group(1)} '[0:00] 100.00%  3 / 3 packs' 'no errors were found'`,
    ]) {
      await assert.rejects(says(words), { code: 'tool.failed', message: /group 2 of 4 of depot failed/ });
    }
  });

  it('restores into an empty folder only', async () => {
    await repository.ensure(step());
    const { snapshotId, path } = await repository.store(folderPart(tree), labels('p1'), step());
    const request = { snapshotId, path, target: tree, include: [], expectedBytes: null };
    await fails(() => repository.restore(request, step()), 'target.notEmpty');
  });

  it('says a full disk within a bound, stays readable, and goes on when there is room', async function () {
    await mkdir(place.folder);
    const mount = ['-t', 'tmpfs', '-o', 'size=6m', 'holdfast-test', place.folder];
    const mounted = await runCommand({ tool: 'mount', file: 'mount', args: mount }, step());
    if (mounted.exitCode !== 0) skipBecause(this, 'only root with the right to mount can do this');
    try {
      await repository.ensure(step());
      const small = await repository.store(folderPart(tree), labels('small'), step());
      const big = join(room, 'big');
      await randomFiles(big, 1, 9_000_000);
      const error = await fails(
        () => repository.store(folderPart(big), labels('big'), step()),
        'repository.full',
      );
      assert.match(error.cause, /no space left/);
      await runCommand(
        { tool: 'dd', file: 'dd', args: ['if=/dev/zero', `of=${place.folder}/filler`, 'bs=4096'] },
        step(),
      );
      const target = join(room, 'restored');
      const reading = step();
      await repository.restore(
        { snapshotId: small.snapshotId, path: small.path, target, include: [], expectedBytes: null },
        reading,
      );
      assert.equal(await digestOf(target), await digestOf(tree));
      assert.match(reading.said.join(), /without one/);
      await runCommand(
        { tool: 'mount', file: 'mount', args: ['-o', 'remount,size=40m', place.folder] },
        step(),
      );
      await repository.recover(step());
      await repository.store(folderPart(big), labels('big'), step());
    } finally {
      await runCommand({ tool: 'umount', file: 'umount', args: ['-l', place.folder] }, step());
    }
  });
});

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it had ended already
  }
}
