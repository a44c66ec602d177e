import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { migrateCatalog, openCatalog } from '../../catalog/index.ts';
import { catalogBefore, migrationNames } from './earlier-catalog.ts';
import { newDatabase, runSql } from './fixture.ts';

const applicationPassword = 'p@ss/word:with#signs';

describe('migrating the catalogue', function () {
  this.timeout(180_000);

  it('makes an empty database current, once, and lets the application in', async () => {
    const owner = await newDatabase();
    const first = await migrateCatalog(owner, { applicationPassword });
    assert.deepEqual(first.applied, await migrationNames());
    const again = await migrateCatalog(owner, { applicationPassword });
    assert.deepEqual(again.applied, []);
    const catalog = await openCatalog({ url: again.url });
    assert.deepEqual((await catalog.jobs.list()).items, []);
    await catalog.close();
    const [who] = await runSql<{ me: string }>(again.url, 'select current_user as me');
    assert.equal(who?.me, first.applicationRole);
  });

  it('lets nobody but the application take away by its functions, also where a dump lost their rights', async () => {
    const owner = await newDatabase();
    const { applicationRole } = await migrateCatalog(owner, { applicationPassword });
    await runSql(owner, 'grant execute on all functions in schema holdfast to public');
    await migrateCatalog(owner, { applicationPassword });
    const may = (role: string) =>
      runSql<{ name: string }>(
        owner,
        `select proname as name from pg_proc where pronamespace = 'holdfast'::regnamespace and prosecdef
            and prorettype <> 'trigger'::regtype and has_function_privilege($1, oid, 'execute') order by 1`,
        [role],
      );
    assert.deepEqual(await may('public'), []);
    assert.deepEqual(
      (await may(applicationRole ?? '')).map(({ name }) => name),
      ['forget_old_records', 'withdraw_copy'],
    );
  });

  it('migrates once when two machines start together', async () => {
    const names = await migrationNames();
    const owner = await newDatabase();
    const results = await Promise.all([
      migrateCatalog(owner, { applicationPassword }),
      migrateCatalog(owner, { applicationPassword }),
    ]);
    assert.equal(results.flatMap((result) => result.applied).length, names.length);
    const [rows] = await runSql<{ count: string }>(owner, 'select count(*) from migrations');
    assert.equal(rows?.count, String(names.length));
  });

  it('refuses a catalogue that a newer program made', async () => {
    const owner = await newDatabase();
    const { url } = await migrateCatalog(owner, { applicationPassword });
    await runSql(owner, `insert into migrations (name, run_on) values ('0999_future', now())`);
    await assert.rejects(migrateCatalog(owner), { code: 'catalog.newer', cause: /0999_future/ });
    await assert.rejects(openCatalog({ url }), { code: 'catalog.newer' });
  });

  it('refuses to open a catalogue that was not migrated', async () => {
    await assert.rejects(openCatalog({ url: await newDatabase() }), {
      code: 'service.failed',
      cause: /0001_catalogue/,
    });
  });

  it('serves as the owner where that one may make no roles, and the chain is still append-only', async () => {
    const admin = await newDatabase();
    const database = new URL(admin).pathname.slice(1);
    await runSql(
      admin,
      `create role plain_${database} login password 'x'; alter database ${database} owner to plain_${database}`,
    );
    const owner = new URL(admin);
    owner.username = `plain_${database}`;
    owner.password = 'x';
    const result = await migrateCatalog(owner.href, { applicationPassword });
    assert.equal(result.applicationRole, null);
    assert.equal(result.url, owner.href);
    const catalog = await openCatalog({ url: result.url });
    await catalog.audit.append({ action: 'test', subject: 'x', details: {} });
    assert.equal((await catalog.audit.verify()).events, 1);
    await catalog.close();
    await assert.rejects(runSql(owner.href, 'delete from audit_events'), /only ever added to/);
    await assert.rejects(runSql(owner.href, 'update audit_head set sequence = 7'), /only ever added to/);
  });

  it('lowers the partial points of before to stored, also where they were read back', async () => {
    const owner = await catalogBefore('0003_partial_points');
    const [job, partial, whole] = [randomUUID(), randomUUID(), randomUUID()];
    await runSql(owner, `insert into assets (name, type, orphaned_at) values ('orders', 'directory', now())`);
    await runSql(
      owner,
      `insert into jobs (id, workflow_id, type, trigger, status, started_at, ended_at)
       values ($1, 'backup/x', 'backup', 'manual', 'failed', now(), now())`,
      [job],
    );
    await runSql(
      owner,
      `insert into job_assets (job_id, asset, position, job_type, job_started_at, recovery_point_id, error)
       values ($1, 'orders', 0, 'backup', now(), $2, $3)`,
      [job, partial, { code: 'source.partial', message: 'backup of orders is partial: 2 of its files …' }],
    );
    for (const [point, of] of [
      [partial, job],
      [whole, null],
    ]) {
      await runSql(
        owner,
        `insert into recovery_points
           (id, asset, asset_type, job_id, kind, taken_at, method, proof, bytes, added_bytes)
         values ($1, 'orders', 'directory', $2, 'regular', now(), 'files', 'verified', 1, 1)`,
        [point, of],
      );
      await runSql(
        owner,
        `insert into point_copies
           (point_id, repository, artifact_id, parts, snapshot_ids, stored_at, verified_at, proof)
         values ($1, 'local', 'a', '[]', '{}', now(), now(), 'verified')`,
        [point],
      );
    }
    assert.equal((await migrateCatalog(owner)).applied[0], '0003_partial_points');
    const catalog = await openCatalog({ url: owner });
    const proofs = await Promise.all([partial, whole].map((id) => catalog.points.find(id)));
    const [event] = (await catalog.audit.list({ action: 'proof.lowered' })).items;
    assert.deepEqual(event?.details, { count: 1, points: [partial], because: 'partial' });
    await migrateCatalog(owner);
    assert.equal((await catalog.audit.list({ action: 'proof.lowered' })).items.length, 1);
    await catalog.close();
    assert.deepEqual(
      proofs.map((point) => [point.partial, point.proof]),
      [
        ['2 of its files …', 'stored'],
        [null, 'verified'],
      ],
    );
  });

  it('knows from the chain who was alone last, and what was being removed', async () => {
    const owner = await catalogBefore('0014_fences_and_removals');
    const point = randomUUID();
    await runSql(owner, `insert into assets (name, type, orphaned_at) values ('orders', 'directory', now())`);
    await runSql(
      owner,
      `insert into recovery_points
         (id, asset, asset_type, kind, taken_at, method, proof, bytes, added_bytes, removing_since)
       values ($1, 'orders', 'directory', 'regular', now(), 'files', 'verified', 1, 1, now())`,
      [point],
    );
    await runSql(
      owner,
      `insert into repository_leases (repository, fence, key, holder, mode, granted_at)
       values ('local', 9, 'k', 'backup/x', 'shared', now())`,
    );
    const removing = { repositories: ['local', 'offsite'], reason: 'mistaken' };
    for (const [sequence, action, subject, details] of [
      [1, 'lease.granted', 'repository/local', { fence: 4 }],
      [2, 'lease.granted', 'repository/local', { fence: 7 }],
      [3, 'point.removing', `point/${point}`, removing],
    ] as const) {
      await runSql(
        owner,
        `insert into audit_events (sequence, at, actor, action, subject, details, previous, digest)
         select $1, now(), 'anna', $2, $3, $4, digest, $5 from audit_head`,
        [sequence, action, subject, details, `digest ${sequence}`],
      );
    }
    await migrateCatalog(owner);
    const catalog = await openCatalog({ url: owner });
    const [removal] = await catalog.removals.unfinished();
    const asserted = await Promise.allSettled(
      [6, 8].map((fence) => catalog.leases.assertFence({ repository: 'local', fence })),
    );
    await catalog.close();
    assert.deepEqual(
      asserted.map(({ status }) => status),
      ['rejected', 'fulfilled'],
    );
    assert.deepEqual({ ...removal, begunAt: '' }, { point, ...removing, actor: 'anna', begunAt: '' });
  });

  it('counts the runs of before for the objectives', async () => {
    const owner = await catalogBefore('0008_objectives');
    const jobs = { good: randomUUID(), bad: randomUUID(), cancelled: randomUUID() };
    await runSql(owner, `insert into assets (name, type, orphaned_at) values ('orders', 'directory', now())`);
    for (const [id, status, code] of [
      [jobs.good, 'success', null],
      [jobs.bad, 'failed', 'proof.failed'],
      [jobs.cancelled, 'failed', 'cancelled'],
    ]) {
      await runSql(
        owner,
        `insert into jobs (id, workflow_id, type, policy, trigger, status, started_at, ended_at)
         values ($1, 'backup/x', 'backup', 'critical', 'manual', 'failed', now(), now())`,
        [id],
      );
      await runSql(
        owner,
        `insert into job_assets (job_id, asset, position, job_type, job_started_at, status, error)
         values ($1, 'orders', 0, 'backup', now(), $2, jsonb_build_object('code', $3::text))`,
        [id, status, code],
      );
    }
    await runSql(
      owner,
      `insert into recovery_points
         (id, asset, asset_type, policy, job_id, kind, taken_at, method, proof, bytes, added_bytes)
       values ($1, 'orders', 'directory', 'critical', $2, 'regular', now(), 'files', 'proven', 1, 70)`,
      [randomUUID(), jobs.good],
    );
    await runSql(
      owner,
      `insert into measured_durations (run, asset, step, seconds, bytes, ended_at)
       values ($1, 'orders', 'rehearse', 4, 1, now())`,
      [jobs.good],
    );
    await migrateCatalog(owner);
    const catalog = await openCatalog({ url: owner });
    const [figures, ...others] = await catalog.objectives.assetFigures(new Date());
    await catalog.close();
    assert.deepEqual(others, []);
    assert.deepEqual(figures?.backups.days7, { succeeded: 1, failed: 1, missed: 0 });
    assert.deepEqual(figures?.validations.days7, { succeeded: 1, failed: 1, missed: 0 });
    assert.equal(figures?.addedBytes.days7, 70);
    assert.deepEqual(figures?.rehearsing, [{ daysAgo: 0, seconds: 4 }]);
  });

  it('keeps the last measurement of each repository, whichever of the two tables had it', async () => {
    const owner = await catalogBefore('0013_bounded_records');
    const size = (repository: string, time: string, bytes: number) =>
      runSql(
        owner,
        `insert into repository_sizes values ($1, '2026-11-20', ('2026-11-20T' || $2 || 'Z')::timestamptz, $3, 900)`,
        [repository, time, bytes],
      );
    const guard = (repository: string, time: string, bytes: number) =>
      runSql(
        owner,
        `insert into repository_measured values ($1, $3, ('2026-11-20T' || $2 || 'Z')::timestamptz)`,
        [repository, time, bytes],
      );
    await size('older', '02:00:00', 10);
    await guard('older', '01:00:00', 11);
    await size('newer', '02:00:00', 20);
    await guard('newer', '03:00:00', 21);
    await guard('only', '03:00:00', 30);
    const { url } = await migrateCatalog(owner, { applicationPassword });
    const catalog = await openCatalog({ url });
    const last = await Promise.all(['older', 'newer', 'only'].map((one) => catalog.objectives.lastSize(one)));
    const { bytes } = await catalog.rooms.size('only', '2026-11-20T04:00:00Z');
    await catalog.close();
    assert.deepEqual(
      last.map((one) => [one?.at.slice(11, 13), one?.storedBytes, one?.freeBytes]),
      [
        ['02', 10, 900],
        ['03', 21, 900],
        ['03', 30, null],
      ],
    );
    assert.equal(bytes, 30, 'guards go by it');
  });

  it('says that nobody answers, without the password', async () => {
    const dead = 'postgresql://anna:hunter2@127.0.0.1:1/holdfast';
    await assert.rejects(
      openCatalog({ url: dead, waitSeconds: 0 }),
      (error: Error & { code: string; cause: string }) => {
        assert.equal(error.code, 'catalog.unreachable');
        assert.match(error.message, /127\.0\.0\.1:1\/holdfast/);
        assert.match(error.cause, /ECONNREFUSED/);
        assert.doesNotMatch(
          JSON.stringify({ ...error, message: error.message, stack: error.stack }),
          /hunter2/,
        );
        return true;
      },
    );
  });

  it('does not try a wrong password again', async () => {
    const wrong = new URL(await newDatabase());
    wrong.password = 'wrong';
    const startedAt = performance.now();
    await assert.rejects(openCatalog({ url: wrong.href, waitSeconds: 30 }), {
      code: 'catalog.unreachable',
      retryable: false,
      cause: /password authentication failed/,
    });
    assert.ok(performance.now() - startedAt < 5_000);
  });
});
