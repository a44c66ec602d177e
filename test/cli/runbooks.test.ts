import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { shellBlocks } from '../../domain/kit/sheet-blocks.ts';

// That their commands can be pasted as they stand. `npm run test:soak` follows every one of them on a real stack.

const folder = resolve(import.meta.dirname, '../../docs/operations');
const holdfast = resolve(import.meta.dirname, '../../cli/holdfast.mjs');

describe('the runbooks', function () {
  this.timeout(120_000);
  const helps = new Map<string, Promise<string>>();
  const helpOf = (...words: string[]): Promise<string> => {
    const key = words.join(' ');
    const known = helps.get(key);
    if (known) return known;
    const asked = execa(process.execPath, [holdfast, ...words, '--help']).then(({ stdout }) => stdout);
    helps.set(key, asked);
    return asked;
  };

  /** What is said of the command in its help; throws where there is no such command. */
  async function saidOf(words: readonly string[]): Promise<string> {
    const [name = '', verb = ''] = words;
    const said = await helpOf(name);
    assert.match(said, new RegExp(`^Usage: holdfast ${name}\\b`), `there is no holdfast ${name}`);
    if (!/^Commands:$/m.test(said)) return said;
    assert.match(said, new RegExp(`^  ${verb}\\b`, 'm'), `there is no holdfast ${name} ${verb}`);
    return helpOf(name, verb);
  }

  it('are read by bash, and name only commands and options that there are', async () => {
    const files = (await readdir(folder)).filter((name) => name.endsWith('.md') && name !== 'README.md');
    assert.ok(files.length > 5);
    for (const file of files) {
      const script = shellBlocks(await readFile(join(folder, file), 'utf8'))
        .map(({ text }) => text)
        .join('\n');
      await execa('bash', ['-n'], { input: script });
      const calls = [...script.matchAll(/\bholdfast ((?:[a-z][a-z-]* ?)+)([^|;&)\n]*)/g)];
      assert.ok(calls.length > 0, file);
      for (const [call, words = '', rest = ''] of calls) {
        const said = await saidOf(words.trim().split(' '));
        for (const [option] of rest.matchAll(/--[a-z][a-z-]*/g))
          assert.ok(
            said.includes(option) || (await helpOf()).includes(option),
            `${file}: ${call}: no ${option}`,
          );
      }
    }
  });
});
