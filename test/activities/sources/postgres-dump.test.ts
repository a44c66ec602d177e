import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { restoreArguments } from '../../../activities/sources/postgres-archive.ts';
import { HoldfastError } from '../../../domain/errors.ts';
import { skipBecause } from '../../skip.ts';
import {
  dumpOf,
  openClient,
  quietStep,
  startTestServer,
  storeAll,
  CANARY,
  type TestServer,
} from './postgres-server.ts';

describe('postgres source: dump and rehearsal', function () {
  this.timeout(180_000);
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
  });
  const run = async (tool: string, args: string[]) =>
    promisify(execFile)(join(server.binaries.folder, tool), args, {
      env: {
        PGHOST: '127.0.0.1',
        PGPORT: String(server.cluster.port),
        PGUSER: 'postgres',
        PGPASSWORD: CANARY,
      },
    });
  after(async () => server.stop());

  it('dumps odd names, sequences, views, large objects, roles and grants, and proves them', async () => {
    await server.sql(
      'postgres',
      `create role "Odd ""role" login password 'x'`,
      'create role readers',
      'grant readers to "Odd ""role"',
      `create database shop encoding 'LATIN1' locale 'C' template template0 owner "Odd ""role"`,
      `alter database shop set default_transaction_read_only = on`,
      'grant connect on database shop to readers',
    );
    await server.sql(
      'shop',
      'set default_transaction_read_only = off',
      'create schema "s p"',
      'create table orders (id int generated always as identity primary key, what text)',
      `insert into orders (what) select repeat('x', n) from generate_series(1, 50) n`,
      'create table "s p"."-dash"";drop table x" (id serial, order_id int references orders)',
      'insert into "s p"."-dash"";drop table x" (order_id) select 1 from generate_series(1, 7)',
      'create table "s p"."a.b" (n int)',
      'create table parted (n int) partition by range (n)',
      'create table parted_1 partition of parted for values from (0) to (10)',
      'insert into parted values (1), (2)',
      'create view seen as select count(*) from orders',
      'create materialized view held as select * from orders',
      `select lo_from_bytea(0, 'large')`,
      'grant select on orders to readers',
      'create extension pgcrypto',
    );
    const asset = server.asset('shop', {
      checks: [
        { sql: 'select count(*) = 50 from orders' },
        {
          sql: `select pg_encoding_to_char(encoding) = 'LATIN1' from pg_database where datname = current_database()`,
        },
        { sql: `select has_table_privilege('Odd "role', 'orders', 'SELECT')` },
        { sql: `select convert_from(lo_get(oid), 'UTF8') = 'large' from pg_largeobject_metadata` },
        { sql: `select current_setting('default_transaction_read_only') = 'on'` },
        { sql: `select has_database_privilege('readers', current_database(), 'CONNECT')` },
      ],
    });
    await server.source().preflight(asset, quietStep());
    const stored = await dumpOf(server, asset);
    assert.ok(stored.manifest?.kind === 'postgres');
    assert.deepEqual(stored.manifest.tables, {
      'public.orders': 50,
      '"s p"."-dash"";drop table x"': 7,
      '"s p"."a.b"': 0,
      'public.parted_1': 2,
    });
    assert.deepEqual(stored.notes, []);
    const workspace = await server.workspace();
    const report = await server
      .source()
      .rehearse(asset, stored.restored, stored.manifest, workspace, quietStep());
    assert.deepEqual(
      report.checks.filter(({ ok }) => !ok),
      [],
    );
    assert.equal(report.checks.length, 8);
    assert.deepEqual(await readdir(workspace.scratch), []);
  });

  it('reports rows that differ from the manifest, and checks that do not answer true', async () => {
    await server.sql('postgres', 'create database counted');
    await server.sql('counted', 'create table t as select generate_series(1, 5) n');
    const checks = [
      'select false',
      'select 1',
      'select true where false',
      'select nonsense',
      'drop table t',
    ].map((sql) => ({ sql }));
    const asset = server.asset('counted', { checks });
    const stored = await dumpOf(server, asset);
    const manifest = { ...stored.manifest, tables: { 'public.t': 6, 'public.gone': 1 } };
    const report = await server
      .source()
      .rehearse(
        asset,
        stored.restored,
        manifest as typeof stored.manifest,
        await server.workspace(),
        quietStep(),
      );
    assert.equal(report.ok, false);
    assert.deepEqual(
      report.checks.map(({ ok }) => ok),
      [true, false, false, false, false, false, false],
    );
    assert.match(
      report.checks[1]?.detail ?? '',
      /public\.gone is missing \(1 rows\); public\.t has 5 rows instead of 6/,
    );
  });

  it('counts in the snapshot of the dump, whatever is written meanwhile', async () => {
    await server.sql('postgres', 'create database busy');
    await server.sql('busy', 'create table t as select generate_series(1, 5) n');
    const asset = server.asset('busy');
    const workspace = await server.workspace();
    // The writer's lock keeps the table from being counted until what it wrote is there.
    const writer = await openClient(server.cluster.port, 'busy');
    await writer.query('begin');
    await writer.query('lock table t in access exclusive mode');
    await writer.query('insert into t select generate_series(1, 100)');
    const capture = await server.source().capture(asset, workspace, quietStep(), { manifest: true });
    await writer.query('commit');
    await writer.query('create table later (n int)');
    await writer.end();
    const stored = await storeAll(capture, join(workspace.staging, 'stored'));
    assert.deepEqual(stored.manifest?.kind === 'postgres' && stored.manifest.tables, { 'public.t': 5 });
    const report = await server
      .source()
      .rehearse(asset, stored.restored, stored.manifest, await server.workspace(), quietStep());
    assert.equal(report.ok, true);
  });

  it('counts thousands of tables in batches', async () => {
    await server.sql('postgres', 'create database many');
    await server.sql(
      'many',
      `do $$ begin for i in 1..520 loop execute format('create table t%s (n int)', i); end loop; end $$`,
      'insert into t300 values (1)',
    );
    const capture = await server
      .source()
      .capture(server.asset('many'), await server.workspace(), quietStep(), { manifest: true });
    const settled = await capture.settle([], {} as never);
    await capture.close();
    const tables = settled.manifest?.kind === 'postgres' ? settled.manifest.tables : {};
    assert.equal(Object.keys(tables).length, 520);
    assert.equal(tables['public.t300'], 1);
  });

  for (const name of [
    '--file=x',
    'a b',
    'quote"s',
    "apo'strophe\\",
    'host=evil dbname=x',
    'postgresql://evil/x',
    'größe',
  ]) {
    it(`dumps and proves a database called ${name}`, async () => {
      const quoted = `"${name.replaceAll('"', '""')}"`;
      await server.sql('postgres', `create database ${quoted}`);
      await server.sql(name, 'create table here as select 1 as n');
      const stored = await dumpOf(server, server.asset(name));
      assert.deepEqual(stored.manifest?.kind === 'postgres' && stored.manifest.tables, { 'public.here': 1 });
      assert.deepEqual(await readdir(process.cwd()).then((names) => names.includes('x')), false);
      await server.sql('postgres', `drop database ${quoted}`);
    });
  }

  it('runs what a dump contains only as the scratch account', async () => {
    await server.sql('postgres', 'create database evil');
    await server.sql(
      'evil',
      'create table said (line text)',
      `create function payload() returns int language plpgsql as $$
       begin
         copy public.said from program 'id -u; cat /etc/shadow 2>&1 | head -1; readlink /proc/self/fd/* || true';
         raise exception 'payload ran: %', (select string_agg(line, ' / ') from public.said);
       end $$`,
      // Filled anew by a restore, and never evaluated on the original server.
      'create materialized view trap as select public.payload() as ran with no data',
      `update pg_class set relispopulated = true where relname = 'trap'`,
    );
    const stored = await dumpOf(server, server.asset('evil'));
    const report = await server
      .source()
      .rehearse(
        server.asset('evil'),
        stored.restored,
        stored.manifest,
        await server.workspace(),
        quietStep(),
      );
    const detail = report.checks[0]?.detail ?? '';
    assert.equal(report.ok, false);
    assert.match(detail, /payload ran: \d+ \//);
    const uid = /payload ran: (\d+)/.exec(detail)?.[1];
    if (process.getuid?.() === 0) {
      assert.equal(uid, '65534');
      assert.match(detail, /Permission denied/);
    }
  });

  it('proves a database that pgbench made', async () => {
    await server.sql('postgres', 'create database bench');
    await run('pgbench', ['--initialize', '--scale=1', '--quiet', '--foreign-keys', 'bench']);
    const asset = server.asset('bench', {
      checks: [{ sql: 'select sum(abalance) = 0 from pgbench_accounts' }],
    });
    const stored = await dumpOf(server, asset);
    assert.equal(
      stored.manifest?.kind === 'postgres' && stored.manifest.tables['public.pgbench_accounts'],
      100_000,
    );
    const report = await server
      .source()
      .rehearse(asset, stored.restored, stored.manifest, await server.workspace(), quietStep());
    assert.deepEqual(
      report.checks.filter(({ ok }) => !ok),
      [],
    );
  });

  it('proves the Chinook sample', async function () {
    const script = join(process.cwd(), '..', 'shared', 'data', 'chinook-postgres.sql');
    if (!existsSync(script)) skipBecause(this, 'the sample is not on this machine');
    await run('psql', ['--no-psqlrc', '--quiet', '--file', script, 'postgres']);

    const asset = server.asset('chinook');
    const stored = await dumpOf(server, asset);
    const tables = stored.manifest?.kind === 'postgres' ? stored.manifest.tables : {};
    assert.ok(Object.values(tables).reduce((sum, rows) => sum + rows, 0) > 10_000);
    const report = await server
      .source()
      .rehearse(asset, stored.restored, stored.manifest, await server.workspace(), quietStep());
    assert.equal(report.ok, true);
  });

  it('shows the password in no argument of any process and in no error', async () => {
    await server.sql('postgres', 'create database watched');
    await server.sql('watched', 'create table t as select 1 as n');
    const holder = await openClient(server.cluster.port, 'watched');
    const workspace = await server.workspace();
    const asset = server.asset('watched');
    const capture = await server.source().capture(asset, workspace, quietStep(), { manifest: false });
    // pg_dump waits for this lock, so it can be looked at.
    await holder.query('begin');
    await holder.query('lock table t in access exclusive mode');
    const storing = storeAll(capture, join(workspace.staging, 'stored'));
    const dump = async () =>
      (await commandLines()).filter((line) => line.includes('pg_dump\0') && line.includes('watched'));
    while ((await dump()).length === 0) await new Promise(setImmediate);
    const lines = await commandLines();
    await holder.end();
    await storing;
    const commands = capture.parts.flatMap((part) => (part.kind === 'command' ? part.command : []));
    for (const words of [...lines, ...commands, ...restoreArguments('file', 'watched')]) {
      assert.ok(
        !words.includes(CANARY) && !words.includes(encodeURIComponent(CANARY)),
        words.replaceAll('\0', ' '),
      );
    }
  });

  it('says what is wrong with a server that cannot be dumped', async () => {
    await server.sql('postgres', `create role weak login password 'pw'`, 'create database guarded');
    await server.sql(
      'guarded',
      'create table hidden (n int)',
      'create table open (n int)',
      'grant select on open to weak',
      'create table rls (n int)',
      'alter table rls enable row level security',
      'grant select on rls to weak',
    );
    const failure = async (url: string) => {
      const asset = server.asset('x', { url: { kind: 'literal', value: url } });
      const error = await server
        .source()
        .preflight(asset, quietStep())
        .then(
          () => assert.fail('preflight passed'),
          (thrown: unknown) => thrown,
        );
      assert.ok(error instanceof HoldfastError);
      assert.ok(!JSON.stringify(error.toContract()).includes(CANARY));
      return error;
    };
    assert.equal(
      (await failure(server.url('postgres', 'postgres', `wrong-${CANARY}`))).code,
      'source.wrongPassword',
    );
    assert.equal((await failure(server.url('nowhere'))).code, 'source.missing');
    assert.equal((await failure(server.url('x', 'nobody-here'))).code, 'source.wrongPassword');
    assert.equal(
      (await failure(`postgresql://u:${encodeURIComponent(CANARY)}@127.0.0.1:1/x`)).code,
      'source.unreachable',
    );
    assert.equal((await failure(`postgresql://u:${CANARY}@[bad/x`)).code, 'configuration.invalid');
    const forbidden = await failure(server.url('guarded', 'weak', 'pw'));
    assert.equal(forbidden.code, 'source.forbidden');
    assert.equal(forbidden.cause, 'not readable: public.hidden, public.rls (row security)');
  });

  it('refuses a server newer than every pg_dump here', async () => {
    const old = { major: 9, version: 90_600, folder: '/nonexistent' };
    const source = server.source({ findBinaries: async () => [old] });
    await assert.rejects(source.preflight(server.asset('postgres'), quietStep()), (error: HoldfastError) => {
      assert.equal(error.code, 'source.versionTooNew');
      assert.match(
        error.message,
        new RegExp(`PostgreSQL ${server.binaries.major}, the newest pg_dump here is 9`),
      );
      assert.match(error.hint, new RegExp(`postgresql-client-${server.binaries.major}`));
      return true;
    });
  });

  it('says when the passwords of roles cannot be had', async () => {
    await server.sql('postgres', `create role plain login password 'pw'`, 'create database lent owner plain');
    const asset = server.asset('lent', {
      url: { kind: 'literal', value: server.url('lent', 'plain', 'pw') },
    });
    const stored = await dumpOf(server, asset);
    assert.match(stored.notes.join(), /passwords of roles are not in this recovery point/);
    const report = await server
      .source()
      .rehearse(asset, stored.restored, stored.manifest, await server.workspace(), quietStep());
    assert.equal(report.ok, true);
  });

  it('fails when the connection that holds the snapshot is lost', async () => {
    const capture = await server
      .source()
      .capture(server.asset('counted'), await server.workspace(), quietStep(), { manifest: true });
    const client = await openClient(server.cluster.port, 'postgres');
    await client.query(`select pg_terminate_backend(pid) from pg_stat_activity where datname = 'counted'`);
    await client.end();
    await assert.rejects(capture.settle([], {} as never), (error: HoldfastError) => {
      assert.equal(error.code, 'source.unreachable');
      assert.equal(error.retryable, true);
      return true;
    });
    await capture.close();
  });
});

async function commandLines(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  return Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
}
