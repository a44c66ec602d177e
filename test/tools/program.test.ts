import assert from 'node:assert/strict';
import { copyFile, mkdir, readdir, rm, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { execa } from 'execa';
import { withDirectory } from './fake-tools.ts';

const checkout = join(import.meta.dirname, '../..');
const rooms = 'activities api catalog cli client domain schedules tools workers workflows'.split(' ');

/** The real starter with three small programs. */
async function makeClone(root: string): Promise<void> {
  for (const folder of [...rooms, 'node_modules']) await mkdir(join(root, folder));
  await copyFile(join(checkout, 'tools/program.mjs'), join(root, 'tools/program.mjs'));
  for (const name of ['package-lock.json', 'tsconfig.json', 'package.json'])
    await copyFile(join(checkout, name), join(root, name));
  for (const name of ['esbuild', 'tsx'])
    await symlink(join(checkout, 'node_modules', name), join(root, 'node_modules', name));
  await says(root, 'one');
  for (const program of ['api/main.ts', 'workers/main.ts'])
    await writeFile(join(root, program), 'export {};\n');
}

/** Says the word, where it takes itself to be, and its arguments. */
async function says(root: string, word: string): Promise<void> {
  await writeFile(join(root, 'domain/word.ts'), `export const word: string = '${word}';\n`);
  await writeFile(
    join(root, 'cli/main.ts'),
    `import { word } from '../domain/word.ts';
     const late = await import('../domain/word.ts');
     console.log([word, late.word, import.meta.url, ...process.argv.slice(2)].join(' '));
     if (process.argv[2] === 'fails') throw new Error('as it was told');\n`,
  );
}

describe('the starter of programs', function () {
  this.timeout(120_000);

  const start = (root: string, ...words: string[]) =>
    execa(process.execPath, [join(root, 'tools/program.mjs'), 'cli/main.ts', ...words], { reject: false });
  const here = (root: string) => pathToFileURL(join(root, 'cli/main.ts')).href;
  const kept = (root: string) => readdir(join(root, 'node_modules/.cache/holdfast'));

  it('keeps what it made, and makes it anew when a source changed', () =>
    withDirectory(async (root) => {
      await makeClone(root);
      assert.equal((await start(root, 'a', 'b')).stdout, `one one ${here(root)} a b`);
      const [made, ...others] = await kept(root);
      assert.deepEqual(others, []);
      assert.equal((await start(root)).stdout, `one one ${here(root)}`);
      assert.deepEqual(await kept(root), [made]);
      const { mode } = await stat(join(root, 'node_modules/.cache/holdfast', made ?? ''));
      assert.equal(mode & 0o777, 0o755, 'another user would be left without it');
      await says(root, 'two');
      assert.equal((await start(root)).stdout, `two two ${here(root)}`);
      assert.equal((await kept(root)).length, 2);
    }));

  it('sees a source that was replaced by one of the same size and time', () =>
    withDirectory(async (root) => {
      await makeClone(root);
      assert.match((await start(root)).stdout, /^one one /);
      const word = join(root, 'domain/word.ts');
      const { atime, mtime } = await stat(word);
      await says(root, 'two');
      await utimes(word, atime, mtime);
      assert.match((await start(root)).stdout, /^two two /);
    }));

  it('makes anew what was torn, and keeps it', () =>
    withDirectory(async (root) => {
      await makeClone(root);
      await start(root);
      const [made = ''] = await kept(root);
      const program = join(root, 'node_modules/.cache/holdfast', made, 'cli/main.mjs');
      await truncate(program);
      assert.match((await start(root)).stdout, /^one one /);
      assert.notEqual((await stat(program)).size, 0);
      assert.deepEqual(await kept(root), [made]);
    }));

  it('runs the sources as they are where nothing can be made of them, and says so', () =>
    withDirectory(async (root) => {
      await makeClone(root);
      await rm(join(root, 'node_modules/esbuild'));
      const { stdout, stderr } = await start(root, 'a');
      assert.equal(stdout, `one one ${here(root)} a`);
      assert.match(stderr, /^holdfast: starts from its sources, none could be kept: .*esbuild/);
      assert.deepEqual(await kept(root), []);
    }));

  it('shows the lines of the sources when something fails', () =>
    withDirectory(async (root) => {
      await makeClone(root);
      const { stderr, exitCode } = await start(root, 'fails');
      assert.equal(exitCode, 1);
      assert.match(stderr, /cli\/main\.ts:4/);
    }));

  it('is begun by many at once', () =>
    withDirectory(async (root) => {
      await makeClone(root);
      const all = await Promise.all(Array.from({ length: 4 }, () => start(root)));
      for (const { stdout, stderr } of all) assert.equal(stdout, `one one ${here(root)}`, stderr);
      assert.equal((await kept(root)).length, 1);
    }));

  it('runs the sources as they are where nothing can be kept', () =>
    withDirectory(async (root) => {
      await makeClone(root);
      await writeFile(join(root, 'node_modules/.cache'), 'in the way');
      const { stdout, stderr } = await start(root, 'a');
      assert.equal(stdout, `one one ${here(root)} a`, stderr);
      await rm(join(root, 'node_modules/.cache'));
    }));
});
