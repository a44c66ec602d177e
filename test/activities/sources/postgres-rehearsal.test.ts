import assert from 'node:assert/strict';
import type { Step } from '../../../activities/step.ts';
import type { HoldfastError } from '../../../domain/errors.ts';
import { dumpOf, quietStep, startTestServer, type TestServer } from './postgres-server.ts';

describe('a rehearsal that this host cannot carry out', function () {
  this.timeout(180_000);
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
  });
  after(() => server.stop());

  it('names an extension that is not installed here, and its package', async () => {
    await server.sql('postgres', 'create database extended');
    // A dump that needs an extension this machine lacks: the extension is renamed behind the server's back.
    await server.sql(
      'extended',
      'create extension pgcrypto',
      `update pg_extension set extname = 'postgis_topology' where extname = 'pgcrypto'`,
    );
    const asset = server.asset('extended');
    const stored = await dumpOf(server, asset);
    const rehearsing = server
      .source()
      .rehearse(asset, stored.restored, stored.manifest, await server.workspace(), quietStep());
    await assert.rejects(rehearsing, (error: HoldfastError) => {
      assert.equal(error.code, 'tool.missing', 'nothing is said of the data');
      assert.match(error.cause, /the extension postgis_topology$/);
      assert.match(error.hint, /apt-get install postgresql-\d+-postgis-3/);
      return true;
    });
  });

  for (const [whom, code, words] of [
    ['pg_restore', 'tool.failed', /was killed \(SIGKILL\)/],
    ['postgres', 'source.unreachable', /cannot be reached/],
  ] as const) {
    it(`says nothing of the data when ${whom} is killed under the rehearsal`, async () => {
      await server.sql('postgres', 'drop database if exists held', 'create database held');
      await server.sql('held', 'create table t as select 1 as n');
      const asset = server.asset('held');
      const stored = await dumpOf(server, asset);
      const pids: Record<string, number> = {};
      const started: Step['started'] = ({ pid, tool }) => {
        pids[tool] = pid;
        // The first two only read the archive.
        if (tool === 'pg_restore' && pids.postgres !== undefined) process.kill(pids[whom] ?? 0, 'SIGKILL');
      };
      const workspace = await server.workspace();
      await assert.rejects(
        server.source().rehearse(asset, stored.restored, stored.manifest, workspace, quietStep({ started })),
        { code, message: words },
      );
    });
  }
});
