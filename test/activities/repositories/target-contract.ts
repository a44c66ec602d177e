import assert from 'node:assert/strict';
import { lstat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Repository } from '../../../activities/repositories/repository.ts';
import type { ResticOptions } from '../../../activities/repositories/restic-connection.ts';
import { HoldfastError } from '../../../domain/errors.ts';
import { fails } from './repository-contract.ts';
import {
  digestOf,
  filesBelow,
  folderPart,
  labels,
  randomFiles,
  recordedStep,
  removeFolder,
  repositoryAt,
  temporaryFolder,
  until,
  type Place,
} from './repository-fixtures.ts';

export interface Target extends Place {
  options?: Partial<ResticOptions>;
}

/**
 * What an off-site target must do beyond being written to: the parts of the repository contract that depend on how
 * it is reached. Its files may have other names there. `isHalf` tells by its size what a killed writer was sending, where
 * that is stored under its own name as if it had arrived.
 */
export function targetContract(
  where: string,
  placeFor: () => Promise<Target>,
  { isHalf = () => false }: { isHalf?: (size: number) => boolean } = {},
): void {
  describe(`copies in ${where}`, function () {
    this.timeout(180_000);
    let room: string;
    let tree: string;
    let target: Target;
    let near: Repository;
    let far: Repository;
    const step = () => recordedStep();

    beforeEach(async () => {
      room = await temporaryFolder();
      tree = join(room, 'tree');
      await randomFiles(tree, 2, 200_000);
      target = await placeFor();
      const folder = join(room, 'near');
      near = await repositoryAt({ url: folder, env: {}, folder }, room, { name: 'near' });
      far = await repositoryAt(target, room, { name: 'far', ...target.options });
      await near.ensure(step());
    });
    afterEach(() => removeFolder(room));

    const back = async (snapshotId: string, path: string) => {
      const folder = join(room, `restored-${Math.random()}`);
      await far.restore({ snapshotId, path, target: folder, include: [], expectedBytes: null }, step());
      return digestOf(folder);
    };

    it('are made, deduplicated, listed, read back and restored', async () => {
      await fails(() => far.snapshots({}, step()), 'repository.absent');
      assert.equal(await far.ensure(step(), near), 'created');
      const one = await near.store(folderPart(tree), labels('one'), step());
      const copied = (await far.copyFrom(near, [one.snapshotId], step())).get(one.snapshotId);
      assert.ok(copied);
      const own = await far.store(folderPart(tree), labels('own'), step());
      assert.ok(own.addedBytes < 5_000, `${own.addedBytes} were sent again: it cuts in other places`);
      assert.equal((await far.readBack(['one'], step())).ok, true);
      assert.deepEqual((await far.snapshots({ point: 'one' }, step()))[0]?.labels, labels('one'));
      assert.equal(await back(copied, one.path), await digestOf(tree));
      await far.check(step());

      const other = join(room, 'other');
      await writeFile(other, 'not-the-password', { mode: 0o600 });
      const wrong = { name: 'far', ...target.options, password: `file:${other}` };
      const locked = await repositoryAt(target, room, wrong);
      await fails(() => locked.snapshots({}, step()), 'repository.wrongPassword');
    });

    it('go on after restic was killed, without sending again what arrived', async () => {
      await far.ensure(step(), near);
      const big = join(room, 'big');
      await randomFiles(big, 12, 4_000_000);
      const { snapshotId } = await near.store(folderPart(big), labels('big'), step());
      const slow = { name: 'far', ...target.options, uploadLimitBytesPerSecond: 8_000_000 };
      // Small packs: of the usual size all would be under way at once, and none would have arrived.
      const small = { ...target, env: { ...target.env, RESTIC_PACK_SIZE: '4' } };
      const limited = await repositoryAt(small, room, slow);
      const watched = step();
      const outcome = limited.copyFrom(near, [snapshotId], watched).catch((error: unknown) => error);
      const whole = async () => (await sizes(target)).filter((size) => size >= SMALLEST && !isHalf(size));
      await until('packs', async () => (await whole()).length > 2, 60);
      process.kill(watched.processes[0]?.pid ?? 0, 'SIGKILL');
      const error = await outcome;
      assert.ok(error instanceof HoldfastError && error.code === 'tool.failed', String(error));

      assert.equal((await far.snapshots({}, step())).length, 0, 'half a point is none');
      await near.recover(step());
      const found = await far.recover(step());
      assert.ok(found.packs > 0, 'what arrived is known');
      const [before, arrived] = [sum(await sizes(target)), sum(await whole())];
      await far.copyFrom(near, [snapshotId], step());
      const sent = (arrived + sum(await sizes(target)) - before) / 48_000_000;
      assert.ok(sent < 1.05, `sent ${sent.toFixed(3)} of the minimum`);
      await far.prune(step());
      const left = sum(await sizes(target)) / 48_000_000;
      assert.ok(left < 1.05, `${left.toFixed(3)} of what is needed lies there`);
      const { ok, errors } = await far.readBack(['big'], step());
      assert.ok(ok, errors.join('\n'));
    });
  });
}

/** Of the packs that restic makes here. */
const SMALLEST = 4 * 1024 * 1024;

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

async function sizes({ folder }: Target): Promise<number[]> {
  const files = (await filesBelow(folder)).filter((path) => !/-restic-temp-|rest-server-temp/.test(path));
  return Promise.all(
    files.map((path) =>
      lstat(path).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
}
