import assert from 'node:assert/strict';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { fails } from './repository-contract.ts';
import { recordedStep, removeFolder, repositoryAt, temporaryFolder } from './repository-fixtures.ts';

/** Each end is bounded: without our own deadline restic goes on for 15 minutes. */
describe('restic repository that does not answer', function () {
  this.timeout(180_000);
  let room: string;
  let server: Server | null = null;
  const sockets = new Set<Socket>();

  beforeEach(async () => {
    room = await temporaryFolder();
  });
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    server?.close();
    server = null;
    await removeFolder(room);
  });

  const listen = async (made: Server): Promise<number> => {
    server = made;
    made.on('connection', (socket: Socket) => sockets.add(socket));
    await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
    return (made.address() as AddressInfo).port;
  };
  const unreachableAt = async (url: string, env: Record<string, string> = {}) => {
    const repository = await repositoryAt({ url, env, folder: '' }, room, { unreachableSeconds: 2 });
    const began = Date.now();
    const error = await fails(() => repository.snapshots({}, recordedStep()), 'repository.unreachable');
    return { error, seconds: (Date.now() - began) / 1000 };
  };

  it('is given up when nothing listens', async () => {
    const port = await listen(createServer());
    server?.close();
    const { error, seconds } = await unreachableAt(`rest:http://me:canary-in-url@127.0.0.1:${port}/x`);
    assert.match(error.cause, /connection refused/);
    assert.ok(!JSON.stringify(error.toContract()).includes('canary-in-url'));
    assert.ok(error.retryable && seconds < 8, `${seconds} s`);
  });

  it('is given up when it accepts and says nothing', async () => {
    const port = await listen(createServer());
    const { seconds } = await unreachableAt(`rest:http://127.0.0.1:${port}/x`);
    assert.ok(seconds < 12, `${seconds} s`);
  });

  it('is given up when S3 answers 503 for ever', async () => {
    const port = await listen(createHttpServer((_request, response) => response.writeHead(503).end()));
    const env = { AWS_ACCESS_KEY_ID: 'canary-key', AWS_SECRET_ACCESS_KEY: 'canary-secret' };
    const { error, seconds } = await unreachableAt(`s3:http://127.0.0.1:${port}/bucket/x`, env);
    assert.match(error.cause, /503|Service Unavailable/i);
    assert.ok(seconds < 12, `${seconds} s`);
  });

  it('is cancelled at once while it waits', async () => {
    const step = recordedStep();
    const silent = createServer().once('connection', () => step.abort());
    const port = await listen(silent);
    const repository = await repositoryAt(
      { url: `rest:http://127.0.0.1:${port}/x`, env: {}, folder: '' },
      room,
    );
    const began = Date.now();
    await fails(() => repository.snapshots({}, step), 'cancelled');
    assert.ok(Date.now() - began < 10_000);
  });
});
