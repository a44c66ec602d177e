import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keepWatch } from '../../../activities/drills/watch.ts';
import type { Watch } from '../../../domain/configuration/drill-types.ts';
import { makeStep } from '../sources/source-fixture.ts';

describe('the watch of a game day', function () {
  this.timeout(60_000);
  let folder: string;
  let server: Server;
  let status = 200;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-watch-'));
    server = createServer((_, answer) => answer.writeHead(status).end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  after(async () => {
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true });
  });

  const keep = (watch: Watch, well: boolean, seconds: number) => {
    const clock = () => new Date();
    const until = new Date(Date.now() + seconds * 1000);
    return keepWatch(watch, { well, until, folder, clock }, makeStep());
  };
  const page = (): Watch => ({
    kind: 'http',
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
  });
  const script = (text: string): Watch => ({ kind: 'command', command: ['sh', '-c', text] });

  it('sees a page that fails, and one that is well again', async () => {
    status = 200;
    assert.deepEqual(await keep(page(), false, 0), { seen: false, words: 'it is well' });
    status = 503;
    assert.deepEqual(await keep(page(), false, 0), {
      seen: true,
      words: 'it answered 503 Service Unavailable',
    });
    const back = keep(page(), true, 30);
    status = 200;
    assert.deepEqual(await back, { seen: true, words: 'it is well' });
  });

  it('asks a command again until it ends as wanted, and gives up in time', async () => {
    const flips = script('if test -e tried; then echo gone; exit 1; else touch tried; fi');
    assert.deepEqual(await keep(flips, false, 30), { seen: true, words: 'gone' });
    assert.deepEqual(await keep(script('exit 1'), true, 0), { seen: false, words: 'it printed nothing' });
  });
});
