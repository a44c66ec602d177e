import assert from 'node:assert/strict';
import {
  databaseArgument,
  parsePostgresUrl,
  toolEnvironment,
} from '../../../activities/sources/postgres-address.ts';
import { swapNames } from '../../../activities/sources/postgres-identifiers.ts';
import {
  namesIn,
  readDatabaseDefinition,
  readGlobals,
  splitStatements,
} from '../../../activities/sources/postgres-statements.ts';

describe('postgres words', () => {
  it('cuts SQL only where statements end', () => {
    const sql = `-- a; comment
      select ';' as "a;b", E'\\';', $x$ ; $$ ; $x$ /* ; */; \\connect evil;
\\! rm -rf /;
      select 2`;
    assert.deepEqual(splitStatements(sql), [`select ';' as "a;b", E'\\';', $x$ ; $$ ; $x$`, 'select 2']);
  });

  it('takes roles and memberships from globals and leaves everything else', () => {
    const globals = readGlobals(`
      SET default_transaction_read_only = off;
      CREATE ROLE "Odd ""r;";
      ALTER ROLE "Odd ""r;" WITH NOSUPERUSER LOGIN PASSWORD 'SCRAM-SHA-256$4096:a;b';
      CREATE ROLE boss;
      ALTER ROLE boss WITH SUPERUSER INHERIT;
      ALTER ROLE existing WITH SUPERUSER;
      ALTER ROLE boss SET search_path TO 'x';
      GRANT boss TO "Odd ""r;" WITH ADMIN OPTION GRANTED BY postgres;
      \\! touch /tmp/owned
      DROP DATABASE shop;
      CREATE TABLESPACE t OWNER boss LOCATION '/x';
    `);
    assert.deepEqual(globals.roles, [
      {
        role: 'Odd "r;',
        superuser: false,
        statements: [
          'CREATE ROLE "Odd ""r;"',
          `ALTER ROLE "Odd ""r;" WITH NOSUPERUSER LOGIN PASSWORD 'SCRAM-SHA-256$4096:a;b'`,
        ],
      },
      {
        role: 'boss',
        superuser: true,
        statements: [
          'CREATE ROLE boss',
          'ALTER ROLE boss WITH SUPERUSER INHERIT',
          `ALTER ROLE boss SET search_path TO 'x'`,
        ],
      },
    ]);
    assert.deepEqual(globals.memberships, [
      { role: 'boss', member: 'Odd "r;', statement: 'GRANT boss TO "Odd ""r;" WITH ADMIN OPTION' },
    ]);
  });

  it('gives what a dump says of its database to one of another name', () => {
    const definition = readDatabaseDefinition(`
      CREATE DATABASE "a ""b" WITH TEMPLATE = template0 ENCODING = 'LATIN1' LOCALE_PROVIDER = libc LOCALE = 'C' TABLESPACE = fast;
      ALTER DATABASE "a ""b" OWNER TO x;
      \\connect -reuse-previous=on "dbname='a \\"b'"
      ALTER DATABASE "a ""b" SET work_mem TO '7MB';
      GRANT CONNECT ON DATABASE "a ""b" TO x;
      ALTER DATABASE other OWNER TO evil;
      ALTER DATABASE "a ""b" RENAME TO postgres;
    `);
    assert.equal(definition?.name, 'a "b');
    assert.equal(definition?.options, `ENCODING = 'LATIN1' LOCALE_PROVIDER = libc LOCALE = 'C'`);
    assert.deepEqual(definition?.properties('n"w'), [
      'ALTER DATABASE "n""w" OWNER TO x',
      `ALTER DATABASE "n""w" SET work_mem TO '7MB'`,
      'GRANT CONNECT ON DATABASE "n""w" TO x',
    ]);
  });

  it('finds names outside texts', () => {
    assert.deepEqual(
      [...namesIn(`grant all on "T" to app; -- ghost\nselect 'other', $$ third $$`)],
      ['grant', 'all', 'on', 'T', 'to', 'app', 'select'],
    );
  });

  it('spells a database so that libpq can only take it for a name', () => {
    assert.equal(
      databaseArgument('--dbname', `it's \\ host=evil`),
      `--dbname=dbname='it\\'s \\\\ host=evil'`,
    );
  });

  it('reads URLs, and keeps the password out of what it says about bad ones', () => {
    const address = parsePostgresUrl('postgresql://u%40x:p%2F%3A@[::1]:5433/a%20b?sslmode=require');
    assert.deepEqual(address, {
      host: '::1',
      port: 5433,
      user: 'u@x',
      password: 'p/:',
      database: 'a b',
      parameters: { sslmode: 'require' },
    });
    assert.deepEqual(toolEnvironment(address), {
      PGHOST: '::1',
      PGPORT: '5433',
      PGUSER: 'u@x',
      PGPASSWORD: 'p/:',
      PGSSLMODE: 'require',
      PGAPPNAME: 'holdfast',
    });
    const socket = parsePostgresUrl('postgresql://me@/shop?host=/run/postgresql');
    assert.deepEqual(
      [socket.host, socket.user, socket.password, socket.database],
      ['/run/postgresql', 'me', null, 'shop'],
    );
    for (const bad of [
      'mysql://u:canary@h/d',
      'postgresql://u:canary@h:port/d',
      'postgresql://:canary@h/d',
      'postgresql://u:canary@h/d?nope=1',
      'postgresql://u:canary%@h/d',
      'host=h password=canary',
    ]) {
      assert.throws(
        () => parsePostgresUrl(bad),
        (error: Error) => !JSON.stringify({ ...error, message: error.message, stack: '' }).includes('canary'),
      );
    }
  });

  it('gives a swap the same distinct names within 63 bytes', () => {
    assert.deepEqual(swapNames('shop', 'r-1'), {
      target: 'shop',
      incoming: 'shop_holdfast_r-1_new',
      previous: 'shop_holdfast_r-1_old',
    });
    const long = swapNames('ü'.repeat(31), 'r-1');
    const twin = swapNames(`${'ü'.repeat(30)}o`, 'r-1');
    const names = [
      long.incoming,
      long.previous,
      twin.incoming,
      twin.previous,
      swapNames('x', 'i'.repeat(80)).incoming,
    ];
    assert.equal(new Set(names).size, 5);
    for (const name of names) assert.ok(Buffer.byteLength(name) <= 63, name);
  });
});
