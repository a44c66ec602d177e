import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { execa } from 'execa';
import { peakMemory } from '../../bench/processes.ts';
import { startReceiver, webhookService, type Receiver } from '../activities/notify/fake-receiver.ts';
import { restic } from '../fixtures/restic.ts';
import { seeded } from '../fixtures/seeded.ts';
import type { Json, Stack } from '../fixtures/stack.ts';
import { until } from '../fixtures/until.ts';
import { ASSETS, copiesOf, REPOSITORIES, soakEstate, type SoakEstate } from './estate.ts';
import { wanted } from './wanted.ts';

const minutes = wanted('HOLDFAST_SOAK_CADENCE_MINUTES', 60);
const seed = wanted('HOLDFAST_SOAK_SEED', randomInt(1, 2 ** 31));
const SECRET = 'of the webhook';
const KEPT = 5;
/** The watcher looks every 15 s, and what is over has to stay away for a while before it is called so. */
const RESOLVED_SECONDS = 20 * 60;

describe(`a one-minute cadence for ${minutes} minutes (HOLDFAST_SOAK_SEED=${seed})`, () => {
  const random = seeded(seed);
  let estate: SoakEstate;
  let stack: Stack;
  let at: SoakEstate['at'];
  let all: SoakEstate['all'];
  let receiver: Receiver;
  /** What was done to the estate, and when. */
  const outages: { what: string; from: number; to: number }[] = [];
  let begunAt = 0;

  before(async () => {
    estate = await soakEstate({ HOOK_SECRET: SECRET });
    ({ stack, at, all } = estate);
    receiver = await startReceiver(webhookService(SECRET, Date.now));
    await writeFile(at('tree', 'one'), 'one');
    await writeFile(at('hook.url'), receiver.url, { mode: 0o600 });
    await execa('sqlite3', [at('ledger.db'), 'create table entries (at); insert into entries values (1)']);
    await estate.up(
      {
        name: 'minutely',
        every: '1m',
        retention: { keepLast: KEPT },
        proof: 'verified',
        objectives: { rpo: '10m' },
        verification: { every: '10m', within: '1h', rehearse: '30m' },
      },
      {
        notifications: [
          {
            name: 'hook',
            type: 'webhook',
            url: 'file:./hook.url',
            secret: 'env:HOOK_SECRET',
            severity: 'info',
          },
        ],
      },
    );
    begunAt = Date.now();
  });
  after(async () => {
    await receiver?.close();
    await stack?.dispose();
  });

  it('goes on by itself through what is done to it', async () => {
    const end = begunAt + minutes * 60_000;
    const memory: number[] = [];
    while (Date.now() < end) {
      await pause(Math.min(60_000 + random() * 120_000, Math.max(0, end - Date.now())));
      if (Date.now() >= end) break;
      await oneOutage();
      await execa('sqlite3', [at('ledger.db'), `insert into entries values (${Date.now()})`]);
      await writeFile(at('tree', `file-${Date.now()}`), String(random()));
      await retention();
      const { worker } = await stack.pids();
      if (worker) memory.push(await peakMemory(worker).catch(() => 0));
    }
    process.stdout.write(
      `      ${outages.map(({ what }) => what).join(', ')}; worker ${Math.round(Math.max(...memory) / 2 ** 20)} MiB at most\n`,
    );
    assert.ok(Math.max(...memory) < 512 * 2 ** 20);
  });

  it('has a run for every minute of which nothing was taken away, none beside another', async () => {
    const jobs = (await all('/jobs?limit=500')).filter(
      ({ type, trigger }) => type === 'backup' && trigger === 'schedule',
    );
    const spans = jobs
      .map(({ startedAt, endedAt }) => [Date.parse(startedAt), Date.parse(endedAt ?? startedAt)] as const)
      .sort(([one], [other]) => one - other);
    for (const [index, [startedAt]] of spans.entries()) {
      const before = spans[index - 1];
      assert.ok(!before || before[1] <= startedAt, 'two backups of one policy at once');
    }
    const skipped = (await all('/audit?limit=500')).filter(({ action }) => action === 'job.skipped');
    const missed = skipped.reduce((sum, { details }) => sum + Number(details.missed ?? 1), 0);
    const away = outages
      .filter(({ what }) => what !== 'tree')
      .reduce((sum, { from, to }) => sum + Math.ceil((to - from) / 60_000) + 2, 0);
    process.stdout.write(
      `      ${jobs.length} runs, ${missed} left out and said, at most ${away} in outages\n`,
    );
    assert.ok(jobs.length + missed + away >= minutes - 2, 'a run was lost in silence');
  });

  it('keeps exactly what the plan says, in the catalogue and in both repositories', async () => {
    const paused = await stack.run('policy', 'pause', 'minutely', '--reason', 'the end of the test');
    assert.equal(paused.exitCode, 0, paused.stdout);
    await until(
      'nothing runs',
      async () => {
        const { items } = await stack.get('/jobs?status=running');
        return items.length === 0;
      },
      600,
    );
    const { exitCode, stdout } = await stack.run('retention', 'run', 'minutely');
    assert.equal(exitCode, 0, stdout);
    const points = (await all('/points?limit=500')).filter(({ kind }) => kind === 'regular');
    await estate.assertKept(points);
    for (const repository of REPOSITORIES) {
      for (const asset of ASSETS) {
        const { length } = copiesOf(points, asset, repository);
        assert.ok(length >= KEPT && length <= KEPT + 2, `${length} of ${asset} in ${repository}`);
      }
    }
    for (const name of REPOSITORIES) {
      const checked = await restic(at(name), at(`${name}.key`), 'check', '--read-data');
      assert.equal(checked.exitCode, 0, checked.stderr);
    }
  });

  it('told of every outage that a backup met, once, and of its end', async () => {
    const failed = (await all('/jobs?limit=500')).filter(
      ({ type, status }) => type === 'backup' && (status === 'failed' || status === 'warning'),
    );
    const messages = () => receiver.received.flatMap(({ body }) => JSON.parse(body).incidents as Json[]);
    const ofBackups = () => messages().filter(({ key }) => key.endsWith('/backup'));
    if (failed.length > 0) assert.ok(ofBackups().some(({ event }) => event === 'opened'));
    await until(
      'every incident of a backup is over and said to be',
      () => {
        const opened = ofBackups().filter(({ event }) => event === 'opened');
        const resolved = new Set(
          ofBackups()
            .filter(({ event }) => event === 'resolved')
            .map(({ id }) => id),
        );
        return opened.every(({ id }) => resolved.has(id));
      },
      RESOLVED_SECONDS,
    );
    const opened = ofBackups()
      .filter(({ event }) => event === 'opened')
      .map(({ id }) => id);
    assert.equal(new Set(opened).size, opened.length, 'told twice');
    process.stdout.write(
      `      ${failed.length} jobs failed, ${opened.length} incidents, ${receiver.received.length} messages\n`,
    );
    assert.ok(opened.length <= failed.length);
  });

  it('and its audit chain is whole', async () => {
    assert.equal((await stack.run('audit', 'verify')).exitCode, 0);
    assert.equal((await readFile(at('tree', 'one'), 'utf8')).length, 3);
  });

  async function oneOutage(): Promise<void> {
    const kinds = ['tree', 'far', 'worker', 'temporal', 'catalog'] as const;
    const what = kinds[Math.floor(random() * kinds.length)] ?? 'tree';
    const from = Date.now();
    if (what === 'tree' || what === 'far') {
      await rename(at(what), at(`${what}.away`));
      await pause(70_000 + random() * 60_000);
      await rename(at(`${what}.away`), at(what));
    } else {
      const pid = (await stack.pids())[what];
      if (pid) {
        process.kill(pid, 'SIGKILL');
        await stack.cameBack(what, pid);
      }
    }
    outages.push({ what, from, to: Date.now() });
  }

  /** Its own Schedule comes once a day: too seldom for an hour. One that meets an outage is done by the next. */
  async function retention(): Promise<void> {
    const { exitCode, json } = await stack.run('retention', 'run', 'minutely');
    if (exitCode !== 0) process.stdout.write(`      retention: ${JSON.stringify(json.error?.message)}\n`);
  }
});
