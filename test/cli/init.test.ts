import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { execa } from 'execa';
import { loadConfiguration } from '../../cli/configuration-file.ts';
import { assetName, databaseName } from '../../cli/init-answers.ts';
import { skipBecause } from '../skip.ts';
import { startHoldfast } from './command-line.ts';

const bin = resolve(import.meta.dirname, '../../cli/holdfast.mjs');
const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

describe('holdfast init', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'holdfast-init-')));
    await mkdir(join(folder, 'uploads'));
    await writeFile(join(folder, 'uploads', 'photo.jpg'), 'a photo');
    await execa('sqlite3', [
      join(folder, 'My Shop.db'),
      'create table sales (id); insert into sales values (1)',
    ]);
  });
  afterEach(() => rm(folder, { recursive: true }));

  const init = (...words: string[]) => startHoldfast(['init', ...words], folder).ended;
  const configuration = async () =>
    (await loadConfiguration({ from: folder, environment: {} })).configuration;

  describe('--yes', () => {
    it('writes a configuration that is valid and says what it was told', async () => {
      const { code, json, stderr } = await init(
        ...['--yes', '--json', '--path', 'uploads', 'My Shop.db', '--postgres-url-env', 'ORDERS_URL'],
        ...['--copy', 's3:https://s3.example.org/bucket', '--every', '6h'],
      );
      assert.equal(code, 0, stderr);
      assert.equal((json as { started?: boolean }).started, false);
      assert.equal(await modeOf(join(folder, 'holdfast.yaml')), '644');
      const { assets, repositories, policies } = await configuration();
      assert.deepEqual(
        assets.map((asset) => [asset.name, asset.type, 'path' in asset ? asset.path : asset.url]),
        [
          ['uploads', 'directory', join(folder, 'uploads')],
          ['my-shop', 'sqlite', join(folder, 'My Shop.db')],
          ['orders', 'postgres', { kind: 'env', name: 'ORDERS_URL' }],
        ],
      );
      assert.deepEqual(
        repositories.map(({ url, env }) => [url, Object.keys(env)]),
        [
          [join(folder, 'backups'), []],
          ['s3:https://s3.example.org/bucket', ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']],
        ],
      );
      assert.deepEqual(policies[0]?.copies, [{ repository: 'copy', retention: null }]);
      assert.deepEqual(policies[0]?.cadence, { kind: 'every', seconds: 6 * 3600 });
      assert.equal(policies[0]?.proof, 'proven');
    });

    it('gives every repository a key of its own that only the owner can read, and says what it is worth', async () => {
      const { stderr } = await init('--yes', '--path', 'uploads', '--copy', 'elsewhere');
      const keys = await Promise.all(
        ['main', 'copy'].map((name) => readFile(join(folder, 'keys', `${name}.key`), 'utf8')),
      );
      assert.notEqual(keys[0], keys[1]);
      for (const key of keys) {
        assert.match(key, /^[\w-]{43}\n$/);
        assert.ok(!(await readFile(join(folder, 'holdfast.yaml'), 'utf8')).includes(key.trim()));
      }
      assert.equal(await modeOf(join(folder, 'keys')), '700');
      assert.equal(await modeOf(join(folder, 'keys', 'main.key')), '600');
      assert.match(stderr, /loses the key has lost the backups/);
    });

    it('keeps its own files out of a directory that holds them', async () => {
      const { code, json } = await init('--yes', '--json', '--path', '.');
      assert.equal(code, 0);
      const { warnings = [] } = json as { warnings?: string[] };
      assert.match(
        warnings.join('\n'),
        /^[^\n]* nobody is told when a backup fails[^\n]*(\n +fix: [^\n]*)?$/,
      );
      const [asset] = (await configuration()).assets;
      assert.ok(asset?.type === 'directory');
      assert.deepEqual(asset.exclude, [join(folder, '.holdfast'), join(folder, 'backups')]);
    });

    it('leaves a configuration that is there as it is', async () => {
      await writeFile(join(folder, 'holdfast.yaml'), '# mine\n');
      const { code, json } = await init('--yes', '--json', '--path', 'uploads');
      assert.equal(code, 11);
      assert.equal(json.error?.code, 'request.conflict');
      assert.equal(await readFile(join(folder, 'holdfast.yaml'), 'utf8'), '# mine\n');
      assert.ok(!(await readdir(folder)).includes('keys'));
    });

    it('with --force replaces it, but never a key', async () => {
      await init('--yes', '--path', 'uploads');
      const key = await readFile(join(folder, 'keys', 'main.key'), 'utf8');
      const before = await readFile(join(folder, 'holdfast.yaml'), 'utf8');
      const { code } = await init('--yes', '--force', '--path', 'My Shop.db');
      assert.equal(code, 0);
      assert.equal(await readFile(join(folder, 'keys', 'main.key'), 'utf8'), key);
      assert.equal(await readFile(join(folder, 'holdfast.yaml.before'), 'utf8'), before);
      assert.equal((await configuration()).assets[0]?.type, 'sqlite');
    });

    it('does not make up a key for a repository that exists', async () => {
      await mkdir(join(folder, 'old', 'keys'), { recursive: true });
      await writeFile(join(folder, 'old', 'config'), '');
      const { code, json } = await init('--yes', '--json', '--path', 'uploads', '--repository', 'old');
      assert.equal(code, 11);
      assert.match(json.error?.cause ?? '', /it is one already, and its key is not in/);
      assert.deepEqual((await readdir(folder)).sort(), ['My Shop.db', 'old', 'uploads']);
    });

    for (const [what, words, cause] of [
      ['nothing to protect', [], /neither --path nor/],
      ['a path with nothing there', ['--path', 'absent'], /nothing at this path/],
      ['a file that is no database', ['--path', 'uploads/photo.jpg'], /no SQLite database/],
      ['a URL where a name belongs', ['--postgres-url-env', 'postgres://a:geheim@b/c'], /name of a variable/],
      ['plain http to elsewhere', ['--path', 'uploads', '--copy', 's3:http://far.example/b'], /plain http/],
    ] as const) {
      it(`refuses ${what} and writes nothing`, async () => {
        const { code, json, stdout, stderr } = await init('--yes', '--json', ...words);
        assert.ok(code === 1 || code === 2, stderr);
        assert.match(json.error?.cause ?? '', cause);
        assert.ok(!`${stdout}${stderr}`.includes('geheim'));
        assert.deepEqual((await readdir(folder)).sort(), ['My Shop.db', 'uploads']);
      });
    }

    it('--start goes on to a first proven point and a first restore', async () => {
      try {
        const { code, json, stderr } = await init('--yes', '--json', '--path', 'uploads', '--start');
        assert.equal(code, 0, stderr);
        const { job, restore } = json as unknown as {
          job: { status: string; assets: { proof: string }[] };
          restore: { status: string; target: string };
        };
        assert.deepEqual(
          [job.status, job.assets[0]?.proof, restore.status],
          ['success', 'proven', 'completed'],
        );
        assert.equal(await readFile(join(restore.target, 'photo.jpg'), 'utf8'), 'a photo');
      } finally {
        await startHoldfast(['down'], folder).ended;
      }
    });
  });

  it('without a terminal and without --yes is bad usage that says so', async () => {
    const { code, json } = await init('--json');
    assert.equal(code, 2);
    assert.match(json.error?.cause ?? '', /not a terminal/);
    assert.match(json.error?.hint ?? '', /--yes/);
  });

  describe('on a terminal', () => {
    before(async function () {
      const { exitCode } = await execa('script', ['--version'], { reject: false });
      if (exitCode !== 0) skipBecause(this, 'script (util-linux), which makes a terminal, is not there');
    });

    it('asks, and writes what it was told; secrets into files of their own', async () => {
      const terminal = openTerminal(folder);
      await terminal.answer('What is to be protected?', 'uploads\r');
      await terminal.answer('What else?', 'nowhere\r');
      await terminal.answer('nothing at this path', '\u0015postgres\r');
      await terminal.answer('Its URL', 'postgres://shop:geheim@127.0.0.1:5432/orders\r');
      await terminal.answer('What else?', '\r');
      await terminal.answer('Where are the backups kept?', '\r');
      await terminal.answer('Keep a second copy', '\u001b[D\r');
      await terminal.answer('Where? A folder on another disk', 'rest:https://far.example/shop\r');
      await terminal.answer('RESTIC_REST_USERNAME', 'shop\r');
      await terminal.answer('RESTIC_REST_PASSWORD', 'env:FAR_PASSWORD\r');
      await terminal.answer('How often?', '\u001b[B\r');
      await terminal.answer('When does a backup count', '\r');
      await terminal.answer('Start Holdfast in the background', '\u001b[C\r');
      const { exitCode, screen } = await terminal.ended;
      assert.equal(exitCode, 0, screen);
      assert.ok(!screen.includes('geheim'));

      const { assets, repositories, policies } = await configuration();
      assert.deepEqual(
        assets.map(({ name, type }) => [name, type]),
        [
          ['uploads', 'directory'],
          ['orders', 'postgres'],
        ],
      );
      const urlFile = join(folder, 'keys', 'orders.url');
      assert.deepEqual(assets[1]?.type === 'postgres' && assets[1].url, { kind: 'file', path: urlFile });
      assert.equal(await readFile(urlFile, 'utf8'), 'postgres://shop:geheim@127.0.0.1:5432/orders\n');
      assert.equal(await modeOf(urlFile), '600');
      assert.equal(repositories[1]?.url, 'rest:https://far.example/shop');
      assert.deepEqual(repositories[1]?.env, {
        RESTIC_REST_USERNAME: {
          kind: 'file',
          path: join(folder, 'keys', 'copy-restic-rest-username.secret'),
        },
        RESTIC_REST_PASSWORD: { kind: 'env', name: 'FAR_PASSWORD' },
      });
      assert.deepEqual(policies[0]?.cadence, { kind: 'every', seconds: 6 * 3600 });
    });

    it('interrupted at a question leaves nothing behind', async () => {
      const terminal = openTerminal(folder);
      await terminal.answer('What is to be protected?', 'uploads\r');
      await terminal.answer('What else?', '\r');
      await terminal.answer('Where are the backups kept?', '\u0003');
      const { exitCode } = await terminal.ended;
      assert.equal(exitCode, 130);
      assert.deepEqual((await readdir(folder)).sort(), ['My Shop.db', 'uploads']);
    });
  });
});

describe('the names init gives', () => {
  it('are names the configuration takes, each its own', () => {
    assert.equal(assetName('/srv/My Uploads', []), 'my-uploads');
    assert.equal(assetName('/srv/app.sqlite3', ['app']), 'app-2');
    assert.equal(assetName('/', []), 'data');
    assert.equal(assetName('/srv/-ü-', []), 'data');
    assert.equal(databaseName('ORDERS_DATABASE_URL', []), 'orders');
    assert.equal(databaseName('DATABASE_URL', []), 'database');
  });
});

/** The command on a pseudo terminal; each answer is typed once its question is on the screen. */
function openTerminal(cwd: string) {
  const { HOLDFAST_CONFIG: _config, CI: _ci, ...env } = process.env;
  const words = [process.execPath, bin, 'init'].map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
  const child = execa('script', ['-qefc', `stty cols 160 rows 60; exec ${words.join(' ')}`, '/dev/null'], {
    cwd,
    env: { ...env, TERM: 'xterm', NO_COLOR: '1' },
    extendEnv: false,
    reject: false,
    buffer: false,
  });
  let screen = '';
  let read = 0;
  child.stdout.on('data', (bytes: Buffer) => (screen += bytes.toString()));
  return {
    answer: async (question: string, keys: string) => {
      while (!screen.includes(question, read)) {
        if (child.exitCode !== null) assert.fail(`ended before "${question}":\n${screen}`);
        await pause(20);
      }
      read = screen.length;
      child.stdin.write(keys);
    },
    ended: child.then(({ exitCode }) => ({ exitCode, screen })),
  };
}
