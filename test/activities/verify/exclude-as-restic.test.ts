import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { runCommand } from '../../../activities/run-command.ts';
import { walk } from '../../../activities/verify/directory-walk.ts';
import { bufferOfRaw, joinRaw, rawOfText } from '../../../activities/verify/raw-path.ts';
import { excludePatterns } from '../../../domain/exclude-pattern.ts';
import { resolveTool } from '../../../tools/resolve.ts';
import { makeStep } from '../sources/source-fixture.ts';

describe('walk with exclude patterns', () => {
  let folder: string;
  let restic: string;
  const env = { RESTIC_PASSWORD: 'x', RESTIC_CACHE_DIR: '', RESTIC_REPOSITORY: '' };
  const step = makeStep();
  before(async function () {
    this.timeout(180_000);
    folder = await mkdtemp(join(tmpdir(), 'holdfast-exclude-'));
    env.RESTIC_REPOSITORY = join(folder, 'repository');
    env.RESTIC_CACHE_DIR = join(folder, 'cache');
    restic = (await resolveTool('restic', { install: false })).path;
    await runCommand({ tool: 'restic', file: restic, args: ['init'], env }, step);
    const tree = join(folder, 'tree');
    for (const path of ['a/b/c', 'a/cache/x', 'b.tmp/inner', 'src/a/b', 'ü/*', '[x]/y']) {
      await mkdir(join(tree, path, '..'), { recursive: true });
      await writeFile(join(tree, path), '');
    }
    for (const name of ['\xff\xfe', 'b\xc3', 'z\xe2\x82', 'a b', 'A', '-', '!x', '\\']) {
      await writeFile(bufferOfRaw(joinRaw(rawOfText(tree), name)), '');
    }
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const stored = async (patterns: string[]) => {
    const args = [
      'backup',
      '--dry-run',
      '--json',
      '-vv',
      '--force',
      ...patterns.map((one) => `--exclude=${one}`),
      '--',
      join(folder, 'tree'),
    ];
    const names: string[] = [];
    const onStdoutLine = (line: string) => {
      const message = JSON.parse(line) as { message_type: string; item?: string };
      if (message.message_type === 'verbose_status' && message.item)
        names.push(message.item.replace(/\/$/, ''));
    };
    const result = await runCommand({ tool: 'restic', file: restic, args, env, onStdoutLine }, step);
    assert.equal(result.exitCode, 0, result.stderr);
    return [...new Set(names)].filter((name) => name.startsWith(join(folder, 'tree/'))).sort();
  };
  const walked = async (patterns: string[]) => {
    const names: string[] = [];
    for await (const { path } of walk(join(folder, 'tree'), { excluded: excludePatterns(patterns) }, step)) {
      // restic's messages replace each byte that is not UTF-8, as this decoder does for these names.
      if (path !== '') names.push(join(folder, 'tree', goText(path)));
    }
    return names.sort();
  };

  it('agrees with restic on hand-picked and on generated patterns', async function () {
    this.timeout(180_000);
    const part = fc.oneof(
      fc.constantFrom(
        'a',
        'b',
        'c',
        '*',
        '**',
        '?',
        '*.tmp',
        '[a-c]',
        '[^a]',
        '\\*',
        'ü',
        '??',
        '*?',
        '!x',
        'tree',
        '.',
        '..',
      ),
      fc.string({ unit: fc.constantFrom('a', 'b', '*', '?', 'ü', '€'), minLength: 1, maxLength: 4 }),
    );
    const pattern = fc
      .tuple(
        fc.constantFrom('', '', '!', '/', join(tmpdir(), '/'), `${folder}/tree/`),
        fc.array(part, { minLength: 1, maxLength: 3 }),
      )
      .map(([start, parts]) => start + parts.join('/'));
    const handPicked = [
      ['*??'],
      ['*', '!a', '!b'],
      ['\\\\'],
      ['\\[x]'],
      ['cache', '/**/c'],
      [join(folder, 'tree', '*')],
    ];
    const generated = fc.sample(fc.array(pattern, { minLength: 1, maxLength: 3 }), { numRuns: 10, seed: 7 });
    for (const patterns of [...handPicked, ...generated]) {
      assert.deepEqual(await walked(patterns), await stored(patterns), JSON.stringify(patterns));
    }
  });
});

/** As Go writes bytes into JSON: one U+FFFD for each that is not part of a character. */
function goText(raw: string): string {
  return raw
    .split('/')
    .map((name) => {
      const text = bufferOfRaw(name).toString('utf8');
      return rawOfText(text) === name ? text : name.replaceAll(/[\x80-\xff]/g, '\ufffd');
    })
    .join('/');
}
