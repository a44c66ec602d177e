import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { migrateCatalog, openCatalog, type Catalog } from '../../catalog/index.ts';
import type { HoldfastError } from '../../domain/errors.ts';
import { connect } from '../../catalog/connection.ts';
import { aJob, endCluster, newCluster, runSql, type TestCluster } from './fixture.ts';

describe('a catalogue whose PostgreSQL is killed and started again', function () {
  this.timeout(180_000);
  let cluster: TestCluster;
  before(async () => {
    cluster = await newCluster(true);
  });
  after(() => endCluster(cluster));

  it('goes on by itself, and what was being written is written once', async () => {
    const { url } = await migrateCatalog(cluster.url);
    const catalog = await openCatalog({ url, patienceSeconds: 30 });
    try {
      // Idle connections that the server takes down with it.
      await Promise.all(Array.from({ length: 5 }, () => catalog.ping()));
      const jobs = Array.from({ length: 20 }, () => aJob());
      process.kill(cluster.pid, 'SIGKILL');
      await cluster.exited;
      await untilUnreachable(catalog);
      const written = Promise.all(jobs.map((job) => catalog.jobs.begin(job)));
      cluster = await newCluster(true, cluster.port, cluster.folder);
      await written;
      assert.equal((await catalog.jobs.list({ limit: 100 })).items.length, 20);
      const report = await catalog.audit.verify();
      assert.deepEqual([report.ok, report.events], [true, 20]);
    } finally {
      await catalog.close();
    }
  });

  it('does a transaction again whose connection ended between two statements', async () => {
    const connection = await connect(cluster.url, { waitSeconds: 5, patienceSeconds: 30 });
    let attempts = 0;
    const answer = await connection.transaction('a test', async (query) => {
      attempts += 1;
      const [backend] = await query<{ pid: number }>('select pg_backend_pid() as pid');
      if (attempts === 1) await endBackend(cluster, backend?.pid ?? 0);
      const [row] = await query<{ two: number }>('select 1 + 1 as two');
      return row?.two;
    });
    assert.deepEqual([answer, attempts], [2, 2]);
    await connection.close();
  });

  it('gives up with an error that can be retried when it stays away', async () => {
    const { url } = await migrateCatalog(cluster.url);
    const catalog = await openCatalog({ url, patienceSeconds: 1 });
    await cluster.stop();
    await assert.rejects(catalog.jobs.list(), { code: 'catalog.unreachable', retryable: true });
    await catalog.close();
  });

  it('is waited for at the start', async () => {
    const opening = migrateCatalog(cluster.url, { waitSeconds: 30 }).then(({ url }) => openCatalog({ url }));
    await pause(200);
    cluster = await newCluster(true, cluster.port, cluster.folder);
    await (await opening).close();
  });
});

/** The postmaster's children notice its death a moment later. */
async function untilUnreachable(catalog: Catalog): Promise<void> {
  for (;;) {
    const failure = await catalog.ping().then(
      () => null,
      (error: unknown) => error as HoldfastError,
    );
    if (failure) {
      assert.deepEqual([failure.code, failure.retryable], ['catalog.unreachable', true]);
      return;
    }
    await pause(20);
  }
}

/** Returns when this process has heard of it, while it asks nothing. */
async function endBackend(cluster: TestCluster, pid: number): Promise<void> {
  await runSql(cluster.url, 'select pg_terminate_backend($1, 10000)', [pid]);
  await pause(50);
}
