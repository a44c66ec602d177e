import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { skipBecause } from '../skip.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

describe('docker-compose.yml against the compose specification', function () {
  this.timeout(180_000);
  let program: string | undefined;
  let temporary: string;
  let text: string;

  before(async function () {
    text = await readFile(join(root, 'docker-compose.yml'), 'utf8');
    temporary = await mkdtemp(join(tmpdir(), 'holdfast-compose-'));
    const go = await execa('go', ['version'], { reject: false });
    if (go.failed) skipBecause(this, 'Go is not here, and the specification comes as a Go module');
    program = join(temporary, 'compose-check');
    await execa('go', ['build', '-mod=readonly', '-buildvcs=false', '-o', program, '.'], {
      cwd: join(root, 'tools', 'go', 'compose-check'),
    });
  });

  after(() => rm(temporary, { recursive: true, force: true }));

  const check = (file: string) =>
    execa(program ?? '', [file], { env: { HOLDFAST_SECRETS_GROUP: '10001' }, reject: false });

  it('is right', async () => {
    const { exitCode, stderr } = await check(join(root, 'docker-compose.yml'));
    assert.equal(exitCode, 0, stderr);
  });

  const mistakes: [what: string, from: string, to: string, told: RegExp][] = [
    ['an unknown key', 'hostname: worker-1', 'host_name: worker-1', /host_name/],
    ['a wrong type', 'stop_grace_period: 1m', 'stop_grace_period: [1m]', /stop_grace_period/],
    ['a volume nobody declared', "'s3-data:/data'", "'s4-data:/data'", /s4-data/],
    ['a secret nobody declared', 'secrets: [temporal_db_password]', 'secrets: [nothing]', /nothing/],
    ['a service that is not there', 'depends_on: { temporal-db:', 'depends_on: { other-db:', /other-db/],
  ];
  for (const [what, from, to, told] of mistakes) {
    it(`is held against it: ${what} is refused`, async () => {
      assert.ok(text.includes(from));
      const file = join(temporary, 'docker-compose.yml');
      await writeFile(file, text.replace(from, to));
      const { exitCode, stderr } = await check(file);
      assert.equal(exitCode, 1);
      assert.match(stderr, told);
    });
  }

  it('says what to do when the secrets have not been made', async () => {
    const { exitCode, stderr } = await execa(program ?? '', [join(root, 'docker-compose.yml')], {
      reject: false,
    });
    assert.equal(exitCode, 1);
    assert.match(stderr, /run deploy\/compose\/make-secrets/);
  });
});
