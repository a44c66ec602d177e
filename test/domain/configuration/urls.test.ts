import assert from 'node:assert/strict';
import { parseDatabaseUrl, refuseDatabaseUrl } from '../../../domain/configuration/database-url.ts';
import { refuseRepositoryUrl, repositoryIdentity } from '../../../domain/configuration/repository-url.ts';
import { HoldfastError } from '../../../domain/errors.ts';

describe('repository URLs', () => {
  const taken = [
    './repo',
    '/srv/repo',
    'repo',
    'local:/srv/repo',
    './a:b',
    'sftp:user@host:/srv/repo',
    'sftp://user@host:2222//srv/repo',
    'rest:https://host:8000/',
    'rest:https://user@host/',
    'rest:http://localhost:8000/',
    'rest:http://[::1]:8000/',
    's3:s3.amazonaws.com/bucket',
    's3:https://s3.example.org/bucket/path',
    's3:http://127.0.0.1:7070/bucket',
    'b2:bucket:path/to',
    'azure:container:/',
    'gs:bucket:/',
    'swift:container:/path',
    'rclone:remote:path',
  ];
  for (const url of taken) it(`takes ${url}`, () => assert.equal(refuseRepositoryUrl(url), null));

  const refused: [string, RegExp][] = [
    ['', /no place/],
    ['-r', /starts? with "-"/],
    ['--repo=x', /starts? with "-"/],
    ['~/repo', /~ is not expanded/],
    ['a\nb', /control character/],
    ['s4:https://h/b', /no repository of this kind/],
    ['http://h/b', /no repository of this kind/],
    ['C:/repo', /no repository of this kind/],
    ['env:REPOSITORY', /by reference/],
    ['sftp:u:p@h:/x', /secret written out/],
    ['s3:k:s@h/x', /secret written out/],
    ['rclone:remote,pass=x:path', /secret written out/],
    ['s3:http://10.0.0.5/b', /in plain/],
    ['S3:http://h/b', /no repository of this kind/],
    ['s3:HTTP://h/b', /in plain/],
    ['rest:http://user@h/', /in plain/],
    ['rest:http://localhost.example.org/', /in plain/],
    ['rest:http://localhost@evil.example.org/', /in plain/],
  ];
  for (const [url, why] of refused) {
    it(`refuses ${JSON.stringify(url)}`, () =>
      assert.match(refuseRepositoryUrl(url)?.message ?? 'taken', why));
  }

  const same: [string, string][] = [
    ['./a', '/f/a'],
    ['./a/', './b/../a'],
    ['local:a', 'a'],
    ['s3:h/b', 's3:https://H/b/'],
    ['rest:https://h/', 'rest:https://h:443'],
    ['b2:x:y', 'b2:x:y/'],
  ];
  for (const [a, b] of same) {
    it(`${a} is ${b}`, () => assert.equal(repositoryIdentity(a, '/f'), repositoryIdentity(b, '/f')));
  }
  const different: [string, string][] = [
    ['./a', './b'],
    ['s3:h/b', 's3:h/B'],
    ['s3:http://localhost/b', 's3:https://localhost/b'],
    ['rest:https://h/b', 's3:https://h/b'],
  ];
  for (const [a, b] of different) {
    it(`${a} is not ${b}`, () => assert.notEqual(repositoryIdentity(a, '/f'), repositoryIdentity(b, '/f')));
  }
});

describe('database URLs', () => {
  it('are taken apart', () => {
    assert.deepEqual(
      parseDatabaseUrl('postgres://us%20er:p%40ss%3A@db.example.org:5433/or%20ders?sslmode=require'),
      {
        host: 'db.example.org',
        port: 5433,
        user: 'us er',
        password: 'p@ss:',
        database: 'or ders',
        parameters: { sslmode: 'require' },
      },
    );
    const nothing = { host: null, port: null, user: null, password: null, parameters: {} };
    assert.deepEqual(parseDatabaseUrl('postgresql:///orders'), { ...nothing, database: 'orders' });
    assert.deepEqual(parseDatabaseUrl('postgresql:///orders?host=/run/pg&port=5433&user=u&password=p'), {
      host: '/run/pg',
      port: 5433,
      user: 'u',
      password: 'p',
      database: 'orders',
      parameters: {},
    });
    assert.equal(parseDatabaseUrl('postgres://%2Frun%2Fpg/orders').host, '/run/pg');
    assert.equal(parseDatabaseUrl('postgres://[::1]/orders').host, '::1');
  });

  it("take a database name with a quote, a space or a letter of another script, as it is the tools' environment", () => {
    for (const name of [`it's`, 'a"b', 'daten bank', 'données', 'a;b', '$HOME']) {
      assert.equal(parseDatabaseUrl(`postgres://h/${encodeURIComponent(name)}`).database, name);
    }
  });

  const refused: [string, RegExp][] = [
    ['-h evil', /not a PostgreSQL URL/],
    ['mysql://h/db', /not a PostgreSQL URL/],
    ['host=h dbname=x', /not a PostgreSQL URL/],
    ['', /not a PostgreSQL URL/],
    ['postgres://h', /names no database/],
    ['postgres://h/', /names no database/],
    ['postgres://h/--file=x', /option or a connection string/],
    ['postgres://h/-c', /option or a connection string/],
    ['postgres://h/host=evil', /option or a connection string/],
    ['postgres://h/postgres:%2F%2Fevil%2Fdb', /option or a connection string/],
    ['postgres://h/x?dbname=--file%3Dx', /option or a connection string/],
    ['postgres://-h/db', /starts with "-"/],
    ['postgres://h/db?user=-U', /starts with "-"/],
    ['postgres://a,b/db', /several hosts/],
    ['postgres://h/db?host=a,b', /several hosts/],
    ['postgres://h/db?passfile=/etc/shadow', /parameter/],
    ['postgres://h/db?service=x', /parameter/],
    ['postgres://h:99999/db', /cannot be read/],
    ['postgres://h/db?port=0', /port/],
    ['postgres://h/db?port=x', /port/],
    ['postgres://h/a%00b', /control character/],
    ['postgres://h/a%0Ab', /control character/],
    ['postgres://h/%zz', /hexadecimal/],
    ['postgres://h/db#x', /cannot be read/],
  ];
  for (const [url, why] of refused) {
    it(`refuse ${JSON.stringify(url)}`, () => assert.match(refuseDatabaseUrl(url)?.message ?? 'taken', why));
  }

  it('are in no part of the error', () => {
    assert.throws(
      () => parseDatabaseUrl('postgres://u:CANARY@h/--file=CANARY'),
      (error) => error instanceof HoldfastError && !JSON.stringify(error.toContract()).includes('CANARY'),
    );
  });
});
