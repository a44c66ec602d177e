import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { startObjectStore, type ObjectStore } from '../../tools/demo/object-store.ts';
import { readStack, stackFile } from '../../workers/stack-file.ts';
import { CANARY, startTestServer, type TestServer } from '../activities/sources/postgres-server.ts';
import { notSoon } from '../fixtures/not-soon.ts';
import { makeStack, type Json, type Stack } from '../fixtures/stack.ts';

// Row 41 of the fault matrix, law 5: a backup with copies, a proof, a restore and a failure, and then a search
// for every secret in everything that was written, sent or shown.

describe('canary secrets', function () {
  let stack: Stack;
  let server: TestServer;
  let store: ObjectStore;
  let secrets: Record<string, string>;
  const shown: string[] = [];
  const seenArguments = new Set<string>();

  before(async () => {
    stack = await makeStack();
    server = await startTestServer();
    await server.sql('postgres', 'create database orders');
    await server.sql('orders', 'create table orders (id int)', 'insert into orders values (1), (2)');
    store = await startObjectStore(join(stack.folder, 's3'));
    secrets = {
      'database password': CANARY,
      'repository password': 'canary-repository-8d1c',
      'password of the copy': 'canary-offsite-77ab',
      'S3 secret': store.secretKey,
      'another key': 'canary-wrong-4f0e',
    };
    const write = (name: string, secret: string) =>
      writeFile(join(stack.folder, name), `${secret}\n`, { mode: 0o600 });
    await write('local.key', secrets['repository password']!);
    await write('offsite.key', secrets['password of the copy']!);
    await write('s3.secret', store.secretKey);
    await write('s3.id', store.accessKey);
    await write('orders.url', server.url('orders'));
    await stack.configure({
      // Its jobs and snapshots would be counted among those looked at here.
      controlPlane: { repositories: [] },
      repositories: [
        { name: 'local', type: 'restic', url: './repo', password: 'file:./local.key' },
        {
          name: 'offsite',
          type: 'restic',
          url: `s3:${store.url}/holdfast`,
          password: 'file:./offsite.key',
          env: { AWS_ACCESS_KEY_ID: 'file:./s3.id', AWS_SECRET_ACCESS_KEY: 'file:./s3.secret' },
        },
      ],
      assets: [{ name: 'orders', type: 'postgres', url: 'file:./orders.url' }],
      policies: [
        {
          name: 'critical',
          assets: ['orders'],
          cron: notSoon(),
          repository: 'local',
          copies: ['offsite'],
          proof: 'proven',
        },
      ],
    });
    const sampling = sampleArguments();
    try {
      await tell('up', '--detach');
      secrets['API token'] = (await readFile(join(stack.dataDir, 'run', 'admin.token'), 'utf8')).trim();
      assert.equal((await tell('backup', 'run', 'critical')).json.status, 'success');
      const { json } = await tell('restore', 'prepare', '--asset', 'orders', '--from', 'offsite');
      assert.equal((await tell('restore', 'commit', json.id)).json.status, 'completed');
      await write('local.key', secrets['another key']!);
      assert.equal((await tell('backup', 'run', 'critical')).exitCode, 12);
      await write('local.key', secrets['repository password']!);
    } finally {
      await sampling.stop();
    }
  });

  after(async () => {
    await stack?.dispose();
    await server?.stop();
    await store?.stop();
  });

  async function tell(...words: string[]) {
    const answer = await stack.run(...words);
    shown.push(answer.stdout, answer.stderr);
    return answer;
  }

  function assertNone(where: string, text: string): void {
    for (const [name, secret] of Object.entries(secrets)) {
      for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')]) {
        assert.ok(!text.includes(form), `the ${name} is in ${where}`);
      }
    }
  }

  it('are in the arguments of no process', () => {
    const all = [...seenArguments];
    // The sampling did see the tools.
    for (const tool of ['restic', 'pg_dump', 'pg_restore', 'worker', 'temporal']) {
      assert.ok(
        all.some((words) => words.includes(tool)),
        `${tool} was seen`,
      );
    }
    assertNone('the arguments of a process', all.join('\n'));
  });

  it('are in nothing that was printed or answered', async () => {
    const { items: jobs } = await stack.get('/jobs');
    assert.ok(jobs.length >= 2);
    const paths = [
      '/status',
      '/jobs',
      '/points',
      '/points?kind=safety',
      '/restores',
      '/audit',
      '/configuration',
    ];
    for (const path of [...paths, ...jobs.map(({ id }: Json) => `/jobs/${id}/events`)]) {
      const answer = await stack.get(path);
      assert.ok(answer !== null, path);
      assertNone(path, JSON.stringify(answer));
    }
    assertNone('what the command line printed', shown.join('\n'));
  });

  it('are in the history of no workflow', async () => {
    const { temporal } = await readStack(stackFile(stack.dataDir));
    const connection = await Connection.connect({ address: temporal.address });
    try {
      const client = new Client({ connection, namespace: temporal.namespace });
      const { items: jobs } = await stack.get('/jobs');
      const ids = [...jobs.map(({ workflowId }: Json) => workflowId), 'restore/r-1'];
      for (const id of ids) {
        const history = await client.workflow.getHandle(id).fetchHistory();
        const text = textsIn(history);
        assert.match(text, /orders/, 'payloads are readable here');
        assertNone(`the history of ${id}`, text);
      }
    } finally {
      await connection.close();
    }
  });

  it('are in no file of the data directory but the token in its own', async () => {
    const token = join('run', 'admin.token');
    const names = await readdir(stack.dataDir, { recursive: true });
    assert.ok(names.includes(token));
    for (const name of names.filter((one) => one !== token)) {
      const content = await readFile(join(stack.dataDir, name)).catch(() => null);
      if (content) assertNone(name, content.toString('latin1'));
    }
  });

  /** Every command line there is, again and again. This test's own process has no secret in its arguments. */
  function sampleArguments(): { stop(): Promise<void> } {
    let sampling = true;
    const done = (async () => {
      while (sampling) {
        for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
          const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
          if (words) seenArguments.add(words.replaceAll('\0', ' '));
        }
        await pause(20);
      }
    })();
    return {
      stop: async () => {
        sampling = false;
        await done;
      },
    };
  }
});

/** Every text and every payload, decoded: JSON would show payloads in base64. */
function textsIn(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return '';
  return Object.values(value).map(textsIn).join('\n');
}
