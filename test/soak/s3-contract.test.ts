import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { resolveTool } from '../../tools/resolve.ts';
import { fails, repositoryContract } from '../activities/repositories/repository-contract.ts';
import {
  recordedStep,
  removeFolder,
  repositoryAt,
  temporaryFolder,
} from '../activities/repositories/repository-fixtures.ts';
import { freePort, startServer, type Server } from '../activities/repositories/target-servers.ts';

const env = { AWS_ACCESS_KEY_ID: 'canary-access-key', AWS_SECRET_ACCESS_KEY: 'canary-secret-key-5b2e' };

describe('restic on S3', () => {
  let gateway: Server;
  let room: string;
  let port: number;
  let buckets = 0;

  before(async function () {
    this.timeout(180_000);
    room = await temporaryFolder();
    port = await freePort();
    await mkdir(join(room, 's3'));
    const { path } = await resolveTool('versitygw');
    const options = ['--port', `127.0.0.1:${port}`, '--quiet', 'posix', join(room, 's3')];
    gateway = await startServer(path, options, port, {
      ROOT_ACCESS_KEY: env.AWS_ACCESS_KEY_ID,
      ROOT_SECRET_KEY: env.AWS_SECRET_ACCESS_KEY,
    });
  });
  after(async () => {
    await gateway.stop();
    await removeFolder(room);
  });

  const place = async () => {
    const bucket = `bucket-${(buckets += 1)}`;
    await mkdir(join(room, 's3', bucket));
    const url = `s3:http://127.0.0.1:${port}/${bucket}/depot`;
    return { url, env, folder: join(room, 's3', bucket, 'depot') };
  };

  repositoryContract('S3', place);

  describe('that refuses', function () {
    this.timeout(180_000);
    let own: string;
    beforeEach(async () => {
      own = await temporaryFolder();
    });
    afterEach(() => removeFolder(own));

    it('says that there is no such bucket', async () => {
      const nowhere = { url: `s3:http://127.0.0.1:${port}/no-such-bucket/x`, env, folder: '' };
      const repository = await repositoryAt(nowhere, own, { unreachableSeconds: 5 });
      const error = await fails(() => repository.snapshots({}, recordedStep()), 'repository.absent');
      assert.match(error.hint, /bucket/);
    });

    it('says that the credentials are refused, and does not show them', async () => {
      const wrong = { ...(await place()), env: { ...env, AWS_SECRET_ACCESS_KEY: 'canary-wrong-key' } };
      const repository = await repositoryAt(wrong, own, { unreachableSeconds: 5 });
      const error = await fails(
        () => repository.snapshots({}, recordedStep()),
        'repository.credentialsRefused',
      );
      assert.ok(!JSON.stringify(error.toContract()).includes('canary'));
      assert.match(error.hint, /credentials/);
    });
  });
});
