import assert from 'node:assert/strict';
import { mkdir, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Repository } from '../../../activities/repositories/repository.ts';
import { runCommand } from '../../../activities/run-command.ts';
import { HoldfastError, type FailureCode } from '../../../domain/errors.ts';
import {
  bytesIn,
  childrenOf,
  commandLineOf,
  commandPart,
  digestOf,
  environmentOf,
  flipByte,
  folderPart,
  labels,
  locksIn,
  openFilesOf,
  packsIn,
  PASSWORD,
  randomFiles,
  recordedStep,
  removeFolder,
  repositoryAt,
  resticTool,
  temporaryFolder,
  until,
  type Place,
} from './repository-fixtures.ts';

/** What every repository must do, wherever it lies. `placeFor` makes an empty place below a folder. */
export function repositoryContract(where: string, placeFor: (room: string) => Promise<Place>): void {
  describe(`repository in ${where}`, function () {
    this.timeout(180_000);
    let room: string;
    let place: Place;
    let tree: string;
    let repository: Repository;
    const step = () => recordedStep();

    beforeEach(async () => {
      room = await temporaryFolder();
      place = await placeFor(room);
      tree = join(room, 'tree');
      await randomFiles(tree, 3, 300_000);
      repository = await repositoryAt(place, room);
    });
    afterEach(() => removeFolder(room));

    const store = (point: string) => repository.store(folderPart(tree), labels(point), step());
    const restore = async (snapshotId: string, path: string, include: string[] = []) => {
      const target = join(room, `restored-${snapshotId.slice(0, 6)}-${Math.random()}`);
      await repository.restore({ snapshotId, path, target, include, expectedBytes: null }, step());
      return target;
    };

    it('is absent until it is made, and is made once', async () => {
      await fails(() => store('p1'), 'repository.absent');
      assert.equal(await repository.ensure(step()), 'created');
      assert.equal(await repository.ensure(step()), 'existing');
    });

    it('stores with the labels, the time and the size of the point, and gives back the same bytes', async () => {
      await repository.ensure(step());
      const watched = step();
      const stored = await repository.store(folderPart(tree), labels('p1'), watched);
      assert.equal(watched.processes.length, 1, 'one call of restic');
      assert.equal(stored.files, 3);
      assert.equal(stored.bytes, 900_000);
      assert.ok(stored.addedBytes > 900_000);
      assert.deepEqual(stored.unreadable, []);

      const [snapshot] = await repository.snapshots({ point: 'p1' }, step());
      assert.equal(snapshot?.id, stored.snapshotId);
      assert.deepEqual(snapshot?.labels, labels('p1'));
      assert.equal(await digestOf(await restore(stored.snapshotId, stored.path)), await digestOf(tree));
    });

    it('stores unchanged files again for next to nothing', async () => {
      await repository.ensure(step());
      await store('p1');
      const again = await store('p2');
      assert.ok(again.addedBytes < 5_000, `added ${again.addedBytes}`);
      assert.equal((await repository.snapshots({}, step())).length, 2);
    });

    it('says what it takes', async () => {
      await repository.ensure(step());
      const before = await repository.measure(step());
      await store('p1');
      const { storedBytes, freeBytes } = await repository.measure(step());
      const grown = storedBytes - before.storedBytes;
      assert.ok(grown > 900_000 && grown < 1_000_000, `grew by ${grown}`);
      assert.equal(freeBytes === null, place.url.includes(':'), 'only a folder here knows what is left');
      if (freeBytes !== null) assert.ok(freeBytes > 0);
    });

    it('leaves snapshots of others alone, and shows them without labels', async () => {
      await repository.ensure(step());
      await store('p1');
      await foreignBackup(place, room, tree);
      const foreign = (await repository.snapshots({}, step())).filter((snapshot) => !snapshot.labels);
      assert.equal(foreign.length, 1);
      assert.deepEqual(foreign[0]?.tags, ['by-hand']);
    });

    it('calls a wrong password a wrong password, and names the place', async () => {
      await repository.ensure(step());
      const other = join(room, 'other-password');
      await writeFile(other, 'not-the-password', { mode: 0o600 });
      const locked = await repositoryAt(place, room, { password: `file:${other}` });
      const error = await fails(() => locked.snapshots({}, step()), 'repository.wrongPassword');
      assert.ok(error.hint.includes(place.url) && !JSON.stringify(error).includes('not-the-password'));
    });

    it('keeps no snapshot of a command that failed', async () => {
      await repository.ensure(step());
      const part = commandPart(['sh', '-c', 'echo half; echo "disk on fire" >&2; exit 3']);
      const error = await fails(() => repository.store(part, labels('p1'), step()), 'tool.failed');
      assert.match(error.cause, /disk on fire/);
      assert.deepEqual(await repository.snapshots({}, step()), []);
    });

    it('finds a flipped byte, names whom it hurts, and takes the data anew after a repair', async () => {
      await repository.ensure(step());
      const healthy = await store('healthy');
      await randomFiles(join(tree, 'new'), 2, 700_000);
      const hurt = await store('hurt');
      const largest = (await packsIn(place))[0];
      assert.ok(largest);
      await flipByte(largest);

      assert.equal((await repository.readBack(['healthy'], step())).ok, true);
      const readBack = await repository.readBack(['hurt'], step());
      assert.equal(readBack.ok, false);
      assert.deepEqual(readBack.damagedSnapshots, [hurt.snapshotId]);
      assert.match(readBack.errors.join('\n'), /ciphertext verification failed/);

      await repository.repair(step(), readBack.damagedPacks);
      const ids = (await repository.snapshots({}, step())).map(({ id }) => id).sort();
      assert.deepEqual(ids, [healthy.snapshotId, hurt.snapshotId].sort(), 'no snapshot was removed');
      const again = await store('again');
      // One blob was hit; the others of its pack were salvaged. The smallest there is has some 100 kB.
      assert.ok(again.addedBytes > 50_000, `sent ${again.addedBytes} again`);
      assert.equal((await repository.readBack(['again'], step())).ok, true);
      assert.equal(await digestOf(await restore(again.snapshotId, again.path)), await digestOf(tree));
    });

    it('blames a missing pack on the points that need it, and on no other', async () => {
      await repository.ensure(step());
      const healthy = await store('healthy');
      await randomFiles(join(tree, 'new'), 2, 700_000);
      const hurt = await store('hurt');
      const largest = (await packsIn(place))[0];
      assert.ok(largest);
      await rm(largest);

      assert.deepEqual(await repository.readBack(['healthy'], step()), {
        ok: true,
        errors: [],
        damagedSnapshots: [],
        damagedPacks: [],
      });
      const readBack = await repository.readBack(['hurt'], step());
      assert.deepEqual([readBack.ok, readBack.damagedSnapshots], [false, [hurt.snapshotId]]);
      await repository.repair(step());
      const again = await store('again');
      assert.equal((await repository.readBack(['again'], step())).ok, true);
      assert.equal(await digestOf(await restore(again.snapshotId, again.path)), await digestOf(tree));
      assert.equal((await repository.readBack(['healthy'], step())).ok, true);
      assert.ok(healthy.snapshotId);
    });

    it('names every snapshot that shares a broken folder, of other points too', async () => {
      await repository.ensure(step());
      await randomFiles(join(tree, 'shared'), 1, 1_000);
      const first = await store('first');
      const folders = (await packsIn(place)).at(-1);
      assert.ok(folders);
      await writeFile(join(tree, 'later'), 'later');
      const second = await store('second');
      const elsewhere = join(room, 'elsewhere');
      await randomFiles(elsewhere, 1, 1_000);
      await repository.store(folderPart(elsewhere), labels('third'), step());
      await rm(folders);

      const { ok, damagedSnapshots } = await repository.readBack(['second'], step());
      assert.deepEqual([ok, damagedSnapshots.sort()], [false, [first.snapshotId, second.snapshotId].sort()]);
      assert.equal((await repository.readBack(['third'], step())).ok, true);
    });

    it('reads every storage file in one of the groups, and says how many', async () => {
      await repository.ensure(step());
      const empty = await repository.readShare(1, 4, step());
      assert.deepEqual([empty.ok, empty.packs], [true, { read: 0, total: 0 }]);
      for (const point of ['p1', 'p2', 'p3']) {
        await randomFiles(tree, 3, 300_000);
        await store(point);
      }
      const packs = (await packsIn(place)).length;
      const shares = [];
      for (const group of [1, 2, 3, 4]) shares.push(await repository.readShare(group, 4, step()));
      assert.ok(shares.every(({ ok, packs: { total } }) => ok && total === packs));
      const read = shares.reduce((sum, share) => sum + share.packs.read, 0);
      assert.equal(read, packs, 'no pack in two groups, and none in no group');
      assert.deepEqual((await repository.readShare(1, 1, step())).packs, { read: packs, total: packs });
    });

    it('finds a flipped byte in the group it is in, and a missing file in any', async () => {
      await repository.ensure(step());
      const kept = await store('p1');
      await randomFiles(tree, 3, 300_000);
      const before = new Set(await packsIn(place));
      const hurt = await store('p2');
      const own = (await packsIn(place)).filter((path) => !before.has(path));
      await flipByte(own[0]!);
      const shares = [];
      for (const group of [1, 2, 3, 4]) shares.push(await repository.readShare(group, 4, step()));
      const found = shares.filter(({ ok }) => !ok);
      assert.equal(found.length, 1, 'one group has the pack');
      assert.deepEqual(found[0]?.damagedSnapshots, [hurt.snapshotId]);
      assert.deepEqual(found[0]?.damagedPacks, [basename(own[0]!)]);

      await rm(own[0]!);
      for (const group of [1, 2]) {
        const share = await repository.readShare(group, 4, step());
        assert.deepEqual([share.ok, share.damagedSnapshots], [false, [hurt.snapshotId]]);
      }
      await repository.repair(step(), [basename(own[0]!)]);
      const lost = await repository.readShare(1, 4, step());
      assert.deepEqual(
        [lost.ok, lost.damagedPacks, lost.damagedSnapshots],
        [false, [], [hurt.snapshotId]],
        'what was lost before is still missing where it is needed',
      );
      assert.equal((await repository.readBack(['p1'], step())).ok, true, kept.snapshotId);
    });

    it('does not call a point that is not there ok', async () => {
      await repository.ensure(step());
      await store('p1');
      await fails(() => repository.readBack(['p2'], step()), 'point.unknown');
    });

    it('copies, finds what was copied before, and keeps labels and bytes', async () => {
      await repository.ensure(step());
      const one = await store('one');
      const local = { url: join(room, 'copies'), env: {}, folder: join(room, 'copies') };
      const copies = await repositoryAt(local, room, { name: 'copies' });
      await copies.ensure(step(), repository);
      const first = step();
      const map = await copies.copyFrom(repository, [one.snapshotId], first);
      assert.equal(first.processes.length, 1, 'one call of restic');
      const copied = (await copies.snapshots({ point: 'one' }, step()))[0];
      assert.equal(copied?.id, map.get(one.snapshotId));
      assert.equal(copied?.original, one.snapshotId);
      assert.deepEqual(copied?.labels, labels('one'));

      const two = await store('two');
      const before = await bytesIn(local);
      const both = await copies.copyFrom(repository, [one.snapshotId, two.snapshotId], step());
      assert.equal(both.get(one.snapshotId), copied?.id);
      assert.notEqual(both.get(two.snapshotId), copied?.id);
      assert.ok((await bytesIn(local)) - before < 5_000, 'nothing is sent twice');
      assert.equal((await copies.snapshots({}, step())).length, 2);
    });

    it('restores only what is included, literally', async () => {
      await repository.ensure(step());
      const names = [
        'a*b',
        'axb',
        'a[1]',
        'a1',
        '$HOME',
        'line\nbreak',
        ' blanks ',
        '#note',
        'back\\slash',
        '?',
        '-rf',
      ];
      for (const name of names) await writeFile(join(tree, name), name);
      await mkdir(join(tree, 'deep', 'er'), { recursive: true });
      await writeFile(join(tree, 'deep', 'er', 'x'), 'x');
      const { snapshotId, path } = await store('p1');
      const wanted = [
        'a*b',
        'a[1]',
        '$HOME',
        'line\nbreak',
        ' blanks ',
        '#note',
        'back\\slash',
        '?',
        '-rf',
        'deep/er',
      ];
      const target = await restore(snapshotId, path, wanted);
      const expected = [...wanted.filter((name) => name !== 'deep/er'), 'deep'].sort();
      assert.deepEqual((await readdir(target)).sort(), expected);
      assert.deepEqual(await readdir(join(target, 'deep', 'er')), ['x']);
      await fails(() => restore(snapshotId, path, ['not-there']), 'notFound');
      for (const outside of ['../x', '/etc', 'deep/../../x', '']) {
        await fails(() => restore(snapshotId, path, [outside]), 'usage');
      }
    });

    it('lists one level', async () => {
      await repository.ensure(step());
      await mkdir(join(tree, 'deep'));
      await writeFile(join(tree, 'deep', 'x'), 'x');
      await symlink('deep', join(tree, 'link'));
      const { snapshotId, path } = await store('p1');
      const entries = await repository.list(snapshotId, path, step());
      assert.deepEqual(entries.map((entry) => [entry.path.slice(path.length + 1), entry.type]).sort(), [
        ['deep', 'dir'],
        ['file-0', 'file'],
        ['file-1', 'file'],
        ['file-2', 'file'],
        ['link', 'symlink'],
      ]);
      await fails(() => repository.list(snapshotId, `${path}/nowhere`, step()), 'notFound');
    });

    it('forgets what it is told to, also twice, and never everything', async () => {
      await repository.ensure(step());
      const one = await store('one');
      await store('two');
      await repository.forget([], step());
      await repository.forget([one.snapshotId], step());
      await repository.forget([one.snapshotId], step());
      assert.deepEqual(
        (await repository.snapshots({}, step())).map(({ labels: own }) => own?.point),
        ['two'],
      );
      await fails(() => repository.forget(['latest'], step()), 'point.unknown');
    });

    it('is cancelled within 10 s, and leaves no lock, no snapshot and no process', async () => {
      await repository.ensure(step());
      const watched = step();
      const running = repository.store(commandPart(['sleep', '313']), labels('p1'), watched);
      const outcome = running.then(
        () => null,
        (error: unknown) => error,
      );
      await until('the lock', async () => (await locksIn(place)).length > 0);
      const pid = watched.processes[0]?.pid ?? 0;
      const children = await until('the command', async () => {
        const found = await childrenOf(pid);
        return found.length > 0 ? found : null;
      });
      const began = Date.now();
      watched.abort();
      const error = await outcome;
      assert.ok(error instanceof HoldfastError && error.code === 'cancelled');
      assert.ok(Date.now() - began < 10_000);
      assert.deepEqual(await locksIn(place), []);
      assert.deepEqual(await repository.snapshots({}, step()), []);
      for (const child of children) await until('its end', async () => (await commandLineOf(child)) === '');
    });

    it('shows no secret in arguments, environment of the command, or words', async () => {
      await repository.ensure(step());
      const watched = step();
      const running = repository.store(commandPart(['sleep', '313']), labels('p1'), watched);
      const outcome = running.then(
        () => null,
        (error: unknown) => error,
      );
      const pid = await until('restic', () => watched.processes[0]?.pid);
      const children = await until('the command', async () => {
        const found = await childrenOf(pid);
        return found.length > 0 && (await commandLineOf(found[0] ?? 0)).startsWith('sleep') ? found : null;
      });
      const seen = [await commandLineOf(pid), await environmentOf(pid)];
      for (const child of children) {
        const environment = await environmentOf(child);
        seen.push(await commandLineOf(child), environment);
        for (const value of Object.values(place.env)) assert.ok(!environment.includes(value));
        assert.ok(
          !(await openFilesOf(child)).some((path) => path.includes('holdfast-')),
          'nor the password file',
        );
      }
      watched.abort();
      seen.push(JSON.stringify(await outcome), ...watched.said);
      assert.ok(seen.length >= 4);
      for (const text of seen) assert.ok(!text.includes(PASSWORD), text);
      for (const value of Object.values(place.env)) assert.ok(!seen[0]?.includes(value));
    });

    it('clears the lock of a killed restic, and sends little again', async () => {
      await repository.ensure(step());
      const big = join(room, 'big');
      await randomFiles(big, 12, 4_000_000);
      const slow = await repositoryAt(place, room, { uploadLimitBytesPerSecond: 6_000_000 });
      const watched = step();
      const outcome = slow.store(folderPart(big), labels('p1'), watched).then(
        () => null,
        (error: unknown) => error,
      );
      await until('progress', () => watched.bytesSeen.some((bytes) => bytes > 1_000_000));
      await until('half of it', async () => (await bytesIn(place)) > 17_000_000);
      process.kill(watched.processes[0]?.pid ?? 0, 'SIGKILL');
      const error = await outcome;
      assert.ok(error instanceof HoldfastError && error.code === 'tool.failed', 'never a false success');
      assert.equal((await locksIn(place)).length, 1, 'a killed restic leaves its lock');

      const recovery = step();
      await repository.recover(recovery);
      assert.deepEqual(await locksIn(place), []);
      const kept = await bytesIn(place);
      const again = await repository.store(folderPart(big), labels('p1'), step());
      const sent = kept + again.addedBytes;
      const ratio = sent / 48_000_000;
      assert.ok(ratio < 1.05, `sent ${ratio.toFixed(3)} of the minimum`);
      assert.ok(again.addedBytes < 34_000_000, `${again.addedBytes} sent again`);
      assert.equal((await repository.readBack(['p1'], step())).ok, true);
    });

    it('never takes away the lock of a live restic, and says who holds it', async () => {
      await repository.ensure(step());
      const holder = step();
      const running = repository.store(commandPart(['sleep', '313']), labels('live'), holder);
      const outcome = running.catch(() => null);
      const [lock] = await until('the lock', async () => {
        // It is written under another name first.
        const locks = (await locksIn(place)).filter((name) => !name.includes('-tmp-'));
        return locks.length > 0 ? locks : null;
      });
      const recovery = step();
      const quick = await repositoryAt(place, room, { lockWaitSeconds: 1 });
      await quick.recover(recovery);
      assert.match(
        recovery.said.join('\n'),
        new RegExp(`in use \\(held by PID ${holder.processes[0]?.pid} on`),
      );
      const error = await fails(() => quick.repair(step(), []), 'repository.locked');
      assert.match(error.hint, /^held by PID \d+ on .+ since \d{4}-\d\d-\d\d /);
      assert.deepEqual(await locksIn(place), [lock]);
      await store('beside it');
      holder.abort();
      await outcome;
    });

    it('stores and brings back names of every kind', async () => {
      await repository.ensure(step());
      const names = [' blank', 'line\nbreak', `quo"te's`, '-dash', '*', 'é', 'n'.repeat(255), '$(id)', ';'];
      for (const name of names) await writeFile(join(tree, name), name);
      await writeFile(Buffer.concat([Buffer.from(`${tree}/`), Buffer.from([0xff, 0xfe, 0x41])]), 'not UTF-8');
      await mkdir(join(tree, '-folder\n'));
      await symlink('/etc/passwd', join(tree, 'link'));
      await utimes(tree, 1_700_000_000, 1_700_000_000);
      const odd = join(room, '- odd\n"root"');
      await runCommand({ tool: 'mv', file: 'mv', args: ['--', tree, odd] }, step());
      const stored = await repository.store(folderPart(odd), labels('p1'), step());
      assert.equal(await digestOf(await restore(stored.snapshotId, stored.path)), await digestOf(odd));
    });
  });
}

export async function fails(action: () => Promise<unknown>, code: FailureCode): Promise<HoldfastError> {
  const error = await action().then(
    () => new Error(`nothing failed, ${code} was expected`),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof HoldfastError) || error.code !== code) throw error;
  assert.ok(error.hint !== '' && !error.message.includes(PASSWORD) && !error.cause.includes(PASSWORD));
  return error;
}

async function foreignBackup(place: Place, room: string, tree: string): Promise<void> {
  const { path } = await resticTool();
  const env = {
    ...place.env,
    RESTIC_PASSWORD: PASSWORD,
    RESTIC_REPOSITORY: place.url,
    RESTIC_CACHE_DIR: join(room, 'c'),
  };
  const args = ['backup', '--tag', 'by-hand', '--', tree];
  const result = await runCommand({ tool: 'restic', file: path, args, env }, recordedStep());
  assert.equal(result.exitCode, 0, result.stderr);
}
