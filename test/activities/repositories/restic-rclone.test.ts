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
import { targetContract } from './target-contract.ts';
import { freePort, startServer, type Server } from './target-servers.ts';

const s3 = { ROOT_ACCESS_KEY: 'canary-access-key', ROOT_SECRET_KEY: 'canary-secret-key-5b2e' };

describe('restic through rclone', function () {
  this.timeout(180_000);
  let gateway: Server;
  let room: string;
  let port: number;
  let rclone: { path: string };
  let places = 0;

  before(async () => {
    room = await temporaryFolder();
    port = await freePort();
    rclone = await resolveTool('rclone');
    await mkdir(join(room, 's3'));
    const { path } = await resolveTool('versitygw');
    gateway = await startServer(
      path,
      ['--port', `127.0.0.1:${port}`, '--quiet', 'posix', join(room, 's3')],
      port,
      s3,
    );
  });
  after(async () => {
    await gateway.stop();
    await removeFolder(room);
  });

  const place = async (behind: 'disk' | 'bucket', more: readonly string[] = []) => {
    const name = `depot-${(places += 1)}`;
    const folder = join(room, behind === 'disk' ? 'disk' : 's3', name);
    await mkdir(folder, { recursive: true });
    const remote = behind === 'disk' ? `disk:${folder}` : `bucket:${name}`;
    const file = join(room, `${name}.conf`);
    await writeFile(file, await configuration(remote, more), { mode: 0o600 });
    return { url: 'rclone:hidden:depot', env: { RCLONE_CONFIG: file }, folder, options: { rclone } };
  };

  const configuration = async (remote: string, more: readonly string[]) => {
    const args = ['obscure', 'canary-crypt-password'];
    const { stdout } = await runCommand({ tool: 'rclone', file: rclone.path, args }, recordedStep());
    return [
      ...['[disk]', 'type = local'],
      ...[
        '[bucket]',
        'type = s3',
        'provider = Other',
        `endpoint = http://127.0.0.1:${port}`,
        'region = us-east-1',
      ],
      ...[`access_key_id = ${s3.ROOT_ACCESS_KEY}`, `secret_access_key = ${s3.ROOT_SECRET_KEY}`],
      ...['[hidden]', 'type = crypt', `remote = ${remote}`, `password = ${stdout.trim()}`, ...more, ''],
    ].join('\n');
  };

  targetContract('rclone crypt over a folder', () => place('disk'), { keepsHalves: true });
  targetContract('rclone crypt over S3', () => place('bucket'), { keepsHalves: true });

  describe('with crypt', () => {
    let own: string;
    beforeEach(async () => {
      own = await temporaryFolder();
    });
    afterEach(() => removeFolder(own));

    it('is shown to encrypt before the repository is made, and leaves no test object', async () => {
      const target = await place('disk');
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
        const target = await place('disk', [setting]);
        const repository = await repositoryAt(target, own, target.options);
        const error = await fails(() => repository.ensure(recordedStep()), 'repository.untrusted');
        assert.match(error.cause, why);
        assert.ok(!JSON.stringify(error.toContract()).includes('canary'));
        assert.deepEqual(await filesBelow(target.folder), []);
      });
    }
  });
});
