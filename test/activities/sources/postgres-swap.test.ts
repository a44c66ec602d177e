import assert from 'node:assert/strict';
import type { HoldfastError } from '../../../domain/errors.ts';
import type { PostgresAsset } from '../../../domain/configuration/types.ts';
import type { SwapStage } from '../../../activities/sources/postgres-swap.ts';
import type { RestoreOrder } from '../../../activities/sources/source.ts';
import {
  dumpOf,
  openClient,
  orderFor,
  quietStep,
  startTestServer,
  type Stored,
  type TestServer,
} from './postgres-server.ts';

const STAGES: SwapStage[] = [
  'journaled',
  'rolesCreated',
  'created',
  'restored',
  'checked',
  'connectionsEnded',
  'swapped',
];

describe('postgres source: restore', function () {
  this.timeout(180_000);
  let server: TestServer;
  let asset: PostgresAsset;
  let stored: Stored;
  let number = 0;

  before(async () => {
    server = await startTestServer();
    await server.sql(
      'postgres',
      'create role owner_of_shop login',
      'create role app login',
      'create database shop owner owner_of_shop',
      'create role ghost',
      'create role unrelated',
    );
    await server.sql(
      'shop',
      `create table orders (id int generated always as identity primary key, what text)`,
      `insert into orders (what) select 'then' from generate_series(1, 20)`,
      'create table gone (n int)',
      'grant select on orders to ghost',
      'alter table gone owner to owner_of_shop',
    );
    asset = server.asset('shop');
    stored = await dumpOf(server, asset);
    // What the restore meets: other rows, other settings, a role that is no more.
    await server.sql(
      'shop',
      'drop table gone',
      `update orders set what = 'now'`,
      `insert into orders (what) values ('newer')`,
      'revoke all on orders from ghost',
      `alter database shop set search_path = "$user", public, 'a b'`,
      `alter database shop set application_name = 'it''s = here'`,
      `alter role app in database shop set work_mem = '7MB'`,
      'alter database shop connection limit 33',
      'revoke connect on database shop from public',
      'grant connect, temporary on database shop to app with grant option',
      `comment on database shop is 'the shop''s'`,
    );
    await server.sql('postgres', 'drop role ghost', 'drop role unrelated');
  });
  after(async () => server.stop());

  const order = async (to: string | null = null): Promise<RestoreOrder> => {
    number += 1;
    return orderFor(server, stored, await server.source().resolveTarget(asset, to), `r-${number}`);
  };
  const rows = (database = 'shop') => server.sql(database, 'select * from orders order by id');
  const databases = async () =>
    (await server.sql('postgres', 'select datname from pg_database order by 1')).map(
      ({ datname }) => datname,
    );
  const properties = async () =>
    server.sql(
      'postgres',
      `select pg_get_userbyid(datdba) as owner, datallowconn, datconnlimit, (select array_agg(a::text order by a::text) from unnest(datacl) a) as datacl,
              shobj_description(oid, 'pg_database') as comment,
              (select array_agg(setrole::regrole::text || ' ' || setconfig::text order by 1) from pg_db_role_setting s where setdatabase = d.oid) as settings
         from pg_database d where datname = 'shop'`,
    );
  const roles = async () =>
    (await server.sql('postgres', `select rolname from pg_roles where rolname !~ '^pg_' order by 1`)).map(
      ({ rolname }) => rolname,
    );

  it('tells what a commit would change, and changes nothing', async () => {
    const before = { databases: await databases(), rows: await rows(), roles: await roles() };
    const client = await openClient(server.cluster.port, 'shop');
    const source = server.source();
    const ordered = await order();
    await source.checkTarget(asset, ordered.target, 1000, quietStep());
    const impact = await source.impact(asset, ordered, await server.workspace(), quietStep());
    await client.end();
    assert.deepEqual(impact.tables, [
      { table: 'public.gone', before: null, after: 0 },
      { table: 'public.orders', before: 21, after: 20 },
    ]);
    assert.deepEqual(impact.warnings, [
      '1 connection to shop would be ended at the moment of the swap',
      '1 role would be created: ghost',
      "1 role of the backup's server would not be created, as the database does not mention them: unrelated",
    ]);
    assert.deepEqual({ databases: await databases(), rows: await rows(), roles: await roles() }, before);
  });

  it('restores in place, keeps what belongs to the database itself, and settles', async () => {
    const before = {
      databases: await databases(),
      rows: await rows(),
      properties: await properties(),
      roles: await roles(),
    };
    const ended: string[] = [];
    const client = await openClient(server.cluster.port, 'shop');
    client.on('end', () => ended.push('ended'));
    const source = server.source({
      onSwapStage: async (stage) => {
        if (stage !== 'checked') return;
        await client.query('select 1');
        assert.deepEqual(ended, [], 'connections live until the renames');
      },
    });
    const ordered = await order();
    await source.swap(asset, ordered, quietStep());
    assert.deepEqual(ended, ['ended']);
    const restored = await rows();
    assert.equal(restored.length, 20);
    assert.ok(restored.every(({ what }) => what === 'then'));
    assert.deepEqual(await properties(), before.properties);
    assert.ok((await roles()).includes('ghost'));
    assert.equal(
      await source.holds(asset, ordered.target, 'select count(*) = 20 from orders', quietStep()),
      true,
    );
    assert.equal(
      await source.holds(asset, ordered.target, 'select count(*) = 21 from orders', quietStep()),
      false,
    );

    await source.swap(asset, ordered, quietStep());
    assert.equal((await rows()).length, 20, 'a second run finds the first one done');

    await source.undo(asset, ordered, quietStep());
    await source.undo(asset, ordered, quietStep());
    assert.deepEqual(
      {
        databases: await databases(),
        rows: await rows(),
        properties: await properties(),
        roles: await roles(),
      },
      before,
    );

    const again = await order();
    await server.source().swap(asset, again, quietStep());
    await source.settle(asset, again, quietStep());
    await source.settle(asset, again, quietStep());
    assert.deepEqual(await databases(), before.databases);
    assert.equal((await rows()).length, 20);
    await server.sql(
      'shop',
      `update orders set what = 'now'`,
      `insert into orders (what) values ('newer')`,
      'drop table gone',
      'revoke all on orders from ghost',
    );
    await server.sql('postgres', 'drop role ghost');
  });

  for (const stage of STAGES) {
    it(`killed when ${stage}: undo brings everything back, a rerun completes`, async () => {
      const before = {
        databases: await databases(),
        rows: await rows(),
        properties: await properties(),
        roles: await roles(),
      };
      const ordered = await order();
      // A dead worker cleans nothing up, so neither may the failing stage: its connection is cut first.
      const dying = server.source({
        onSwapStage: async (reached) => {
          if (reached !== stage) return;
          await server.sql(
            'postgres',
            `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'holdfast' and pid <> pg_backend_pid()`,
          );
          throw new Error('killed');
        },
      });
      await assert.rejects(dying.swap(asset, ordered, quietStep()), /killed/);
      await server.source().undo(asset, ordered, quietStep());
      assert.deepEqual(
        {
          databases: await databases(),
          rows: await rows(),
          properties: await properties(),
          roles: await roles(),
        },
        before,
      );

      const again = await order();
      await assert.rejects(dying.swap(asset, again, quietStep()), /killed/);
      await server.source().swap(asset, again, quietStep());
      assert.equal((await rows()).length, 20);
      assert.deepEqual(await properties(), before.properties);
      await server.source().undo(asset, again, quietStep());
      assert.deepEqual(
        {
          databases: await databases(),
          rows: await rows(),
          properties: await properties(),
          roles: await roles(),
        },
        before,
      );
    });
  }

  it('restores beside, with the settings the dump carries, and takes it away again', async () => {
    const before = await databases();
    const source = server.source();
    const ordered = await order('--shop "beside"');
    await source.checkTarget(asset, ordered.target, 1000, quietStep());
    assert.equal(
      await source.captureForSafety(asset, ordered.target, await server.workspace(), quietStep()),
      null,
    );
    await source.swap(asset, ordered, quietStep());
    assert.equal((await rows('--shop "beside"')).length, 20);
    const [owner] = await server.sql(
      'postgres',
      `select pg_get_userbyid(datdba) as owner from pg_database where datname = '--shop "beside"'`,
    );
    assert.equal(owner?.['owner'], 'owner_of_shop');
    await source.swap(asset, ordered, quietStep());
    await assert.rejects(source.checkTarget(asset, ordered.target, 1000, quietStep()), {
      code: 'target.notEmpty',
    });
    await source.undo(asset, ordered, quietStep());
    assert.deepEqual(await databases(), before);
    assert.equal((await rows()).length, 21);
  });

  for (const stage of ['journaled', 'checked']) {
    it(`never drops a database that somebody else created under the name after ${stage}`, async () => {
      const ordered = await order('taken');
      const dying = server.source({
        onSwapStage: (reached) => {
          if (reached === stage) throw new Error('killed');
        },
      });
      await assert.rejects(dying.swap(asset, ordered, quietStep()), /killed/);
      await server.sql('postgres', 'create database taken');
      await assert.rejects(server.source().swap(asset, ordered, quietStep()), { code: 'target.notEmpty' });
      await server.source().undo(asset, ordered, quietStep());
      assert.ok((await databases()).includes('taken'));
      assert.ok(!(await databases()).some((name) => String(name).includes('holdfast_r-')));
      await server.sql('postgres', 'drop database taken');
    });
  }

  it('brings a dropped database back in place', async () => {
    await server.sql('postgres', 'create database lost');
    await server.sql('lost', 'create table orders as select 1 as id');
    const lost = server.asset('lost');
    const dumped = await dumpOf(server, lost);
    await server.sql('postgres', 'drop database lost');
    const ordered = orderFor(server, dumped, await server.source().resolveTarget(lost, null), 'r-lost');
    await server.source().swap(lost, ordered, quietStep());
    assert.deepEqual(await rows('lost'), [{ id: 1 }]);
    await server.source().undo(lost, ordered, quietStep());
    assert.ok(!(await databases()).includes('lost'));
  });

  it('leaves the target as it was when the rows are not those of the backup', async () => {
    const before = { databases: await databases(), rows: await rows() };
    const ordered = await order();
    const manifest = { ...stored.manifest, tables: { 'public.orders': 19 } } as Stored['manifest'];
    await assert.rejects(server.source().swap(asset, { ...ordered, manifest }, quietStep()), {
      code: 'proof.failed',
    });
    await server.source().undo(asset, ordered, quietStep());
    assert.deepEqual({ databases: await databases(), rows: await rows() }, before);
  });

  it('takes names of 63 bytes, and refuses longer ones and single tables', async () => {
    const long = 'ü'.repeat(31) + 'x';
    await server.sql('postgres', `create database "${long}"`);
    await server.sql(long, 'create table orders as select 1 as id');
    const asset63 = server.asset(long);
    const dumped = await dumpOf(server, asset63);
    const ordered = orderFor(
      server,
      dumped,
      await server.source().resolveTarget(asset63, null),
      '0190c0de-0000-7000-8000-000000000000',
    );
    await server.source().swap(asset63, ordered, quietStep());
    await server.source().settle(asset63, ordered, quietStep());
    assert.deepEqual(await rows(long), [{ id: 1 }]);
    await assert.rejects(server.source().resolveTarget(asset, 'x'.repeat(64)), { code: 'usage' });
    await assert.rejects(
      server.source().swap(asset, { ...ordered, include: ['public.orders'] }, quietStep()),
      { code: 'usage' },
    );
  });

  it('refuses a role that may not create databases or rename the target', async () => {
    await server.sql('postgres', `create role little login password 'pw'`);
    const weak = server.asset('shop', {
      url: { kind: 'literal', value: server.url('shop', 'little', 'pw') },
    });
    const target = await server.source().resolveTarget(weak, null);
    await assert.rejects(
      server.source().checkTarget(weak, target, 1, quietStep()),
      (error: HoldfastError) => {
        assert.equal(error.code, 'target.readOnly');
        assert.match(error.message, /little may not create databases/);
        return true;
      },
    );
    await server.sql('postgres', 'alter role little createdb');
    await assert.rejects(server.source().checkTarget(weak, target, 1, quietStep()), /may not rename/);
  });
});
