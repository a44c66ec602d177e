import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { execa } from 'execa';
import { claimName, withLock } from '../../tools/lock.ts';
import { resolveTool } from '../../tools/resolve.ts';
import type { ResolvedTool } from '../../tools/resolve.ts';
import { installableTool, putProgram, withDirectory } from './fake-tools.ts';

const resolveOnce = join(import.meta.dirname, 'resolve-once.ts');
const start = (directory: string, mode: string) =>
  execa(process.execPath, ['--import', 'tsx', resolveOnce, directory, mode], { timeout: 30_000 });

const options = { purpose: 'a test', waitSeconds: 30 };

describe('two processes that bring in the same tool', () => {
  it('build it once, and both get the whole of it', () =>
    withDirectory(async (directory) => {
      const answers = await Promise.all([start(directory, 'wait'), start(directory, 'wait')]);
      const [one, other] = answers.map(({ stdout }) => JSON.parse(stdout) as ResolvedTool);
      const path = join(directory, 'cache/fake/2.1.0/fake');
      assert.deepEqual([one?.origin, other?.origin].sort(), ['cache', 'release']);
      assert.deepEqual([one?.path, other?.path], [path, path]);
      assert.equal(await readFile(join(directory, 'builds'), 'utf8'), 'x');
      assert.deepEqual(await readdir(join(directory, 'cache/.staging')), []);
      assert.deepEqual(await readdir(join(directory, 'cache/.locks/fake-2.1.0')), []);
    })).timeout(180_000);

  it('do not wait for one that was killed, nor keep what it left', () =>
    withDirectory(async (directory) => {
      const killed = start(directory, 'hang');
      while (!existsSync(join(directory, 'builds'))) await pause(20);
      killed.kill('SIGKILL');
      await killed.catch(() => undefined);
      const found = await resolveTool('fake', {
        manifest: { fake: installableTool },
        cacheDirectory: join(directory, 'cache'),
        searchPath: [],
        waitSeconds: 0,
        installers: {
          release: async (request) => void (await putProgram(request.directory, request.definition.version)),
        },
      });
      assert.equal(found.origin, 'release');
      assert.deepEqual(await readdir(join(directory, 'cache/.staging')), []);
    })).timeout(180_000);
});

describe('a lock', () => {
  it('is taken over from a process whose id has gone to another one', () =>
    withDirectory(async (directory) => {
      const name = await claimName();
      const earlier = name.replace(/^(\d+)\.[^.]+\./, '$1.00000000-1.');
      assert.notEqual(name, earlier);
      await writeFile(join(directory, earlier), '');
      assert.equal(await withLock(directory, { ...options, waitSeconds: 0 }, async () => 'held'), 'held');
    }));

  it('is not waited for without end: the error names its owner', () =>
    withDirectory(async (directory) => {
      await mkdir(directory, { recursive: true });
      await writeFile(join(directory, await claimName()), '');
      await assert.rejects(
        withLock(directory, { ...options, waitSeconds: 0 }, async () => 'held'),
        { code: 'request.conflict', message: new RegExp(`process ${process.pid}`) },
      );
    }));

  it('lets twenty in one after the other', () =>
    withDirectory(async (directory) => {
      let inside = 0;
      const enter = () =>
        withLock(directory, options, async () => {
          inside += 1;
          assert.equal(inside, 1);
          await pause(1);
          inside -= 1;
        });
      await Promise.all(Array.from({ length: 20 }, enter));
      assert.deepEqual(await readdir(directory), []);
    })).timeout(180_000);

  it('is given back when what was done under it fails', () =>
    withDirectory(async (directory) => {
      const failing = () => withLock(directory, options, () => Promise.reject(new Error('no luck')));
      await assert.rejects(failing, /no luck/);
      assert.deepEqual(await readdir(directory), []);
    }));
});
