import assert from 'node:assert/strict';
import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { parse } from 'yaml';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = join(root, 'deploy', 'compose');

describe('deploy/compose/make-secrets', function () {
  this.timeout(180_000);
  let copy: string;

  before(async () => {
    copy = await mkdtemp(join(tmpdir(), 'holdfast-secrets-'));
    await cp(folder, copy, { recursive: true, filter: (path) => !path.includes('/compose/secrets') });
    await writeFile(join(copy, 'orders'), 'postgresql://reader@db/orders\n');
    await execa(join(copy, 'make-secrets'), ['--orders-url-from', join(copy, 'orders')]);
  });

  after(() => rm(copy, { recursive: true, force: true }));

  it('makes every secret the compose file asks for, readable by their group and nobody else', async () => {
    const compose = parse(await readFile(join(root, 'docker-compose.yml'), 'utf8'), { merge: true }) as {
      secrets: Record<string, unknown>;
    };
    assert.deepEqual((await readdir(join(copy, 'secrets'))).sort(), Object.keys(compose.secrets).sort());
    const group = /^HOLDFAST_SECRETS_GROUP=(\d+)$/m.exec(await readFile(join(copy, '.env'), 'utf8'))?.[1];
    for (const name of Object.keys(compose.secrets)) {
      const { mode, gid, size } = await stat(join(copy, 'secrets', name));
      assert.equal(mode & 0o777, 0o440, name);
      assert.equal(gid, Number(group), name);
      assert.ok(size > 15, name);
    }
  });

  it('changes nothing when it is run again', async () => {
    const read = async () =>
      Promise.all(
        (await readdir(join(copy, 'secrets'))).map((name) => readFile(join(copy, 'secrets', name), 'utf8')),
      );
    const before = await read();
    await execa(join(copy, 'make-secrets'));
    assert.deepEqual(await read(), before);
  });

  it('certifies the S3 server under the name the configuration uses', async () => {
    const secrets = join(copy, 'secrets');
    const arguments_ = ['verify', '-verify_hostname', 's3', '-CAfile', 's3_authority', 's3_certificate'];
    assert.match((await execa('openssl', arguments_, { cwd: secrets })).stdout, /OK/);
  });
});
