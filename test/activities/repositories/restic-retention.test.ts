// Our rules of retention against the tool whose words they are: the same histories, the same policies, and
// `restic forget --dry-run` has to keep exactly the same, each for as many reasons.

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { tag } from '../../../activities/repositories/restic-arguments.ts';
import { runCommand } from '../../../activities/run-command.ts';
import type { Retention } from '../../../domain/configuration/types.ts';
import type { TimedPoint } from '../../../domain/retention/rules.ts';
import { planRetention } from '../../../domain/retention/plan.ts';
import { keptByRules, writeRetention } from '../../../domain/retention/rules.ts';
import { resolveTool } from '../../../tools/resolve.ts';
import {
  allWords,
  numberFor,
  pointAt,
  retention,
  someRules,
  tagsOfPoint,
} from '../../domain/retention/retention-fixture.ts';
import { makeStep } from '../sources/source-fixture.ts';
import { removeFolder, temporaryFolder } from './repository-fixtures.ts';

const SEED = 20_261_120;

/** Each history is a host of its own to restic, which plans host by host. */
const histories: Record<string, string[]> = {
  // Years, ISO weeks and a leap day end between these.
  edges: [
    '2020-12-01T00:00:00Z',
    '2020-12-31T23:59:59Z',
    '2021-01-03T23:59:59Z',
    '2021-01-04T00:00:00Z',
    '2023-12-31T23:59:59Z',
    '2024-01-01T00:00:00Z',
    '2024-02-29T12:00:00Z',
    '2024-02-29T23:59:59Z',
    '2024-03-01T00:00:00Z',
    '2024-12-29T23:59:59Z',
    '2024-12-30T00:00:00Z',
    '2024-12-31T23:00:00Z',
  ],
  crowded: randomTimes(13, [0.1, 0.4, 0.9, 3, 11, 24]),
  sparse: randomTimes(11, [0.3, 20, 24, 90, 24 * 31, 24 * 200]),
  ahead: [
    '2024-05-01T10:00:00Z',
    '2024-05-01T10:30:00Z',
    '2024-05-09T10:00:00Z',
    '2090-01-01T00:00:00Z',
    '2090-01-01T00:10:00Z',
  ],
};

/** Back from one moment, in steps of at most so many hours; no two at the same second. */
function randomTimes(count: number, hours: number[]): string[] {
  const step = fc.constantFrom(...hours).chain((most) => fc.integer({ min: 1, max: most * 3600 }));
  let time = Date.parse('2025-07-02T00:20:00Z');
  return fc.sample(step, { numRuns: count, seed: SEED }).map((seconds) => {
    time -= seconds * 1000;
    return new Date(time).toISOString().replace('.000Z', 'Z');
  });
}

/** A few tags on some of a history's points; its oldest has the one that is on every history. */
function randomTags(host: string, count: number): string[][] {
  const seed = SEED + Object.keys(histories).indexOf(host);
  const tags = fc.sample(tagsOfPoint, { numRuns: count, seed });
  return tags.map((some, index) => (index === count - 1 ? [...new Set([...some, 'release'])] : some));
}

/** Every word alone, words together, and a point exactly as old as "within" reaches: the last edge but one. */
const policies: Retention[] = [
  ...allWords.flatMap((word, index) =>
    fc
      .sample(numberFor(word).filter(Boolean), { numRuns: 1, seed: SEED + index })
      .map((number) => retention({ [word]: number })),
  ),
  ...fc.sample(someRules, { numRuns: 32, seed: SEED }),
  retention({ keepTags: ['release'] }),
  retention({ keepTags: ['audit:2026', 'on-no-point', 'release', 'v2.1'] }),
  retention({ keepTags: ['weekly'], keepLast: 1 }),
  retention({ keepTags: ['release', 'weekly'], keepDaily: 3, keepWithinMonthlySeconds: 90 * 86_400 }),
  retention({ keepWithinSeconds: 47 * 3600 }),
  retention({ keepWithinWeeklySeconds: 47 * 3600 }),
];

describe('the rules of retention', function () {
  this.timeout(180_000);
  let folder: string;
  let restic: string;
  let points: Record<string, TimedPoint[]>;

  before(async () => {
    folder = await temporaryFolder();
    restic = (await resolveTool('restic', { install: false })).path;
    await writeFile(join(folder, 'file'), 'content');
    await run('init');
    points = {};
    for (const [host, times] of Object.entries(histories)) {
      points[host] = [];
      for (const [index, tags] of randomTags(host, times.length).entries()) {
        const takenAt = times[index] ?? '';
        points[host].push({ id: await snapshot(host, takenAt, tags), takenAt, tags });
      }
    }
  });
  after(() => removeFolder(folder));

  for (const policy of policies) {
    it(`keep what restic keeps: ${writeRetention(policy)}`, async () => {
      const ours = Object.entries(points).map(([host, history]) => {
        const kept = [...keptByRules(history, policy, new Date())];
        return [host, Object.fromEntries(kept.map(([id, reasons]) => [id, reasons.length]))];
      });
      assert.deepEqual(Object.fromEntries(ours), await keptByRestic(policy));
    });
  }

  it('keep no point that has none of the tags: restic refuses that, the plan keeps the last resort', async () => {
    const rules = retention({ keepTags: ['on-no-point'] });
    await assert.rejects(keptByRestic(rules), /refusing to delete last snapshot of snapshot group/);
    for (const history of Object.values(points)) {
      assert.equal(keptByRules(history, rules, new Date()).size, 0);
      const decisions = planRetention({
        points: history.map(({ id, takenAt, tags = [] }) => pointAt(takenAt, { id, tags })),
        rules,
        immutableDays: null,
        now: new Date(),
      });
      assert.deepEqual(
        decisions.filter(({ decision }) => decision === 'keep').map(({ reasons }) => reasons),
        [['the newest stored point, none being verified']],
      );
    }
  });

  /** By host, how many reasons restic has for each snapshot it would keep. */
  async function keptByRestic(policy: Retention): Promise<Record<string, Record<string, number>>> {
    const stdout = await run(
      'forget',
      '--dry-run',
      '--no-lock',
      '--json',
      '--group-by=host',
      ...options(policy),
    );
    const groups = JSON.parse(stdout) as {
      host: string;
      keep: { id: string }[];
      reasons: { snapshot: { id: string }; matches: string[] }[];
    }[];
    return Object.fromEntries(
      groups.map(({ host, keep, reasons }) => {
        assert.equal(keep.length, reasons.length);
        return [
          host,
          Object.fromEntries(reasons.map(({ snapshot: { id }, matches }) => [id, matches.length])),
        ];
      }),
    );
  }

  async function snapshot(host: string, takenAt: string, tags: readonly string[]): Promise<string> {
    const time = takenAt.replace('T', ' ').replace('Z', '');
    const stdout = await run(
      'backup',
      '--json',
      '--quiet',
      `--host=${host}`,
      `--time=${time}`,
      ...tags.map((word) => `--tag=${tag('tag', word)}`),
      '--',
      join(folder, 'file'),
    );
    return (JSON.parse(stdout) as { snapshot_id: string }).snapshot_id;
  }

  async function run(...args: string[]): Promise<string> {
    const env = {
      TZ: 'UTC',
      RESTIC_PASSWORD: 'x',
      RESTIC_REPOSITORY: join(folder, 'repository'),
      RESTIC_CACHE_DIR: join(folder, 'cache'),
    };
    const result = await runCommand({ tool: 'restic', file: restic, args, env }, makeStep());
    assert.equal(result.exitCode, 0, result.stderr);
    return result.stdout;
  }
});

function options(policy: Retention): string[] {
  const keepTags = (policy.keepTags ?? []).map((word) => `--keep-tag=${tag('tag', word)}`);
  const numbered = allWords.flatMap((word) => {
    const number = policy[word];
    if (number === null) return [];
    const flag = word.replace(/Seconds$/, '').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return `--${flag}=${word.endsWith('Seconds') ? inHours(number) : number}`;
  });
  return [...numbered, ...keepTags];
}

function inHours(seconds: number): string {
  const hours = seconds / 3600;
  return hours % 24 === 0 ? `${hours / 24}d` : `${Math.floor(hours / 24)}d${hours % 24}h`;
}
