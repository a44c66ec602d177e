import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { execa } from 'execa';
import { leftovers, restic } from '../fixtures/restic.ts';
import type { Json, Stack } from '../fixtures/stack.ts';
import { treeDigest } from '../fixtures/tree-digest.ts';
import { until } from '../fixtures/until.ts';
import { ASSETS, REPOSITORIES, soakEstate, type SoakEstate } from './estate.ts';
import { randomFaults, type Faults } from './random-faults.ts';
import { wanted } from './wanted.ts';

const minutes = wanted('HOLDFAST_SOAK_MINUTES', 60);
const seed = wanted('HOLDFAST_SOAK_SEED', randomInt(1, 2 ** 31));
/** A job begins this often, or when the one before has ended. */
const everySeconds = wanted('HOLDFAST_SOAK_JOB_SECONDS', 60);
/** Longer than the longest backoff of a step, on a busy machine. */
const JOB_SECONDS = 15 * 60;

describe(`${minutes} minutes of random faults (HOLDFAST_SOAK_SEED=${seed})`, () => {
  let estate: SoakEstate;
  let stack: Stack;
  let at: SoakEstate['at'];
  let faults: Faults;
  /** What each generation of the source was, by asset. */
  const generations: Record<'tree' | 'ledger', string>[] = [];
  const jobs: Json[] = [];

  before(async () => {
    estate = await soakEstate();
    ({ stack, at } = estate);
    await changeSource(0);
    await estate.up({ name: 'all', every: '7d', proof: 'proven' });
    faults = randomFaults(stack, seed);
  });
  after(async () => {
    await faults?.stop();
    await stack?.dispose();
  });

  it('end every job, each with one point an asset at most', async () => {
    const end = Date.now() + minutes * 60_000;
    faults.begin();
    for (let generation = 0; Date.now() < end; generation += 1) {
      if (generation > 0) await changeSource(generation);
      const next = Date.now() + everySeconds * 1000;
      jobs.push({ ...(await runJob(`job-${generation}`)), generation });
      if (Date.now() < end) await pause(Math.max(0, Math.min(next, end) - Date.now()));
    }
    await faults.stop();
    process.stdout.write(`      ${faults.said()}; jobs: ${jobs.map(endOf).join(', ')}\n`);
    assert.ok(faults.count() > 0);
    const points = await allPoints();
    for (const job of jobs) {
      for (const asset of ASSETS) {
        const own = points.filter((point) => point.jobId === job.id && point.asset === asset);
        assert.ok(own.length <= 1, `${job.id} made ${own.length} points of ${asset}`);
      }
    }
  });

  it('and once they are over, a backup succeeds and leaves neither lock nor half-written file', async () => {
    await changeSource(generations.length);
    const job = await runJob('afterwards');
    jobs.push({ ...job, generation: generations.length - 1 });
    assert.equal(job.status, 'success', JSON.stringify(job.assets, null, 1));
    for (const name of REPOSITORIES) {
      assert.deepEqual(await leftovers(at(name)), []);
      const checked = await restic(at(name), at(`${name}.key`), 'check', '--read-data');
      assert.equal(checked.exitCode, 0, checked.stderr);
    }
    assert.deepEqual(await readdir(join(stack.dataDir, 'scratch')), []);
    assert.equal((await stack.run('audit', 'verify')).exitCode, 0);
  });

  it('and every copy of every point is one snapshot, no more and no less', async () => {
    await estate.assertKept(await allPoints());
  });

  it('and every point recorded as proven restores as the source was', async () => {
    const proven = (await allPoints()).filter(({ proof }) => proof === 'proven');
    assert.ok(proven.length > 0);
    for (const point of proven) {
      const asset = point.asset as 'tree' | 'ledger';
      const to = at('back');
      const words = ['--asset', asset, '--point', point.id, '--to', to];
      const { json } = await stack.run('restore', 'prepare', ...words);
      assert.equal(json.status, 'prepared', JSON.stringify(json.error));
      const done = await stack.run('restore', 'commit', json.id);
      assert.equal(done.json.status, 'completed', done.stdout);
      const { generation } = jobs.find(({ id }) => id === point.jobId);
      assert.equal(await measure(asset, to), generations[generation]?.[asset], `${asset} of ${point.id}`);
      await rm(to, { recursive: true });
    }
    process.stdout.write(`      ${proven.length} points restored\n`);
  });

  /** Some files new, some changed, one gone; some rows more. Nothing changes while a job runs. */
  async function changeSource(generation: number): Promise<void> {
    for (let index = 0; index < 300; index += 1)
      await writeFile(at('tree', `file-${index + generation * 20}`), `${generation} ${index}\n`.repeat(200));
    if (generation > 0) await rm(at('tree', `file-${generation - 1}`));
    const rows = 'with recursive n(i) as (select 1 union all select i + 1 from n where i < 500)';
    await execa('sqlite3', [
      at('ledger.db'),
      `create table if not exists entries (generation, what); ${rows} insert into entries select ${generation}, hex(randomblob(100)) from n`,
    ]);
    generations.push({
      tree: await measure('tree', at('tree')),
      ledger: await measure('ledger', at('ledger.db')),
    });
  }

  async function measure(asset: 'tree' | 'ledger', path: string): Promise<string> {
    if (asset === 'tree') return treeDigest(path);
    return (await execa('sqlite3', [path, 'select count(*), sum(length(what)), max(what) from entries']))
      .stdout;
  }

  /** Started once however often it has to be asked, and waited for until it has ended. */
  async function runJob(key: string): Promise<Json> {
    const started = await until(
      `${key} is taken`,
      async () => {
        const words = ['backup', 'run', 'all', '--idempotency-key', key, '--detach'];
        const { exitCode, json } = await stack.run(...words);
        return exitCode === 0 && json;
      },
      JOB_SECONDS,
    );
    return until(
      `${key} has ended`,
      async () => {
        const job = await stack.get(`/jobs/${started.id}`);
        return job?.endedAt && job;
      },
      JOB_SECONDS,
    );
  }

  function allPoints(): Promise<Json[]> {
    return estate.all('/points?limit=100');
  }
});

function endOf({ status, error, assets }: Json): string {
  const failures = [error, ...assets.map((one: Json) => one.error)].filter(Boolean);
  const words = failures.map(({ code, message, cause }: Json) => `${code}: ${message}: ${cause}`);
  return words.length > 0 ? `${status} (${words.join('; ')})` : status;
}
