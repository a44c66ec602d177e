import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import type { HoldfastError } from '../../../domain/errors.ts';
import { postgresServerBinaries } from '../../../activities/hosts/postgres-binaries.ts';
import {
  catalogOwner,
  initialiseCluster,
  majorOf,
  sandboxOwner,
  startCluster,
} from '../../../activities/hosts/postgres-cluster.ts';

const PASSWORD = 'canary-77 /@:%';

describe('private PostgreSQL', function () {
  this.timeout(180_000);
  let parent: string;
  let folder: string;
  let binaries: string;

  before(async () => {
    parent = await mkdtemp(join(tmpdir(), 'holdfast-cluster-'));
    // Closed to every other account, as a data directory is.
    await chmod(parent, 0o700);
    folder = join(parent, 'cluster');
    binaries = (await postgresServerBinaries()).folder;
    await initialiseCluster({
      folder,
      binaries,
      owner: await catalogOwner(),
      password: PASSWORD,
      durable: false,
    });
  });
  after(async () => rm(parent, { recursive: true, force: true }));

  const start = (port: number | null = null, durable = false) =>
    startCluster({ folder, binaries, port, durable, password: PASSWORD });
  const ask = async (url: string, sql: string) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows[0];
    } finally {
      await client.end();
    }
  };

  it('is initialised once, and a half-made folder of a dead predecessor is replaced', async () => {
    assert.equal(
      await initialiseCluster({ folder, binaries, owner: await catalogOwner(), password: 'other' }),
      'existing',
    );
    const other = join(parent, 'other');
    await mkdir(`${other}.initialising/base`, { recursive: true });
    assert.equal(
      await initialiseCluster({
        folder: other,
        binaries,
        owner: await sandboxOwner(),
        password: 'x',
        durable: false,
      }),
      'created',
    );
    assert.equal(await majorOf(other), (await postgresServerBinaries()).major);
    assert.deepEqual(
      (await readdir(parent)).filter((name) => name.startsWith('other')),
      ['other'],
    );
  });

  it('runs as another account than root, on loopback, and demands the password', async () => {
    const server = await start();
    try {
      const row = await ask(
        server.url,
        `select current_setting('listen_addresses') as listen, current_setting('unix_socket_directories') as sockets`,
      );
      assert.deepEqual(row, { listen: '127.0.0.1', sockets: '' });
      const { uid } = await stat(`/proc/${server.pid}`);
      assert.notEqual(uid, 0);
      assert.ok(!(await readFile(`/proc/${server.pid}/cmdline`, 'utf8')).includes('canary'));
      await assert.rejects(ask(`postgresql://postgres:wrong@127.0.0.1:${server.port}/postgres`, 'select 1'), {
        code: '28P01',
      });
    } finally {
      await server.stop();
      await server.stop();
    }
    assert.equal((await server.exited).exitCode, 0);
  });

  it('comes up with everything committed after kill -9', async () => {
    const first = await start(null, true);
    await ask(first.url, 'create table kept as select 1 as n');
    process.kill(first.pid, 'SIGKILL');
    assert.equal((await first.exited).signal, 'SIGKILL');
    const second = await start(null, true);
    assert.deepEqual(await ask(second.url, 'select n from kept'), { n: 1 });
    await second.stop();
  });

  it('starts although the lock file of a dead server names a living process of its account', async () => {
    // `sleep` as the cluster's account stands for whoever got the number.
    const { uid, gid } = await stat(folder);
    const stranger = spawn('sleep', ['60'], process.getuid?.() === 0 ? { uid, gid } : {});
    try {
      await writeFile(
        join(folder, 'postmaster.pid'),
        `${stranger.pid}\n/nowhere\n1\n5432\n\n127.0.0.1\n\nready   \n`,
      );
      const server = await start();
      await server.stop();
    } finally {
      stranger.kill('SIGKILL');
    }
  });

  it('says which port is taken', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const address = other.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    await assert.rejects(start(port), (error: HoldfastError) => {
      assert.equal(error.code, 'service.failed');
      assert.match(error.message, new RegExp(`could not listen on port ${port}`));
      assert.match(error.cause, /Address already in use/);
      return true;
    });
    await new Promise((resolve) => other.close(resolve));
  });

  it('ends with the process that started it, even when that is killed', async () => {
    const script = `
      import { startCluster } from ${JSON.stringify(new URL('../../../activities/hosts/postgres-cluster.ts', import.meta.url).href)};
      const { pid } = await startCluster(${JSON.stringify({ folder, binaries, port: null, durable: true })});
      console.log(pid);`;
    const file = join(parent, 'parent.mts');
    await writeFile(file, script);
    const loader = import.meta.resolve('tsx');
    const child = spawn(process.execPath, ['--import', loader, file], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const pid = await new Promise<number>((resolve, reject) => {
      child.stdout.once('data', (data: Buffer) => resolve(Number(data.toString())));
      child.once('exit', () => reject(new Error('it ended by itself')));
    });
    child.kill('SIGKILL');
    // A second start waits for the first server to be gone, then takes over its folder.
    const server = await start(null, true);
    // Gone, or waiting for init to notice that it is.
    await assert.rejects(stat(`/proc/${pid}/cwd`), { code: 'ENOENT' });
    await server.stop();
  });

  it('runs from a copy of its files', async () => {
    const copy = join(parent, 'copy');
    await promisify(execFile)('cp', ['-a', '--', folder, copy]);
    const server = await startCluster({
      folder: copy,
      binaries,
      port: null,
      durable: false,
      password: PASSWORD,
    });
    assert.deepEqual(await ask(server.url, 'select 1 as n'), { n: 1 });
    await server.stop();
  });
});
