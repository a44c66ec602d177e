// A runbook as somebody on call follows it: every block, in order, in one shell.

import { readFile } from 'node:fs/promises';
import { execa } from 'execa';
import { shellBlocks } from '../../domain/kit/sheet-blocks.ts';

export interface Followed {
  blocks: number;
  seconds: number;
  output: string;
}

/** Fails with the block that failed, and what was printed last. */
export async function follow(file: string, env: Record<string, string>, cwd: string): Promise<Followed> {
  const blocks = shellBlocks(await readFile(file, 'utf8'));
  const script = blocks.map(({ text }, index) => `echo "${MARK} ${index + 1}" >&2\n${text}`).join('\n');
  const began = Date.now();
  const { exitCode, all } = await execa(
    'bash',
    ['-e', '-u', '-o', 'pipefail', '-c', `${script}\necho "${MARK} end" >&2`],
    { env, cwd, reject: false, all: true, stdin: 'ignore', timeout: 300_000 },
  );
  const seconds = (Date.now() - began) / 1000;
  const marks = [...all.matchAll(new RegExp(`^${MARK} (\\w+)$`, 'gm'))].map(([, mark]) => mark);
  if (exitCode === 0 && marks.at(-1) === 'end' && marks.length === blocks.length + 1)
    return { blocks: blocks.length, seconds, output: all };
  const block = blocks[Number(marks.at(-1)) - 1];
  throw new Error(
    `${file}: under "${block?.headings.join(' / ')}" bash ended with ${exitCode}:\n${block?.text}\n---\n${all.slice(-3000)}`,
  );
}

const MARK = '@@ block';
