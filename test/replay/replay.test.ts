import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { homedir, hostname } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { defaultCacheDirectory } from '../../tools/cache.ts';
import { workflowBundle } from '../../workers/workflow-bundle.ts';
import * as workflows from '../../workflows/index.ts';
import { quietRuntime } from '../workflows/time-skipping.ts';
import { historyFromJson, type History } from './history-json.ts';
import { recordings } from './recordings.ts';

// Law 8. Out of date on purpose, before a release: `npx tsx test/replay/record-histories.ts`. After one,
// histories like these are somebody's running jobs: keep the files, and let the change go through `patched`.

const folder = fileURLToPath(new URL('histories', import.meta.url));
const rerecord = 'record it: npx tsx test/replay/record-histories.ts';

interface Recorded {
  workflowId: string;
  history: History;
}

describe('recorded histories', () => {
  let recorded: Recorded[];
  let code: string;

  before(async () => {
    quietRuntime();
    const files = await readdir(folder);
    recorded = await Promise.all(
      files.map(async (file) => ({
        workflowId: basename(file, '.json'),
        history: historyFromJson(JSON.parse(await readFile(join(folder, file), 'utf8'))),
      })),
    );
    const { codePath } = await workflowBundle(defaultCacheDirectory());
    code = await readFile(codePath, 'utf8');
  });

  it('are there for every path and every workflow', () => {
    const names = recorded.map(({ workflowId }) => workflowId);
    assert.deepEqual(
      recordings.map(({ name }) => name).filter((name) => !names.includes(name)),
      [],
      rerecord,
    );
    const types = new Set(recorded.map(({ history }) => typeOf(history)));
    assert.deepEqual(
      Object.keys(workflows).filter((type) => !types.has(type)),
      [],
      `without a recording in recordings.ts; add one and ${rerecord}`,
    );
  });

  it('are replayed by the workflows of today (law 8)', async () => {
    const broken = await replay(code, recorded);
    assert.deepEqual(broken, {}, `either use \`patched\`, or before a release ${rerecord}`);
  });

  const changes: [what: string, type: string, from: string, to: string][] = [
    ['another step in a backup', 'backup', '.preflightAsset(', '.snapshotAsset('],
    ['another step in a verification', 'verify', '.verifyPoints(', '.provePoint('],
    ['a swap before the safety point', 'restore', '.takeSafetyPoint(', '.swapRestore('],
    ['a step left out when a restore is dropped', 'restore', '.releaseRestore(', '.settleRestore('],
  ];
  for (const [what, type, from, to] of changes) {
    it(`catch ${what}`, async () => {
      const changed = code.replaceAll(from, to);
      assert.notEqual(changed, code, `the bundle has no ${from}`);
      const broken = await replay(
        changed,
        recorded.filter(({ history }) => typeOf(history) === type),
      );
      assert.ok(Object.keys(broken).length > 0, 'it was replayed as if nothing had changed');
      for (const error of Object.values(broken)) assert.ok(error instanceof DeterminismViolationError);
    });
  }

  it('catch two steps in another order', async () => {
    const names = { stageRestore: 'validateRestore', validateRestore: 'stageRestore' };
    const file = await readFile(join(folder, 'restore-completed.json'), 'utf8');
    const reordered = file.replaceAll(
      /"(stageRestore|validateRestore)"/g,
      (_, name: keyof typeof names) => `"${names[name]}"`,
    );
    assert.notEqual(reordered, file);
    const history = historyFromJson(JSON.parse(reordered));
    const broken = await replay(code, [{ workflowId: 'reordered', history }]);
    assert.ok(broken.reordered instanceof DeterminismViolationError);
  });

  it('tell nothing of the machine they were recorded on', async () => {
    for (const file of await readdir(folder)) {
      const text = readable(await readFile(join(folder, file), 'utf8'));
      const identities = new Set([...text.matchAll(/"identity": *"([^"]*)"/g)].map((match) => match[1]));
      assert.deepEqual([...identities].sort(), ['tester', 'worker'], file);
      assert.doesNotMatch(text, /stackTrace|node_modules|\.ts:\d+|127\.0\.0\.1|file:\/\//, file);
      assert.doesNotMatch(text, /(^|[\s"(])\/(home|root|tmp|work|Users|var)\b/, file);
      for (const own of [homedir(), process.cwd()]) assert.ok(!text.includes(own), `${file} has ${own}`);

      assert.ok(!text.includes(`@${hostname()}`), `${file} has ${hostname()}`);
    }
  });
});

/** What could not be replayed, and why. */
async function replay(code: string, histories: Recorded[]): Promise<Record<string, Error>> {
  const broken: Record<string, Error> = {};
  const options = { workflowBundle: { code } };
  for await (const { workflowId, error } of Worker.runReplayHistories(options, histories)) {
    if (error) broken[workflowId] = error;
  }
  return broken;
}

function typeOf(history: History): string {
  return history.events?.[0]?.workflowExecutionStartedEventAttributes?.workflowType?.name ?? '';
}

/** Payloads are base64: what is in them is put beside it. */
function readable(text: string): string {
  const payloads = [...text.matchAll(/"data": *"([A-Za-z0-9+/=]*)"/g)];
  return [text, ...payloads.map(([, data = '']) => Buffer.from(data, 'base64').toString())].join('\n');
}
