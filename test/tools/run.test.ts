import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { execa } from 'execa';
import { withDirectory } from './fake-tools.ts';

const checkout = join(import.meta.dirname, '../..');

/** A clone with the real bootstrap, a set-up and a demo that write down how they were called, and a fake npm. */
async function makeClone(directory: string): Promise<void> {
  await mkdir(join(directory, 'tools'));
  await copyFile(join(checkout, 'tools/run.mjs'), join(directory, 'tools/run.mjs'));
  await writeFile(join(directory, 'package.json'), '{"type":"module","engines":{"node":">=20.19"}}');
  await writeFile(join(directory, 'package-lock.json'), '{}');
  const log = `import { appendFileSync } from 'node:fs';\nappendFileSync(${JSON.stringify(join(directory, 'log'))}, `;
  await writeFile(
    join(directory, 'tools/setup.ts'),
    `${log}['setup', ...process.argv.slice(2)].join(' ') + '\\n');`,
  );
  await writeFile(
    join(directory, 'tools/demo.ts'),
    `${log}['demo', ...process.argv.slice(2)].join(' ') + '\\n');
     const mode: string = process.argv[2] ?? '0';
     process.on('SIGTERM', () => process.exit(30));
     if (mode === 'stay') setInterval(() => {}, 1000);
     else process.exit(Number(mode));`,
  );
  await writeFile(
    join(directory, 'npm.js'),
    `${log}'npm ' + process.argv[2] + '\\n');
     import { mkdirSync, symlinkSync, rmSync } from 'node:fs';
     rmSync(${JSON.stringify(join(directory, 'node_modules'))}, { recursive: true, force: true });
     mkdirSync(${JSON.stringify(join(directory, 'node_modules'))});
     symlinkSync(${JSON.stringify(join(checkout, 'node_modules/tsx'))}, ${JSON.stringify(join(directory, 'node_modules/tsx'))});`,
  );
}

function run(directory: string, ...args: string[]) {
  const env = { npm_execpath: join(directory, 'npm.js') };
  return execa(process.execPath, [join(directory, 'tools/run.mjs'), ...args], {
    env,
    reject: false,
    timeout: 30_000,
  });
}

const logOf = async (directory: string) =>
  (await readFile(join(directory, 'log'), 'utf8')).trim().split('\n');

describe('the bootstrap of a fresh clone', function () {
  this.timeout(180_000);

  it('installs the dependencies, sets up the tools, then does what was asked', () =>
    withDirectory(async (directory) => {
      await makeClone(directory);
      assert.equal((await run(directory, 'demo', '0', '--keep')).exitCode, 0);
      assert.deepEqual(await logOf(directory), ['npm ci', 'setup --quiet', 'demo 0 --keep']);
    }));

  it('installs the dependencies again only when package-lock.json has changed', () =>
    withDirectory(async (directory) => {
      await makeClone(directory);
      await run(directory, 'setup', '--tests');
      await run(directory, 'setup');
      assert.deepEqual(await logOf(directory), ['npm ci', 'setup --tests', 'setup']);
      await writeFile(join(directory, 'package-lock.json'), '{"changed":true}');
      await run(directory, 'setup');
      assert.deepEqual((await logOf(directory)).slice(3), ['npm ci', 'setup']);
    }));

  it('passes the exit code on', () =>
    withDirectory(async (directory) => {
      await makeClone(directory);
      assert.equal((await run(directory, 'demo', '20')).exitCode, 20);
    }));

  it('passes a signal on and waits for the end it brings', () =>
    withDirectory(async (directory) => {
      await makeClone(directory);
      const running = run(directory, 'demo', 'stay');
      const log = join(directory, 'log');
      while (!existsSync(log) || !(await readFile(log, 'utf8')).includes('demo')) await pause(20);
      running.kill('SIGTERM');
      assert.equal((await running).exitCode, 30);
    }));

  it('refuses a Node.js that is too old, before anything else', () =>
    withDirectory(async (directory) => {
      await makeClone(directory);
      await writeFile(join(directory, 'package.json'), '{"engines":{"node":">=99.1"}}');
      const refused = await run(directory, 'demo');
      assert.equal(refused.exitCode, 1);
      assert.match(refused.stderr, /Holdfast needs Node\.js >=99\.1, and this is v/);
      assert.ok(!existsSync(join(directory, 'log')));
    }));
});
