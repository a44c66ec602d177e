import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processPart } from '../../workers/embedded/process-part.ts';

describe('a part that is a process', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-part-'));
  });
  afterEach(() => rm(folder, { recursive: true }));
  const part = (script: string) =>
    processPart({
      name: 'the part',
      file: '/bin/sh',
      args: ['-c', script],
      logFile: join(folder, 'part.log'),
      ready: 'line',
    });

  it('serves from its line `ready` on, and ends when told', async () => {
    const running = await part('echo ready; exec sleep 60').launch();
    process.kill(running.pid, 0);
    await running.stop();
    assert.deepEqual(await running.exited, { exitCode: null, signal: 'SIGTERM' });
  });

  it('that ends before it serves says with which code, and where its own words are', async () => {
    await assert.rejects(part('echo no such port >&2; exit 3').launch(), {
      code: 'service.failed',
      message: 'the part could not be started',
      cause: 'it ended with exit code 3',
      hint: new RegExp(`${folder}/part.log`),
    });
    assert.equal(await readFile(join(folder, 'part.log'), 'utf8'), 'no such port\n');
  });

  it('hears what is for the first time only once', async () => {
    const again = processPart({
      name: 'the part',
      file: '/bin/sh',
      args: ['-c', 'echo "words: $*" >&2; echo ready; exec sleep 60', 'sh', 'stack.json'],
      firstArgs: ['--apply'],
      logFile: join(folder, 'part.log'),
      ready: 'line',
    });
    for (let launch = 1; launch <= 2; launch += 1) await (await again.launch()).stop();
    assert.equal(
      await readFile(join(folder, 'part.log'), 'utf8'),
      'words: stack.json --apply\nwords: stack.json\n',
    );
  });
});
