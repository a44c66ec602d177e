import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import {
  commandPart,
  digestOf,
  folderPart,
  labels,
  randomFiles,
  recordedStep,
  removeFolder,
  repositoryAt,
  resticTool,
  temporaryFolder,
} from '../../activities/repositories/repository-fixtures.ts';

const holdfast = join(import.meta.dirname, '..', '..', '..', 'cli', 'holdfast.mjs');

describe('recover, where nothing of a control plane is left', function () {
  this.timeout(180_000);
  let room: string;
  before(async () => (room = await temporaryFolder()));
  after(() => removeFolder(room));

  it('lists what is there, with commands of restic alone that bring it back', async () => {
    const url = join(room, 'a depot');
    const repository = await repositoryAt({ url, env: {}, folder: url }, room);
    await repository.ensure(recordedStep());
    const tree = join(room, 'tree');
    const stored = async (asset: string, part: string, takenAt: string, point: string = randomUUID()) => {
      const which = labels(point, { asset, part, takenAt });
      const source = part === 'files' ? folderPart(tree) : commandPart(['printf', `a ${part}`], 'shop');
      await repository.store({ ...source, name: part }, which, recordedStep());
    };
    await randomFiles(tree, 1, 10);
    await stored('uploads', 'files', '2026-03-04T05:06:07.000Z');
    await randomFiles(tree, 3, 1000);
    await stored('uploads', 'files', '2026-03-05T05:06:07.000Z');
    const orders = randomUUID();
    await stored('orders', 'dump', '2026-03-05T05:06:08.000Z', orders);
    await stored('orders', 'globals', '2026-03-05T05:06:08.000Z', orders);
    await stored('broken-off', 'unread', '2026-03-05T05:06:08.000Z');

    const words = ['--config', join(room, 'none.yaml'), '--json', 'recover', '--repository', url];
    const password = `file:${join(room, 'password')}`;
    const { exitCode, stdout } = await execa(process.execPath, [holdfast, ...words, '--password', password], {
      reject: false,
    });
    assert.equal(exitCode, 1, stdout);
    const { environment, assets, error } = JSON.parse(stdout) as {
      environment: string[];
      assets: { asset: string; points: number; commands: string[] }[];
      error: { code: string; cause: string };
    };
    assert.equal(error.code, 'point.unknown');
    assert.match(error.cause, /recovery points of orders, uploads/);
    assert.deepEqual(
      assets.map(({ asset, points }) => [asset, points]),
      [
        ['orders', 1],
        ['uploads', 2],
      ],
    );

    assert.deepEqual(
      assets[0]?.commands.map((line) => line.replace(/^restic dump \w+ \S+/, 'restic dump')),
      [
        'restic dump > orders.globals',
        'psql -X --quiet --dbname=postgres --file=orders.globals',
        'restic dump > orders.dump',
        'pg_restore --exit-on-error --create --dbname=postgres orders.dump',
      ],
    );

    const by = join(room, 'by-hand');
    await mkdir(by);
    const commands = assets.flatMap(({ commands }) => commands).filter((line) => line.startsWith('restic'));
    const script = ['set -e', ...environment, ...commands].join('\n');
    const PATH = `${dirname((await resticTool()).path)}:${process.env['PATH']}`;
    await execa('sh', ['-c', script], { cwd: by, env: { PATH } });
    assert.equal(await digestOf(join(by, 'uploads')), await digestOf(tree));
    assert.equal(await readFile(join(by, 'orders.dump'), 'utf8'), 'a dump');
  });

  it('says of an empty repository that it is none of ours', async () => {
    const url = join(room, 'empty');
    const repository = await repositoryAt({ url, env: {}, folder: url }, room);
    await repository.ensure(recordedStep());
    const words = ['recover', '--repository', url, '--password', `file:${join(room, 'password')}`];
    const { exitCode, stderr } = await execa(process.execPath, [holdfast, ...words], { reject: false });
    assert.equal(exitCode, 1);
    assert.match(stderr, /there is no recovery point of Holdfast's in it/);
  });
});
