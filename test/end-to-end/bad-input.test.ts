import assert from 'node:assert/strict';
import { mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { notSoon } from '../fixtures/not-soon.ts';
import { makeStack, type Answer, type Json, type Stack } from '../fixtures/stack.ts';
import { treeDigest } from '../fixtures/tree-digest.ts';
import { until } from '../fixtures/until.ts';

// Write-only for everybody, root too.
const unreadable = '/proc/sys/net/ipv4/route';

describe('bad input, through the command line', function () {
  let stack: Stack;
  const at = (...names: string[]) => join(stack.folder, ...names);
  const run = (...words: string[]) => stack.run(...words);

  before(async () => {
    stack = await makeStack();
    await writeFile(at('gate'), '');
    const kinds = ['keyed', 'gone', 'flipped', 'emptied', 'slow'];
    for (const name of kinds) {
      await mkdir(at(name));
      await writeFile(at(name, 'content'), `${name}\n`.repeat(1000));
    }
    for (const name of [...kinds, 'partial'])
      await writeFile(at(`${name}.key`), `key of ${name}\n`, { mode: 0o600 });
    const policy = (name: string, more = {}) => ({
      name,
      assets: [name],
      cron: notSoon(),
      repository: name,
      ...more,
    });
    await stack.configure({
      repositories: [...kinds, 'partial'].map((name) => ({
        name,
        type: 'restic',
        url: `./repo-${name}`,
        password: `file:./${name}.key`,
      })),
      assets: [
        ...kinds.map((name) => ({
          name,
          type: 'directory',
          path: at(name),
          ...(name === 'slow' && {
            hooks: { before: [['sh', '-c', 'while test -e gate; do sleep 0.1; done']] },
          }),
        })),
        { name: 'partial', type: 'directory', path: unreadable },
      ],
      policies: [...kinds, 'partial'].map((name) =>
        policy(name, name === 'flipped' ? { proof: 'proven' } : {}),
      ),
    });
    await stack.up();
  });

  after(() => stack?.dispose());

  const refused = ({ exitCode, json }: Answer, exit: number, code: string): Json => {
    assert.deepEqual([exitCode, json.error?.code], [exit, code], JSON.stringify(json));
    assert.ok(json.error.message && json.error.hint);
    return json;
  };
  const good = (answer: Answer): Json => {
    assert.equal(answer.exitCode, 0, answer.stdout);
    return answer.json;
  };
  /** What a retried step says in the log of its job. */
  const attempts = async (job: string): Promise<string[]> =>
    ((await run('jobs', 'logs', job)).json.items as Json[])
      .map(({ message }) => message)
      .filter((message: string) => /^attempt \d/.test(message));

  it('names a policy, an asset and a job that are not there', async () => {
    assert.match(refused(await run('backup', 'run', 'criticl'), 1, 'notFound').error.message, /criticl/);
    refused(await run('backup', 'run', 'gone', '--asset', 'nothing'), 1, 'notFound');
    refused(await run('jobs', 'show', 'ffffffff'), 1, 'notFound');
    refused(await run('points', 'show', 'ffffffff'), 1, 'point.unknown');
    refused(await run('backup', 'run', '-rf'), 2, 'usage');
    refused(await run('backup', 'run', '--', '-rf'), 1, 'notFound');
  });

  it('answers a repeated request with the same job, and another under its key with a conflict', async () => {
    const first = good(await run('backup', 'run', 'gone', '--idempotency-key', 'k1'));
    const again = good(await run('backup', 'run', 'gone', '--idempotency-key', 'k1'));
    assert.equal(again.id, first.id);
    refused(await run('backup', 'run', 'keyed', '--idempotency-key', 'k1'), 11, 'request.conflict');
    assert.equal((await run('jobs', 'list', '--policy', 'gone')).json.items.length, 1);
    assert.equal((await run('jobs', 'list', '--policy', 'keyed')).json.items.length, 0);
  });

  it('runs one backup of a policy at a time, and a cancel ends it without a trace', async () => {
    const running = good(await run('backup', 'run', 'slow', '--detach'));
    refused(await run('backup', 'run', 'slow'), 11, 'request.conflict');
    good(await run('jobs', 'cancel', running.id));
    const ended = await until('the job has ended', async () => {
      const { json } = await run('jobs', 'show', running.id);
      return json.endedAt !== null && json;
    });
    assert.equal(ended.status, 'cancelled');
    await rm(at('gate'));
    good(await run('backup', 'run', 'slow'));
  });

  it('says a wrong repository password once, with an exit code of its own', async () => {
    good(await run('backup', 'run', 'keyed'));
    await writeFile(at('keyed.key'), 'another key\n', { mode: 0o600 });
    const job = refused(await run('backup', 'run', 'keyed'), 12, 'repository.wrongPassword');
    assert.equal(job.status, 'failed');
    assert.deepEqual(await attempts(job.id), []);
    assert.equal((await run('points', 'list', '--asset', 'keyed')).json.items.length, 1);
  });

  it('never makes a repository anew that vanished after its first use', async () => {
    await rename(at('repo-gone'), at('elsewhere'));
    refused(await run('backup', 'run', 'gone'), 10, 'repository.absent');
    await assert.rejects(stat(at('repo-gone')), /ENOENT/);
    await rename(at('elsewhere'), at('repo-gone'));
    good(await run('backup', 'run', 'gone'));
  });

  it('fails on a source that was emptied, and keeps the last point', async () => {
    const before = await treeDigest(at('emptied'));
    good(await run('backup', 'run', 'emptied'));
    await rename(at('emptied', 'content'), at('content'));
    const job = refused(await run('backup', 'run', 'emptied'), 1, 'source.empty');
    assert.equal(job.status, 'failed');
    const { items } = (await run('points', 'list', '--asset', 'emptied')).json;
    assert.equal(items.length, 1);
    const { id } = good(await run('restore', 'prepare', '--asset', 'emptied', '--to', at('back')));
    good(await run('restore', 'commit', id));
    assert.equal(await treeDigest(at('back')), before);
  });

  it('is never green when a file could not be read, and says which', async () => {
    const job = refused(await run('backup', 'run', 'partial'), 1, 'source.partial');
    assert.equal(job.status, 'failed');
    assert.match(job.assets[0].error.cause, /route\/flush/);
    const { health } = (await run('status')).json.assets.find((one: Json) => one.asset === 'partial');
    assert.notEqual(health, 'ok');
  });

  it('finds a flipped byte, names the point, turns red, and the next backup mends it', async () => {
    const { assets } = good(await run('backup', 'run', 'flipped'));
    const point = assets[0].recoveryPointId;
    await flipOneByte(at('repo-flipped', 'data'));
    const found = refused(await run('verify', 'run', 'flipped'), 20, 'repository.damaged');
    assert.match(found.error.cause + found.error.message, new RegExp(point));
    assert.equal((await run('points', 'show', point)).json.proof, 'damaged');
    const state = await run('status', '--check');
    const own = state.json.assets.find((one: Json) => one.asset === 'flipped');
    assert.deepEqual([state.exitCode, own.health], [21, 'critical'], own.reason);
    const mended = good(await run('backup', 'run', 'flipped'));
    assert.deepEqual([mended.status, mended.assets[0].proof], ['success', 'proven']);
    good(await run('verify', 'run', 'flipped'));
    const { assets: after } = (await run('status')).json;
    assert.notEqual(after.find((one: Json) => one.asset === 'flipped').health, 'critical');
  });
});

/** In the middle of the largest pack. */
async function flipOneByte(data: string): Promise<void> {
  const names = await readdir(data, { recursive: true });
  const sized = await Promise.all(
    names.map(async (name) => {
      const stats = await stat(join(data, name));
      return { name, size: stats.isFile() ? stats.size : -1 };
    }),
  );
  const { name, size } = sized.sort((one, other) => other.size - one.size)[0]!;
  const file = await open(join(data, name), 'r+');
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, Math.floor(size / 2));
  await file.write(Buffer.from([byte[0]! ^ 0x20]), 0, 1, Math.floor(size / 2));
  await file.close();
}
