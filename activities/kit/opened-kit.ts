// A sealed kit as somebody opens it who has nothing else: with an identity, into a folder, and with the sheet that
// lies in it.

import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError, wordsOf } from '../../domain/errors.ts';
import type { KitFacts } from '../../domain/kit/facts.ts';
import { shellBlocks, type ShellBlock } from '../../domain/kit/sheet-blocks.ts';
import { SHEET_FILE } from '../../domain/kit/sheet.ts';
import type { SecretReference } from '../../domain/secret-reference.ts';
import { lastWords, runCommand } from '../run-command.ts';
import { resolveSecret } from '../secrets.ts';
import type { Step } from '../step.ts';
import { FACTS_FILE } from './kit-content.ts';
import { unseal } from './seal.ts';

export interface OpenedKit {
  file: string;
  /** SHA-256 of the sealed file. */
  sealedDigest: string;
  /** Of what it says. */
  digest: string;
  facts: KitFacts;
  blocks: ShellBlock[];
  /** Where its files lie in plain; whoever named the folder removes it. */
  folder: string;
}

export async function openKit(
  kit: { file: string; identity: SecretReference },
  folder: string,
  step: Step,
): Promise<OpenedKit> {
  const sealed = await readFile(kit.file).catch((error: unknown) => {
    throw notOpened(kit.file, wordsOf(error), 'put the sealed file there: `holdfast kit export` writes it');
  });
  const archive = await unseal(sealed, await resolveSecret(kit.identity));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const args = ['-x', '--no-same-owner', '-C', folder];
  const unpacked = await runCommand({ tool: 'tar', file: 'tar', args, input: archive }, step);
  if (unpacked.exitCode !== 0) {
    throw notOpened(kit.file, lastWords(unpacked.stderr), 'write it anew: `holdfast kit export`');
  }
  const { digest, facts } = JSON.parse(await readFile(join(folder, FACTS_FILE), 'utf8')) as {
    digest: string;
    facts: KitFacts;
  };
  const blocks = shellBlocks(await readFile(join(folder, SHEET_FILE), 'utf8'));
  const sealedDigest = createHash('sha256').update(sealed).digest('hex');
  return { file: kit.file, sealedDigest, digest, facts, blocks, folder };
}

function notOpened(file: string, cause: string, hint: string): HoldfastError {
  return new HoldfastError({
    code: 'secret.unresolved',
    message: `the recovery kit ${file} cannot be opened`,
    cause,
    hint,
  });
}
