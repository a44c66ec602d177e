import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTo } from '../../../activities/sources/postgres-connection.ts';
import { withSandbox } from '../../../activities/sources/postgres-sandbox.ts';
import { postgresServerBinaries } from '../../../activities/hosts/postgres-binaries.ts';
import type { HoldfastError } from '../../../domain/errors.ts';
import { quietStep } from './postgres-server.ts';

// Row 29 of the fault matrix: what a dump sets must not reach production's archive, nor anybody on the network.

describe('the scratch server of a rehearsal', function () {
  this.timeout(120_000);
  let folder: string;
  let archive: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-sandbox-'));
    archive = join(folder, 'archive');
    // Whoever the server runs as could write there.
    await mkdir(archive);
    for (const open of [folder, archive]) await chmod(open, 0o777);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('archives nothing and listens on the loopback address, whatever its own settings say', async () => {
    const { major } = await postgresServerBinaries();
    const request = { major, scratch: join(folder, 'scratch'), cache: null };
    await mkdir(request.scratch);
    await withSandbox(request, quietStep(), async ({ address, cluster }) => {
      const server = await connectTo(address, quietStep());
      try {
        const settings = {
          archive_mode: 'on',
          archive_command: `cp %p ${archive}/%f`,
          listen_addresses: '*',
          wal_level: 'replica',
        };
        for (const [name, value] of Object.entries(settings))
          await server.query(`alter system set ${name} = '${value}'`);
        await assert.rejects(
          server.query(`alter database postgres set archive_command = 'cp %p ${archive}/%f'`),
        );
        await server.query('select pg_reload_conf()');
        await server.query('create table rows as select generate_series(1, 1000) as n');
        await server.query('select pg_switch_wal()');
        await server.query('checkpoint');
        const shown = await server.query<{ setting: string; source: string }>(
          `select setting, source from pg_settings where name in ('archive_mode', 'listen_addresses') order by name`,
        );
        assert.deepEqual(shown, [
          // Also a restart would change nothing: what the server was started with comes first.
          { setting: 'off', source: 'command line' },
          { setting: '127.0.0.1', source: 'command line' },
        ]);
      } finally {
        await server.close();
      }
      const elsewhere = Object.values(networkInterfaces())
        .flat()
        .find((one) => one && !one.internal && one.family === 'IPv4');
      if (elsewhere) await assert.rejects(reached(elsewhere.address, cluster.port), /ECONNREFUSED/);
    });
    assert.deepEqual(await readdir(archive), []);
  });

  it('has a password that opens no other, though all are copied from one', async () => {
    const { major } = await postgresServerBinaries();
    const cache = join(folder, 'cache');
    const request = (name: string) => ({ major, scratch: join(folder, name), cache });
    for (const { scratch } of [request('one'), request('two')]) await mkdir(scratch);
    await withSandbox(request('one'), quietStep(), async (one) => {
      await withSandbox(request('two'), quietStep(), async (two) => {
        const [template] = await readdir(cache);
        const cached = await readFile(join(cache, template!, 'password'), 'utf8');
        for (const password of [one.address.password, cached])
          await assert.rejects(
            connectTo({ ...two.address, password }, quietStep()),
            (error: HoldfastError) => error.code === 'source.wrongPassword',
          );
      });
      await (await connectTo(one.address, quietStep())).close();
    });
  });
});

function reached(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host, () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
  });
}
