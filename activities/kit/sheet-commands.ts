// The sheet at its word: what it says of one asset is run by bash as a person would paste it, with nothing of the
// configuration and nothing of this program but the variables that the sheet explains.

import { delimiter, dirname } from 'node:path';
import { HoldfastError } from '../../domain/errors.ts';
import type { KitAsset } from '../../domain/kit/facts.ts';
import { assetHeading, repositoryHeading, USE } from '../../domain/kit/sheet.ts';
import { resolveTool } from '../../tools/resolve.ts';
import { postgresServerBinaries } from '../hosts/postgres-binaries.ts';
import { lastWords, minimalEnvironment, runCommand } from '../run-command.ts';
import type { Step } from '../step.ts';
import type { OpenedKit } from './opened-kit.ts';

export interface SheetVariables {
  TARGET: string;
  ROOT: string;
  POINT?: string;
  PGHOST?: string;
  PGPORT?: string;
  PGUSER?: string;
  PGPASSWORD?: string;
}

/** Runs these parts of the asset's section after what opens the repository. Throws `proof.failed` in bash's words. */
export async function runSheet(
  kit: OpenedKit,
  place: { asset: KitAsset; repository: string; titles: readonly string[] },
  variables: SheetVariables,
  step: Step,
): Promise<string> {
  const { asset, repository, titles } = place;
  const section = assetHeading(asset.name, repository);
  const texts = [
    blockUnder(kit, [repositoryHeading(repository), USE]),
    ...titles.map((title) => blockUnder(kit, [section, title])),
  ];
  const script = texts.join('\n');
  const { exitCode, stdout, stderr, durationSeconds } = await runCommand(
    {
      tool: 'bash',
      file: 'bash',
      args: ['-e', '-u', '-o', 'pipefail', '-c', script],
      env: {
        PATH: await pathWithTools(kit),
        KIT: kit.folder,
        // What lies in the home of this host's user is not there where the kit is needed.
        HOME: kit.folder,
        RESTIC_CACHE_DIR: `${kit.folder}/cache`,
        ...variables,
      },
      cwd: kit.folder,
    },
    step,
  );
  step.ran?.({ tool: 'bash', args: ['-c', script], exitCode, seconds: durationSeconds });
  if (exitCode === 0) return stdout;
  throw new HoldfastError({
    code: 'proof.failed',
    message: `what the recovery kit says of ${asset.name} from ${repository} does not work`,
    cause: `under "${titles.join('", "')}" bash ended with ${exitCode}: ${lastWords(stderr) || lastWords(stdout)}`,
    hint: 'try the same block by hand, set right what stops it, then `holdfast kit export`',
  });
}

export function assetOnSheet(kit: OpenedKit, name: string, repository: string): KitAsset {
  const asset = kit.facts.assets.find((one) => one.name === name);
  if (asset?.repositories.includes(repository)) return asset;
  throw new HoldfastError({
    code: 'proof.failed',
    message: `the recovery kit says nothing of ${name} from ${repository}`,
    cause: `it has ${kit.facts.assets.map((one) => one.name).join(', ') || 'no assets'}`,
    hint: 'write it anew: `holdfast kit export`',
  });
}

function blockUnder(kit: OpenedKit, wanted: string[]): string {
  const found = kit.blocks.find(({ headings }) => headings.slice(-2).join('\n') === wanted.join('\n'));
  if (found) return found.text;
  throw new HoldfastError({
    code: 'proof.failed',
    message: 'the sheet of the recovery kit is not whole',
    cause: `there are no commands under ${wanted.join(' / ')}`,
    hint: 'write it anew: `holdfast kit export`',
  });
}

/** Those that are there, wherever they are: the sheet takes them from the PATH. */
async function pathWithTools({ facts }: OpenedKit): Promise<string> {
  const named = (tool: string) => facts.tools.some(({ name }) => name === tool);
  const folders = named('psql') ? [(await postgresServerBinaries()).folder] : [];
  for (const tool of ['restic', 'sqlite3', 'rclone'] as const) {
    if (named(tool)) folders.push(dirname((await resolveTool(tool, { install: false })).path));
  }
  return [...new Set([...folders, minimalEnvironment()['PATH'] ?? ''])].join(delimiter);
}
