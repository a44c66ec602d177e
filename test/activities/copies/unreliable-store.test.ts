import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { resolveTool } from '../../../tools/resolve.ts';
import { withCatalog } from '../../catalog/fixture.ts';
import { removeFolder, temporaryFolder } from '../repositories/repository-fixtures.ts';
import { freePort, startServer, type Server } from '../repositories/target-servers.ts';
import { travellingAsset, type TravellingAsset } from './travelling-asset.ts';
import { unreliableProxy, type Answer, type Asked, type UnreliableProxy } from './unreliable-proxy.ts';

const KEYS = { AWS_ACCESS_KEY_ID: 'canary-access-key', AWS_SECRET_ACCESS_KEY: 'canary-secret-key-5b2e' };
const isPack = ({ method, path }: Asked) => method === 'PUT' && path.includes('/data/');

describe('a copy in a store that is not to be relied on', function () {
  this.timeout(120_000);
  const fixture = withCatalog();
  let room: string;
  let port: number;
  let gateway: Server;
  let proxy: UnreliableProxy;
  let asset: TravellingAsset;
  let first: string;

  const serve = async (keys: typeof KEYS) => {
    const { path } = await resolveTool('versitygw');
    const options = ['--port', `127.0.0.1:${port}`, '--quiet', 'posix', join(room, 's3')];
    const [access, secret] = [keys.AWS_ACCESS_KEY_ID, keys.AWS_SECRET_ACCESS_KEY];
    gateway = await startServer(path, options, port, { ROOT_ACCESS_KEY: access, ROOT_SECRET_KEY: secret });
  };

  before(async () => {
    room = await temporaryFolder();
    await mkdir(join(room, 's3'));
    port = await freePort();
    await serve(KEYS);
    proxy = await unreliableProxy(port);
    await mkdir(join(room, 's3', 'bucket'));
    asset = await travellingAsset(fixture, {
      url: `s3:http://127.0.0.1:${proxy.port}/bucket/depot`,
      env: KEYS,
    });
    first = await asset.backUp();
    assert.equal(await asset.sync(), null);
  });
  after(async () => {
    await asset.close();
    await proxy.close();
    await gateway.stop();
    await removeFolder(room);
  });
  afterEach(() => proxy.answer(() => 'pass'));

  /** Answers so from the n-th storage file on. */
  const afterPacks = (packs: number, answer: Answer) => {
    let seen = 0;
    proxy.answer((asked) => {
      if (isPack(asked)) seen += 1;
      return seen > packs ? answer : 'pass';
    });
  };
  /** Only the first that fits. */
  const once = (fits: (asked: Asked) => boolean, answer: Answer) => {
    let done = false;
    proxy.answer((asked) => {
      if (done || !fits(asked)) return 'pass';
      done = true;
      return answer;
    });
  };
  const whole = async (point: string) => {
    assert.deepEqual(await asset.copies(point), ['local stored', 'offsite stored']);
    assert.ok(await asset.restores(point));
  };

  for (const [fault, answer, code, from] of [
    ['is full', { status: 507, code: 'QuotaExceeded' }, 'repository.full', 0],
    ['answers 503 for ever', { status: 503, code: 'SlowDown' }, 'repository.unreachable', 0],
    ['falls silent in the middle', 'silence', 'repository.unreachable', 1],
  ] as const) {
    it(`that ${fault} fails within a bound and says so; what arrived before stays, the next sync finishes`, async () => {
      const second = await asset.backUp();
      afterPacks(from, answer);
      const failure = await asset.sync();
      assert.equal(failure?.code, code, JSON.stringify(failure));
      assert.deepEqual(await asset.copies(second), ['local stored']);
      const { lastStatus, lagPoints, error } = await asset.state();
      assert.deepEqual([lastStatus, lagPoints, error?.code], ['failed', 1, code]);
      proxy.answer(() => 'pass');
      await whole(first);
      assert.equal(await asset.sync(2), null);
      await whole(second);
    });
  }

  it('that is overloaded for a while is waited for', async () => {
    const point = await asset.backUp();
    const busy = [
      { status: 503, code: 'SlowDown' },
      { status: 429, code: 'TooManyRequests' },
    ];
    let refused = 0;
    proxy.answer((asked) => (isPack(asked) && (refused += 1) <= 2 ? busy[refused - 1]! : 'pass'));
    assert.equal(await asset.sync(), null);
    assert.ok(refused > 2);
    await whole(point);
  });

  for (const [what, fits] of [
    ['a storage file', isPack],
    ['the index', ({ method, path }: Asked) => method === 'PUT' && path.includes('/index/')],
    ['the snapshot', ({ method, path }: Asked) => method === 'PUT' && path.includes('/snapshots/')],
  ] as const) {
    it(`that keeps nothing of ${what} and says 200 is found out before the point is listed there`, async () => {
      const second = await asset.backUp();
      once(fits, 'swallow');
      const failure = await asset.sync();
      assert.equal(failure?.code, 'repository.damaged', JSON.stringify(failure));
      assert.deepEqual(await asset.copies(second), ['local stored']);
      assert.deepEqual(await asset.snapshots(second), [], 'nothing is left there to be taken for the copy');
      assert.equal(await asset.sync(), null);
      assert.equal(await asset.readBack(second), null);
      assert.ok(await asset.restores(second));
    });
  }

  it('whose credentials end in the middle says so; with the new ones it goes on, and sends nothing again', async () => {
    const [older, newer] = [await asset.backUp(), await asset.backUp()];
    proxy.sent = 0;
    const renewed = { ...KEYS, AWS_SECRET_ACCESS_KEY: 'canary-renewed-key-77aa' };
    const record = asset.deployment.catalog.points.recordCopy;
    // After the first of them has arrived.
    asset.deployment.catalog.points.recordCopy = async (...copy) => {
      const recorded = await record(...copy);
      asset.deployment.catalog.points.recordCopy = record;
      await gateway.stop();
      await serve(renewed);
      return recorded;
    };
    const failure = await asset.sync();
    assert.equal(failure?.code, 'repository.credentialsRefused', JSON.stringify(failure));
    assert.ok(!JSON.stringify(failure).includes('canary'));
    assert.match(failure?.hint ?? '', /renew the credentials of offsite/);
    assert.deepEqual(await asset.copies(newer), ['local stored', 'offsite stored']);
    assert.deepEqual(await asset.copies(older), ['local stored']);
    assert.equal((await asset.state()).error?.code, 'repository.credentialsRefused');

    await writeFile(asset.at('AWS_SECRET_ACCESS_KEY'), renewed.AWS_SECRET_ACCESS_KEY);
    assert.equal(await asset.sync(2), null);
    await whole(newer);
    await whole(older);
    assert.ok(proxy.sent < 1_250_000, `${proxy.sent} bytes were sent for two points of 600,000`);
  });
});
