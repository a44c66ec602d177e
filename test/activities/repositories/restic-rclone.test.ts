import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../../../activities/run-command.ts';
import { resolveTool } from '../../../tools/resolve.ts';
import { fails } from './repository-contract.ts';
import {
  filesBelow,
  recordedStep,
  removeFolder,
  repositoryAt,
  temporaryFolder,
} from './repository-fixtures.ts';
import { targetContract, type Target } from './target-contract.ts';
import { freePort, startServer, type Server } from './target-servers.ts';

describe('restic through rclone', function () {
  this.timeout(180_000);
  let room: string;
  let rclone: { path: string };
  let places = 0;

  before(async () => {
    room = await temporaryFolder();
    rclone = await resolveTool('rclone');
  });
  after(() => removeFolder(room));

  const place = async (more: readonly string[] = []) => {
    const name = `depot-${(places += 1)}`;
    const folder = join(room, 'disk', name);
    await mkdir(folder, { recursive: true });
    const file = join(room, `${name}.conf`);
    await writeFile(file, await configuration(`disk:${folder}`, more), { mode: 0o600 });
    return { url: 'rclone:hidden:depot', env: { RCLONE_CONFIG: file }, folder, options: { rclone } };
  };

  const configuration = async (
    remote: string,
    more: readonly string[],
    disk: readonly string[] = ['[disk]', 'type = local'],
  ) => {
    const args = ['obscure', 'canary-crypt-password'];
    const { stdout } = await runCommand({ tool: 'rclone', file: rclone.path, args }, recordedStep());
    return [
      ...disk,
      ...['[hidden]', 'type = crypt', `remote = ${remote}`, `password = ${stdout.trim()}`, ...more, ''],
    ].join('\n');
  };

  targetContract('rclone crypt over a folder', () => place(), { isHalf });

  describe('over S3', () => {
    let gateway: Server;
    let port: number;

    before(async () => {
      port = await freePort();
      await mkdir(join(room, 's3'));
      const { path } = await resolveTool('versitygw');
      const options = ['--port', `127.0.0.1:${port}`, '--quiet', 'posix', join(room, 's3')];
      gateway = await startServer(path, options, port, {
        ROOT_ACCESS_KEY: 'canary-access-key',
        ROOT_SECRET_KEY: 'canary-secret-key-5b2e',
      });
    });
    after(() => gateway.stop());

    const bucket = async (): Promise<Target> => {
      const name = `bucket-${(places += 1)}`;
      const folder = join(room, 's3', name);
      await mkdir(folder);
      const file = join(room, `${name}.conf`);
      const s3 = [
        ...['[disk]', 'type = s3', 'provider = Other', 'region = us-east-1'],
        `endpoint = http://127.0.0.1:${port}`,
        'access_key_id = canary-access-key',
        'secret_access_key = canary-secret-key-5b2e',
        // Else rclone makes the bucket before each upload, and goes on trying where it may not.
        'no_check_bucket = true',
      ];
      await writeFile(file, await configuration(`disk:${name}/below`, [], s3), { mode: 0o600 });
      return { url: 'rclone:hidden:depot', env: { RCLONE_CONFIG: file }, folder, options: { rclone } };
    };

    targetContract('rclone crypt over S3', bucket, { isHalf });
  });

  describe('with crypt', () => {
    let own: string;
    beforeEach(async () => {
      own = await temporaryFolder();
    });
    afterEach(() => removeFolder(own));

    it('is shown to encrypt before the repository is made, and leaves no test object', async () => {
      const target = await place();
      const step = recordedStep();
      const repository = await repositoryAt(target, own, target.options);
      assert.equal(await repository.ensure(step), 'created');
      assert.match(step.said.join('\n'), /depot: rclone crypt is on/);
      const names = await filesBelow(target.folder);
      assert.ok(names.length > 0 && !names.some((name) => /config$|keys|holdfast-probe/.test(name)));
      assert.equal(await repository.ensure(recordedStep()), 'existing');
    });

    for (const [setting, why] of [
      ['filename_encryption = off', /names can be read/],
      ['directory_name_encryption = false', /names can be read/],
      ['no_data_encryption = true', /what was written can be read/],
    ] as const) {
      it(`is refused with ${setting}, and nothing is made`, async () => {
        const target = await place([setting]);
        const repository = await repositoryAt(target, own, target.options);
        const error = await fails(() => repository.ensure(recordedStep()), 'repository.untrusted');
        assert.match(error.cause, why);
        assert.ok(!JSON.stringify(error.toContract()).includes('canary'));
        assert.deepEqual(await filesBelow(target.folder), []);
      });
    }
  });
});

/**
 * rclone 1.60 stores what it had of a pack when restic was killed, in whole blocks of crypt: a head of 32 bytes, then
 * blocks of 64 KiB with 16 bytes each. A whole pack ends within one.
 */
function isHalf(size: number): boolean {
  return size > 100_000 && (size - 32) % (65_536 + 16) === 0;
}
