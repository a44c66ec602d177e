import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { resolveTool } from '../../tools/resolve.ts';
import { fails, repositoryContract } from '../activities/repositories/repository-contract.ts';
import {
  recordedStep,
  removeFolder,
  repositoryAt,
  temporaryFolder,
  until,
} from '../activities/repositories/repository-fixtures.ts';

const env = { AWS_ACCESS_KEY_ID: 'canary-access-key', AWS_SECRET_ACCESS_KEY: 'canary-secret-key-5b2e' };

describe('restic on S3', () => {
  let gateway: ChildProcess;
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
    gateway = spawn(path, options, {
      env: {
        ...process.env,
        ROOT_ACCESS_KEY: env.AWS_ACCESS_KEY_ID,
        ROOT_SECRET_KEY: env.AWS_SECRET_ACCESS_KEY,
      },
      stdio: 'ignore',
    });
    await until('the gateway', () => answers(port));
  });
  after(async () => {
    gateway.kill('SIGKILL');
    await until('its end', () => gateway.exitCode !== null || gateway.signalCode !== null);
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

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => (socket.destroy(), resolve(true)));
    socket.once('error', () => resolve(false));
  });
}
