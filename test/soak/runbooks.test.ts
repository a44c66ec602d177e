import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmod, cp, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { execa } from 'execa';
import { postgresServerBinaries } from '../../activities/hosts/postgres-binaries.ts';
import { resolveTool } from '../../tools/resolve.ts';
import { makeAssets, type Assets } from '../fixtures/assets.ts';
import { notSoon } from '../fixtures/not-soon.ts';
import { isAlive, kill, makeStack, type Stack } from '../fixtures/stack.ts';
import { until } from '../fixtures/until.ts';
import { follow } from './runbook.ts';

// Every runbook, every block of it, on a stack in the state that the runbook is for. One stack lives through all of
// them, the worst at the end.

const folder = fileURLToPath(new URL('../../docs/operations', import.meta.url));
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

describe('the runbooks', function () {
  this.timeout(600_000);
  let stack: Stack;
  let assets: Assets;
  let path: string;
  const at = (...names: string[]) => join(stack.folder, ...names);
  const followed = new Set<string>();

  async function run(name: string, env: Record<string, string> = {}): Promise<string> {
    const common = { PATH: path, HOLDFAST_CONFIG: stack.configurationFile, POLICY: 'daily' };
    const { blocks, seconds, output } = await follow(join(folder, name), { ...common, ...env }, stack.folder);
    followed.add(name);
    process.stdout.write(`    ${name}: ${blocks} blocks in ${seconds.toFixed(1)} s\n`);
    return output;
  }

  before(async () => {
    stack = await makeStack();
    assets = await makeAssets(stack.folder);
    const identity = await generateIdentity();
    await writeFile(at('kit.identity'), `${identity}\n`, { mode: 0o600 });
    await writeFile(at('near.key'), 'key of near', { mode: 0o600 });
    await writeFile(at('far.key'), 'key of far', { mode: 0o600 });
    await writeFile(at('orders.url'), assets.databaseUrl, { mode: 0o600 });
    await stack.configure({
      kit: { recipients: [await identityToRecipient(identity)] },
      repositories: ['near', 'far'].map((name) => ({
        ...{ name, type: 'restic', url: `./${name}`, password: `file:./${name}.key` },
      })),
      assets: [
        { name: 'orders', type: 'postgres', url: 'file:./orders.url' },
        { name: 'sales', type: 'sqlite', path: assets.sqliteFile },
        { name: 'uploads', type: 'directory', path: assets.tree },
      ],
      policies: [
        {
          ...{ name: 'daily', assets: ['orders', 'sales', 'uploads'], cron: notSoon() },
          ...{ repository: 'near', copies: ['far'] },
        },
      ],
      drills: [
        {
          ...{ name: 'key-lost', scenario: 'keyLoss', policies: ['daily'], from: 'far' },
          kit: { file: './keeper/kit/recovery-kit.age', identity: 'file:./keeper/identity' },
        },
      ],
    });
    path = await programs(at('bin'));
    await stack.up();
    const { exitCode, stdout } = await stack.run('backup', 'run', 'daily');
    assert.equal(exitCode, 0, stdout);
    await assets.stopWriting();
  });
  after(async () => {
    await stack?.dispose();
    await assets?.stop();
  });

  it('a worker dies in the middle of a backup', async () => {
    await writeFile(join(assets.tree, 'new'), randomBytes(5_000_000));
    const { json: job } = await stack.run('backup', 'run', 'daily', '--detach');
    const { worker } = await stack.pids();
    const killedAt = Date.now();
    await kill(worker);
    await run('worker-dies.md');
    const { status, endedAt } = await stack.ended(job.id);
    assert.equal(status, 'success');
    measured('a worker killed in a backup: the backup was done', (Date.parse(endedAt) - killedAt) / 1000);
  });

  it('a node is lost', async () => {
    const { json: job } = await stack.run('backup', 'run', 'daily', '--detach');
    const pids = await stack.pids();
    const killedAt = Date.now();
    // The supervisor first: it must not start again what is killed after it.
    for (const part of ['supervisor', 'worker', 'temporal', 'catalog', 'api']) {
      if (await isAlive(pids[part] ?? 0)) process.kill(pids[part]!, 'SIGKILL');
    }
    for (const [part, pid] of Object.entries(pids))
      await until(`${part} is gone`, async () => !(await isAlive(pid)));
    await run('node-lost.md');
    const { status, endedAt } = await stack.ended(job.id);
    assert.equal(status, 'success');
    measured('everything killed in a backup: the backup was done', (Date.parse(endedAt) - killedAt) / 1000);
  });

  it('keys are made, kept, split, rotated and tested', async () => {
    const output = await run('key-sop.md', { KEEPER: at('keeper') });
    assert.match(output, /kit\.written/);
    assert.match(output, /secret\.used/);
    assert.match(output, /audit\.keyRotated/);
  });

  it('a key is lost, and then changed', async () => {
    const sealed = at('kit', 'recovery-kit.age');
    await until('the kit was written by itself', () => readFile(sealed).catch(() => null));
    await rm(at('far.key'));
    const env = { REPOSITORY: 'far', PASSWORD_FILE: at('far.key'), KIT: at('opened') };
    await run('repository-key.md', { ...env, SEALED: sealed, IDENTITY: at('kit.identity') });
    assert.doesNotMatch(await readFile(at('far.key'), 'utf8'), /key of far/);
  });

  it('the off-site repository was rolled back', async () => {
    await stack.run('control-plane', 'backup', '--repository', 'far');
    await cp(at('far'), at('far.older'), { recursive: true });
    assert.equal((await stack.run('backup', 'run', 'daily')).exitCode, 0);
    await stack.run('control-plane', 'backup', '--repository', 'far');
    await rm(at('far'), { recursive: true });
    await rename(at('far.older'), at('far'));
    const output = await run('offsite-rolled-back.md', { REPOSITORY: 'far' });
    assert.match(output, /^[0-9a-f]{8}-/m);
  });

  it('the cluster is lost', async () => {
    await stack.run('control-plane', 'backup', '--repository', 'near');
    const before = (await stack.run('points', 'list')).json.items.length;
    await stack.run('down');
    await rm(stack.dataDir, { recursive: true });
    const lostAt = Date.now();
    await run('cluster-lost.md', { URL: at('near'), PASSWORD: `file:${at('near.key')}` });
    measured('Temporal and the catalogue lost: back, with a backup', (Date.now() - lostAt) / 1000);
    assert.ok((await stack.run('points', 'list')).json.items.length > before);
  });

  it('a repository is damaged', async () => {
    const file = await largestPack(at('near', 'data'));
    await chmod(file, 0o600);
    await writeFile(file, randomBytes(1000), { flag: 'r+' });
    await run('repository-damaged.md', { ASSET: 'uploads', OFFSITE: 'far', BESIDE: at('beside') });
    assert.ok((await readdir(at('beside'))).includes('large'));
  });

  it('the site is lost', async () => {
    const before = [await assets.ordersRows(), await assets.salesRows(), await assets.uploadsDigest()];
    assert.equal((await stack.run('backup', 'run', 'daily')).exitCode, 0);
    await stack.run('control-plane', 'backup', '--repository', 'far');
    assert.equal((await stack.run('kit', 'export')).exitCode, 0);
    await stack.run('down');
    for (const lost of ['.holdfast', 'holdfast.yaml', 'near', 'near.key', 'far.key'])
      await rm(at(lost), { recursive: true });
    await assets.loseEverything();
    const lostAt = Date.now();
    await run('site-lost.md', {
      ...{ REPOSITORY: 'far', PASSWORD_FILE: at('far.key'), KIT: at('opened') },
      ...{ SEALED: at('kit', 'recovery-kit.age'), IDENTITY: at('kit.identity') },
      ...{ NEAR: at('near'), NEAR_KEY: at('near.key') },
    });
    const { items } = (await stack.run('control-plane', 'list')).json;
    assert.deepEqual(
      items.map(({ rolledBack }: { rolledBack: unknown }) => rolledBack),
      [null, null],
    );
    measured('the site lost: three assets back, with a backup', (Date.now() - lostAt) / 1000);
    assert.deepEqual(
      [await assets.ordersRows(), await assets.salesRows(), await assets.uploadsDigest()],
      before,
    );
  });

  it('are all there, and every one was followed', async () => {
    const files = (await readdir(folder)).filter((name) => name.endsWith('.md') && name !== 'README.md');
    assert.deepEqual([...followed].sort(), files.sort());
  });

  function measured(what: string, seconds: number): void {
    process.stdout.write(`    ${what} after ${seconds.toFixed(1)} s\n`);
  }
});

/** What the runbooks call by name, in a folder of its own before the PATH. */
async function programs(bin: string): Promise<string> {
  await mkdir(bin);
  const script = async (name: string, line: string) =>
    writeFile(join(bin, name), `#!/bin/sh\nexec ${line} "$@"\n`, { mode: 0o755 });
  await script('holdfast', `'${process.execPath}' '${here('../../cli/holdfast.mjs')}'`);
  for (const tool of ['age', 'age-keygen']) {
    const { exitCode } = await execa(tool, ['--version'], { reject: false });
    const standIn = `--import '${import.meta.resolve('tsx')}' '${here('stand-in-age.ts')}' ${tool}`;
    if (exitCode !== 0) await script(tool, `'${process.execPath}' ${standIn}`);
  }
  const tools = [
    dirname((await resolveTool('restic', { install: false })).path),
    dirname((await resolveTool('sqlite3', { install: false })).path),
    (await postgresServerBinaries()).folder,
  ];
  return [bin, ...tools, process.env['PATH'] ?? ''].join(delimiter);
}

async function largestPack(data: string): Promise<string> {
  const entries = await readdir(data, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const sized = await Promise.all(files.map(async (file) => ({ file, size: (await stat(file)).size })));
  return sized.sort((one, other) => other.size - one.size)[0]!.file;
}
