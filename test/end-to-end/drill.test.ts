import assert from 'node:assert/strict';
import { chmod, readFile, readdir, rename, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { makeAssets, type Assets } from '../fixtures/assets.ts';
import { notSoon } from '../fixtures/not-soon.ts';
import { makeStack, type Answer, type Json, type Stack } from '../fixtures/stack.ts';
import { until } from '../fixtures/until.ts';

// A rehearsed loss from the copy alone, through the command line. The tests are the chapters of one story.

describe('a drill', function () {
  // Three assets, two repositories and seven drills, on whatever machine it is.
  this.timeout(600_000);
  let stack: Stack;
  let assets: Assets;
  const at = (...names: string[]) => join(stack.folder, ...names);
  const rooms = async () =>
    (await readdir(at('.holdfast', 'scratch')).catch(() => [])).filter((name) => name.endsWith('.drill'));

  const app = `
    const { existsSync } = require('node:fs');
    require('node:http').createServer((_, answer) => {
      answer.statusCode = existsSync(process.env.HOLDFAST_DRILL_UPLOADS_PATH) ? 200 : 500;
      answer.end();
    }).listen(Number(process.env.HOLDFAST_DRILL_PORT), '127.0.0.1');`;
  const question = `set -e
    test -f "$HOLDFAST_DRILL_SALES_PATH"
    test "$(psql -XAt "$HOLDFAST_DRILL_ORDERS_URL" -c 'select count(*) from orders')" = 5000`;

  before(async () => {
    stack = await makeStack();
    assets = await makeAssets(stack.folder);
    await writeFile(at('near.key'), 'key of near', { mode: 0o600 });
    await writeFile(at('far.key'), 'key of far', { mode: 0o600 });
    await writeFile(at('orders.url'), assets.databaseUrl, { mode: 0o600 });
    await writeFile(at('question.sh'), question);
    await writeFile(at('hang.sh'), 'sleep 3600 & echo $! > "$1"; wait');
    await writeFile(at('hanging.pid'), '');
    // As root they run under an account of their own, to which the way has to be open.
    await chmod(stack.folder, 0o711);
    for (const [name, mode] of [
      ['question.sh', 0o644],
      ['hang.sh', 0o644],
      ['hanging.pid', 0o666],
    ] as const)
      await chmod(at(name), mode);
    const drill = { policies: ['daily'], from: 'far', scenario: 'siteLoss' };
    await stack.configure({
      evidence: { folder: './shown' },
      repositories: ['near', 'far'].map((name) => ({
        name,
        type: 'restic',
        url: `./${name}`,
        password: `file:./${name}.key`,
      })),
      assets: [
        {
          name: 'orders',
          type: 'postgres',
          url: 'file:./orders.url',
          checks: [{ sql: 'select count(*) = 5000 from orders' }],
        },
        { name: 'sales', type: 'sqlite', path: assets.sqliteFile },
        { name: 'uploads', type: 'directory', path: assets.tree },
      ],
      policies: [
        {
          name: 'daily',
          assets: ['orders', 'sales', 'uploads'],
          cron: notSoon(),
          repository: 'near',
          copies: ['far'],
        },
      ],
      drills: [
        {
          ...{ ...drill, name: 'quarterly', cron: '0 3 1 */3 *', objectives: { rto: '4h', rpo: '1h' } },
          start: ['node', '-e', app],
          smoke: [{ command: ['sh', './question.sh'] }, { http: 'http://127.0.0.1:{port}/api/health' }],
        },
        {
          ...{ ...drill, name: 'hanging', assets: ['uploads'], policies: [], smokeTimeout: '2s' },
          smoke: [{ command: ['sh', './hang.sh', at('hanging.pid')] }],
        },
        { ...drill, name: 'hurried', assets: ['uploads'], policies: [], objectives: { rpo: '1s' } },
      ],
    });
    await stack.up();
    const { exitCode, stdout } = await stack.run('backup', 'run', 'daily');
    assert.equal(exitCode, 0, stdout);
    await assets.stopWriting();
  });
  after(async () => {
    await stack?.dispose();
    await assets?.stop();
  });

  it('rebuilds everything from the copy while the near repository, its key and production are away', async () => {
    await assets.loseEverything();
    for (const name of ['near', 'near.key', 'orders.url']) await rename(at(name), at(`${name}.away`));
    const { exitCode, json, stdout, stderr } = await stack.run('drill', 'run', 'quarterly');
    assert.equal(exitCode, 0, stdout + stderr);
    assert.equal(json.outcome, 'passed', stdout);
    assert.equal(json.status, 'success');
    assert.ok(json.rtoSeconds > 0);
    assert.ok(json.rpoSeconds >= 0);
    assert.deepEqual(
      json.assets.map(({ asset, restored }: Json) => [asset, restored]),
      [
        ['orders', true],
        ['sales', true],
        ['uploads', true],
      ],
    );
    const orders = json.assets[0].integrity;
    assert.equal(orders.restored.rows, orders.expected.rows);
    assert.ok(orders.restored.rows > 5000);
    assert.deepEqual(
      new Set(json.phases.map(({ name }: Json) => name)),
      new Set(['prepare', 'restore', 'integrity', 'smoke', 'tearDown']),
    );
    assert.deepEqual(await rooms(), []);
    for (const { id, holds, proof } of (await stack.run('points', 'list')).json.items) {
      assert.deepEqual(holds, [], `${id} is still held`);
      assert.equal(proof, 'proven');
    }
  });

  it('leaves evidence that verifies offline and holds no secret', async () => {
    const [{ evidence }] = (await stack.run('drill', 'list')).json.items;
    const key = await stack.run('audit', 'key');
    assert.equal(key.exitCode, 0);
    assert.equal(dirname(evidence), at('shown'));
    const text = await readFile(evidence, 'utf8');
    assert.equal(await readFile(join(stack.dataDir, 'evidence', basename(evidence)), 'utf8'), text);
    const { payload } = JSON.parse(text) as { payload: string };
    const stated = Buffer.from(payload, 'base64').toString('utf8');
    assert.doesNotMatch(stated, /key of far/);
    if (process.getuid?.() === 0) assert.match(stated, /what ran there ran as uid 2\d{9} of its own/);
    assert.doesNotMatch(stated, /near\.key/, 'the near key was opened, or named');
    const verified = await stack.run('evidence', 'verify', evidence);
    assert.equal(verified.exitCode, 0, verified.stdout);
  });

  it('of another name is held beside it from the same repository, each in its room', async () => {
    const [hanging, hurried] = await Promise.all(
      ['hanging', 'hurried'].map((name) => stack.run('drill', 'run', name)),
    );
    saysThatItHung(hanging!);
    const { exitCode, json, stdout } = hurried!;
    assert.equal(exitCode, 21, stdout);
    assert.equal(json.outcome, 'missed');
    assert.equal(json.status, 'warning');
    assert.match(json.evidence, /hurried/);
    const pid = Number(await readFile(at('hanging.pid'), 'utf8'));
    assert.throws(() => process.kill(pid, 0), /ESRCH/, 'what the hanging test started is still there');
    assert.deepEqual(await rooms(), []);
  });

  it('is linked to the one that tests again what it missed, and signed off by a person', async () => {
    const [missed] = (await stack.run('drill', 'list', '--drill', 'hurried')).json.items;
    assert.match(missed.actions[0].what, /come within the objective: RPO/);
    const again = await stack.run('drill', 'run', 'hurried');
    assert.deepEqual(again.json.retests, [{ drill: missed.id, action: missed.actions[0].id }]);
    const approved = await stack.run(
      'drill',
      'approve',
      missed.id.slice(0, 8),
      '--note',
      'a second is too short',
    );
    assert.equal(approved.exitCode, 0, approved.stdout);
    assert.equal(approved.json.approval.note, 'a second is too short');
    assert.deepEqual(
      approved.json.retestedBy.map(({ drill, outcome }: Json) => [drill, outcome]),
      [[again.json.id, 'missed']],
    );
  });

  function saysThatItHung({ exitCode, json, stdout }: Answer): void {
    assert.equal(exitCode, 20, stdout);
    assert.equal(json.outcome, 'failed');
    assert.match(json.reasons[0].what, /still running after 2 s/);
  }

  it('has its evidence where it was drilled from within seconds, while another repository is away', async () => {
    const items = await until('the evidence is in the copy', async () => {
      const { json } = await stack.run('control-plane', 'list');
      const far = json.items.find(({ repository }: Json) => repository === 'far');
      return far?.stored?.evidenceSequence > 0 && (json.items as Json[]);
    });
    assert.match(items.find(({ repository }) => repository === 'near').behind, /near/);
    const { json } = await stack.run('points', 'list', '--kind', 'system');
    assert.ok(json.items.some(({ copies }: Json) => copies[0].repository === 'far'));
  });

  it('goes on when its worker is killed, with one piece of evidence', async () => {
    const started = await stack.run('drill', 'run', 'quarterly', '--detach');
    assert.equal(started.exitCode, 0, started.stdout);
    const second = await stack.run('drill', 'run', 'quarterly');
    assert.deepEqual([second.exitCode, second.json.error?.code], [11, 'request.conflict']);
    const { worker } = await stack.pids();
    process.kill(worker!, 'SIGKILL');
    await stack.cameBack('worker', worker!);
    const job = await stack.ended(started.json.id);
    assert.equal(job.status, 'success', JSON.stringify(job.error));
    const { items } = (await stack.run('evidence', 'list')).json;
    assert.equal(items.filter(({ drillId }: Json) => drillId === started.json.id).length, 1);
    assert.deepEqual(await rooms(), []);
  });
});
