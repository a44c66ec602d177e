import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

const program = fileURLToPath(new URL('../../deploy/health.mjs', import.meta.url));

describe('deploy/health.mjs', function () {
  this.timeout(180_000);
  let server: Server;
  let port: string;
  let answer: { status: number; body: string };

  before(async () => {
    server = createServer((_request, response) => {
      response.writeHead(answer.status).end(answer.body);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = String((server.address() as AddressInfo).port);
  });

  after(() => server.close());

  const check = (...words: string[]) => execa(process.execPath, [program, ...words], { reject: false });

  it('finds the API well when its page says so', async () => {
    answer = { status: 200, body: '{"status":"ok"}' };
    assert.equal((await check('api', port)).exitCode, 0);
  });

  it('finds the API ill when a part of it fails, and shows which', async () => {
    answer = { status: 503, body: '{"status":"failing","parts":[{"name":"catalogue","ok":false}]}' };
    const { exitCode, stderr } = await check('api', port);
    assert.equal(exitCode, 1);
    assert.match(stderr, /503.*catalogue/);
  });

  it('finds a worker well that polls, and ill when it does not', async () => {
    answer = {
      status: 200,
      body: '# TYPE temporal_num_pollers gauge\ntemporal_num_pollers{poller_type="x"} 2\n',
    };
    assert.equal((await check('worker', port)).exitCode, 0);
    answer = { status: 200, body: 'temporal_num_pollers{poller_type="x"} 0\n' };
    assert.match((await check('worker', port)).stderr, /nothing polls/);
  });

  it('finds ill what does not answer, and refuses a part it does not know', async () => {
    assert.equal((await check('api', '1')).exitCode, 1);
    assert.match((await check('other')).stderr, /api or worker/);
  });
});
