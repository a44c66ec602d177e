import assert from 'node:assert/strict';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { execa } from 'execa';
import { unseal } from '../../activities/kit/seal.ts';
import { makeAssets, type Assets } from '../fixtures/assets.ts';
import { notSoon } from '../fixtures/not-soon.ts';
import { makeStack, type Json, type Stack } from '../fixtures/stack.ts';
import { until } from '../fixtures/until.ts';

// The recovery kit on a real stack, with three real assets. The tests are the chapters of one story.

describe('the recovery kit', function () {
  this.timeout(600_000);
  let stack: Stack;
  let assets: Assets;
  let identity: string;
  let configuration: { kit?: object } & Record<string, unknown>;
  const at = (...names: string[]) => join(stack.folder, ...names);
  const audit = async (action: string): Promise<Json[]> =>
    (await stack.run('audit', 'list', '--action', action)).json.items;

  before(async () => {
    stack = await makeStack({ FAR_TOKEN: 'token of far' });
    assets = await makeAssets(stack.folder);
    identity = await generateIdentity();
    await writeFile(at('kit.identity'), `# made for a test\n${identity}\n`, { mode: 0o600 });
    await writeFile(at('near.key'), 'key of near', { mode: 0o600 });
    await writeFile(at('far.key'), 'key of far', { mode: 0o600 });
    await writeFile(at('orders.url'), assets.databaseUrl, { mode: 0o600 });
    configuration = {
      kit: { recipients: [await identityToRecipient(identity)] },
      repositories: [
        { name: 'near', type: 'restic', url: './near', password: 'file:./near.key' },
        {
          ...{ name: 'far', type: 'restic', url: './far', password: 'file:./far.key' },
          env: { FAR_TOKEN: 'env:FAR_TOKEN' },
        },
      ],
      assets: [
        {
          ...{ name: 'orders', type: 'postgres', url: 'file:./orders.url' },
          checks: [{ sql: 'select count(*) = 5000 from orders' }],
        },
        { name: 'sales', type: 'sqlite', path: assets.sqliteFile },
        { name: 'uploads', type: 'directory', path: assets.tree },
      ],
      policies: [
        {
          ...{ name: 'daily', assets: ['orders', 'sales', 'uploads'], cron: notSoon() },
          ...{ repository: 'near', copies: ['far'] },
        },
      ],
      drills: [
        {
          ...{ name: 'key-lost', scenario: 'keyLoss', policies: ['daily'], from: 'far' },
          kit: { file: './kit/recovery-kit.age', identity: 'file:./kit.identity' },
        },
      ],
    };
    await stack.configure(configuration);
    await stack.up();
    const { exitCode, stdout } = await stack.run('backup', 'run', 'daily');
    assert.equal(exitCode, 0, stdout);
    await assets.stopWriting();
  });
  after(async () => {
    await stack?.dispose();
    await assets?.stop();
  });

  it('is sealed, opens with age and tar, and has every key; its sheet and its traces have none', async () => {
    const { exitCode, json, stdout } = await stack.run('kit', 'export');
    assert.equal(exitCode, 0, stdout);
    assert.equal(json.current, true);
    assert.equal(json.confirmedAt, null);
    const sealed = await readFile(at('kit', 'recovery-kit.age'));
    assert.match(sealed.subarray(0, 30).toString(), /^age-encryption\.org\/v1\n/);
    assert.equal((await stat(at('kit', 'recovery-kit.age'))).mode & 0o777, 0o600);
    await mkdir(at('opened'));
    const archive = await unseal(sealed, identity);
    await execa('tar', ['-x', '-C', at('opened')], { input: archive });
    const opened = (...names: string[]) => readFile(at('opened', ...names), 'utf8');
    assert.equal(await opened('repositories', 'near', 'password'), 'key of near');
    assert.equal(await opened('repositories', 'far', 'password'), 'key of far');
    assert.match(await opened('repositories', 'far', 'environment'), /^export FAR_TOKEN='token of far'$/m);
    const sheet = await readFile(at('kit', 'recovery-kit.md'), 'utf8');
    assert.equal(await opened('recovery-kit.md'), sheet);
    const [written] = await audit('kit.written');
    assert.deepEqual(written.details.sealedFor, json.sealedFor);
    assert.match(JSON.stringify(written.details.opened), /far: file:.*far\.key/);
    const traces = JSON.stringify([await audit('kit.'), await audit('secret.used'), json]) + sheet;
    for (const secret of ['key of near', 'key of far', 'token of far']) assert.ok(!traces.includes(secret));
    await rm(at('opened'), { recursive: true });
  });

  it('brings everything back in a drill by its own key and its own commands, the configured key being lost', async () => {
    await assets.loseEverything();
    for (const name of ['near', 'near.key', 'far.key', 'orders.url'])
      await rename(at(name), at(`${name}.away`));
    const { exitCode, json, stdout, stderr } = await stack.run('drill', 'run', 'key-lost');
    assert.equal(exitCode, 0, stdout + stderr);
    assert.equal(json.outcome, 'passed', stdout);
    assert.deepEqual(
      json.assets.map(({ asset, restored }: Json) => [asset, restored]),
      ['orders', 'sales', 'uploads'].map((asset) => [asset, true]),
    );
    const [orders] = json.assets;
    assert.ok(orders.checks.some(({ name, ok }: Json) => name === 'by the sheet' && ok));
    const { payload } = JSON.parse(await readFile(json.evidence, 'utf8')) as { payload: string };
    const stated = Buffer.from(payload, 'base64').toString('utf8');
    assert.match(stated, /"from":"kit"/);
    assert.match(stated, /restic restore latest/);
    assert.doesNotMatch(stated, /key of far|token of far|AGE-SECRET-KEY/);
    for (const name of ['near', 'near.key', 'far.key', 'orders.url'])
      await rename(at(`${name}.away`), at(name));
  });

  it('is written anew when what it says changes, and asks for its copies to be replaced until somebody has', async () => {
    const before = (await stack.run('kit', 'show')).json;
    await rename(at('kit', 'recovery-kit.age'), at('old-kit.age'));
    const [policy] = configuration['policies'] as object[];
    await stack.configure({ ...configuration, policies: [{ ...policy, objectives: { rto: '30m' } }] });
    assert.equal((await stack.run('apply')).exitCode, 0);
    const renewed = await until('the kit was written anew', async () => {
      const { json } = await stack.run('kit', 'show');
      return json.id !== before.id && json.current && json;
    });
    assert.equal(renewed.confirmedAt, null);
    const open = () =>
      until('the incident is open', async () => {
        const { items } = (await stack.run('incidents', 'list')).json;
        return items.find(({ key }: Json) => key === 'kit/outdated');
      });
    assert.equal((await open()).severity, 'info');
    assert.equal((await stack.run('kit', 'confirm')).json.confirmedBy, 'local-admin');
    const [confirmed] = await audit('kit.confirmed');
    assert.equal(confirmed.subject, `kit/${renewed.id}`);
  });

  it('fails the drill where it is outdated', async () => {
    await rename(at('old-kit.age'), at('kit', 'recovery-kit.age'));
    const { exitCode, json, stdout } = await stack.run('drill', 'run', 'key-lost');
    assert.equal(exitCode, 20, stdout);
    assert.equal(json.outcome, 'failed');
    assert.match(JSON.stringify(json), /outdated/);
  });
});
