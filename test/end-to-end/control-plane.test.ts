import assert from 'node:assert/strict';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startReceiver, webhookService, type Receiver } from '../activities/notify/fake-receiver.ts';
import { snapshotsIn } from '../fixtures/restic.ts';
import { makeStack, type Json, type Stack } from '../fixtures/stack.ts';
import { until } from '../fixtures/until.ts';

// What the whole stack does with nobody watching, through the command line. The tests are the chapters of one story
// and run in their order.

const SECRET = 'of the webhook';

describe('the control plane, with nobody watching', function () {
  let stack: Stack;
  let receiver: Receiver;
  const at = (...names: string[]) => join(stack.folder, ...names);
  const jobs = async (query: string): Promise<Json[]> => (await stack.get(`/jobs?${query}`))?.items ?? [];
  const points = async (): Promise<Json[]> => (await stack.run('points', 'list')).json.items;
  const told = () => receiver.received.flatMap(({ body }) => JSON.parse(body).incidents as Json[]);
  const audited = async (action: string): Promise<Json[]> =>
    (await stack.run('audit', 'list', '--action', action)).json.items;

  before(async () => {
    stack = await makeStack({ HOOK_SECRET: SECRET });
    receiver = await startReceiver(webhookService(SECRET, Date.now));
    await mkdir(at('tree'));
    await writeFile(at('tree', 'file'), 'content');
    await writeFile(at('near.key'), 'key', { mode: 0o600 });
    await writeFile(at('hook.url'), receiver.url, { mode: 0o600 });
    await stack.configure({
      // Its jobs and snapshots would be counted among those looked at here.
      controlPlane: { repositories: [] },
      repositories: [{ name: 'near', type: 'restic', url: './near', password: 'file:./near.key' }],
      assets: [{ name: 'tree', type: 'directory', path: at('tree') }],
      policies: [
        {
          name: 'often',
          assets: ['tree'],
          every: '1m',
          repository: 'near',
          retention: { keepLast: 1 },
          objectives: { rpo: '1h', successRate: '50%' },
          verification: { every: '1d', within: '30d' },
        },
      ],
      notifications: [
        {
          name: 'hook',
          type: 'webhook',
          url: 'file:./hook.url',
          secret: 'env:HOOK_SECRET',
          severity: 'warning',
        },
      ],
    });
    await stack.up();
  });
  after(async () => {
    await receiver?.close();
    await stack?.dispose();
  });

  it('backs up by itself when it is due', async () => {
    const { json } = await stack.run('policy', 'list');
    const schedules = json.items[0].runs.map(({ schedule }: Json) => schedule);
    assert.deepEqual(schedules, ['backup/often', 'retention/often', 'verify/often']);
    const [job] = await until('a scheduled backup has succeeded', async () => {
      const done = await jobs('type=backup&status=success');
      return done.length > 0 && done;
    });
    assert.equal(job?.trigger, 'schedule');
    assert.match(job?.workflowId, /^backup\/often-\d{4}-\d\d-\d\dT/);
  });

  it('stands still while it is paused, with who and why, and takes a run by hand', async () => {
    const paused = await stack.run('policy', 'pause', 'often', '--reason', 'a new disk');
    assert.equal(paused.exitCode, 0, paused.stdout);
    await until('nothing runs', async () => (await jobs('status=running')).length === 0);
    assert.equal((await stack.run('backup', 'run', 'often')).exitCode, 0);
    const { json } = await stack.run('status');
    assert.equal(json.assets[0].paused.reason, 'a new disk');
    assert.equal(json.assets[0].nextRunAt, null);
    assert.equal(json.assets[0].health, 'ok');
  });

  it('drops what no rule keeps, and never what is held', async () => {
    assert.equal((await stack.run('backup', 'run', 'often')).exitCode, 0);
    const before = await points();
    const oldest = before.at(-1)!;
    assert.ok(before.length >= 3, `${before.length}`);
    const held = await stack.run('points', 'hold', oldest.id, '--reason', 'case 117', '--owner', 'legal');
    assert.equal(held.exitCode, 0, held.stdout);
    const { json } = await stack.run('retention', 'plan', 'often');
    const decisions: Json[] = json.decisions;
    assert.match(
      decisions.find(({ recoveryPointId }) => recoveryPointId === oldest.id).reasons.join(),
      /case 117/,
    );
    const kept = decisions.filter(({ decision }) => decision === 'keep').map((one) => one.recoveryPointId);
    const done = await stack.run('retention', 'run', 'often');
    assert.equal(done.exitCode, 0, done.stdout);
    const left = (await points()).map(({ id }) => id);
    assert.deepEqual([...left].sort(), [...kept].sort());
    const snapshots = await snapshotsIn(at('near'), at('near.key'), 'tree');
    assert.equal(snapshots.length, left.length);
    const refused = await stack.run('points', 'delete', oldest.id, '--reason', 'tidying', '--confirm');
    assert.equal(refused.exitCode, 11, refused.stdout);
  });

  it('reads back what is due', async () => {
    const done = await stack.run('verify', 'run', 'often', '--due');
    assert.equal(done.exitCode, 0, done.stdout);
    const { json } = await stack.run('status');
    assert.ok(json.repositories[0].oldestUnread.seconds < 3600);
  });

  it('tells once of a backup that fails', async () => {
    await rename(at('tree'), at('tree.away'));
    assert.equal((await stack.run('backup', 'run', 'often')).exitCode, 1);
    await until('it was told', () => told().some(({ event }) => event === 'opened'));
    const [incident, ...others] = told().filter(({ key }) => /often.*backup/.test(key));
    assert.deepEqual(others, []);
    assert.match(incident.reason, /tree/);
    const { json } = await stack.run('incidents', 'list');
    assert.deepEqual(
      json.items.map(({ key }: Json) => key),
      [incident.key],
    );
    await rename(at('tree.away'), at('tree'));
  });

  it('has all of it on a chain that can be checked without it', async () => {
    for (const action of ['policy.paused', 'point.held', 'schedule.created', 'incident.opened'])
      assert.ok((await audited(action)).length > 0, action);
    const file = at('chain.ndjson');
    assert.equal((await stack.run('audit', 'export', '--output', file)).exitCode, 0);
    const verified = await stack.run('audit', 'verify', '--file', file);
    assert.equal(verified.exitCode, 0, verified.stdout);
  });

  it('and serves it as metrics', async () => {
    const { url, tokenFile } = JSON.parse(await readFile(join(stack.dataDir, 'run', 'api.json'), 'utf8')) as {
      url: string;
      tokenFile: string;
    };
    const token = (await readFile(tokenFile, 'utf8')).trim();
    const response = await fetch(new URL('/metrics', url), { headers: { authorization: `Bearer ${token}` } });
    const text = await response.text();
    assert.match(text, /^holdfast_last_success_timestamp_seconds\{policy="often",asset="tree"\} \d+/m);
    assert.match(text, /^holdfast_rpo_objective_seconds\{.*\} 3600$/m);
  });
});
