// The configuration file that comes back: what will be in it, and that it is put over nobody else's.

import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ifThere } from '../../activities/hosts/if-there.ts';
import { linkOrCopy } from '../../activities/hosts/link-or-copy.ts';
import { parseConfiguration } from '../../domain/configuration/parse.ts';
import type { Configuration } from '../../domain/configuration/types.ts';
import { withCatalogUrl, withDataDir } from '../../domain/control-plane/configuration-text.ts';
import { HoldfastError, wordsOf } from '../../domain/errors.ts';
import { formatSecretReference } from '../../domain/secret-reference.ts';
import type { Beginning } from './read-bundle.ts';
import type { RecoverRequest } from './request.ts';

export interface RecoveredConfiguration {
  path: string;
  /** null: the point has none, or nothing was ever applied. */
  text: string | null;
  /** As `text` says, else as it was applied; null: nothing was ever applied. */
  configuration: Configuration | null;
  dataDir: string;
  /** What a person has to know of it. */
  notes: string[];
}

/** Changes nothing. */
export function plannedConfiguration(
  { source, applied, manifest }: Beginning,
  { configurationFile: path, dataDir, catalogUrl }: RecoverRequest,
): RecoveredConfiguration {
  let text = source;
  if (text !== null && dataDir !== null) text = withDataDir(text, dataDir);
  if (text !== null && catalogUrl !== null) text = withCatalogUrl(text, formatSecretReference(catalogUrl));
  const notes: string[] = [];
  let configuration = (applied?.configuration ?? null) as Configuration | null;
  if (text === null && applied !== null)
    notes.push(
      `its text was not kept (Holdfast ${manifest.holdfast} applied it before it could be): write ${path} by hand, from what was applied`,
    );
  if (text !== null) {
    try {
      ({ configuration } = parseConfiguration(text, { file: path, folder: dirname(path) }));
    } catch (error) {
      notes.push(`${wordsOf(error)}; correct it before \`holdfast up\`: ${causeOf(error)}`);
    }
    if (applied?.path && dirname(applied.path) !== dirname(path))
      notes.push(`it was ${applied.path}: relative paths in it now begin at ${dirname(path)}`);
  }
  if (configuration && catalogUrl !== null)
    configuration = { ...configuration, catalog: { url: catalogUrl } };
  const directory = dataDir ?? configuration?.dataDir;
  if (directory !== undefined) return { path, text, configuration, dataDir: directory, notes };
  throw new HoldfastError({
    code: 'usage',
    message: 'nothing was recovered: it is not known where the data directory belongs',
    cause: 'no configuration had been applied when this recovery point was taken',
    hint: 'give it with --data-dir',
  });
}

/** Throws `target.notEmpty` when something else is there. Looks only. */
export async function refuseAnotherFile({ path, text }: RecoveredConfiguration): Promise<void> {
  const there = await ifThere(readFile(path, 'utf8'));
  if (there === null || text === null || there === text) return;
  throw new HoldfastError({
    code: 'target.notEmpty',
    message: `nothing was recovered: ${path} is there, and is not the configuration that was backed up`,
    cause: 'a file is never written over',
    hint: 'move it away, or give another place with --config',
  });
}

/** Only its owner reads it, and it is put over no other file. */
export async function writeConfiguration({ path, text }: RecoveredConfiguration): Promise<boolean> {
  if (text === null) return false;
  await mkdir(dirname(path), { recursive: true });
  if ((await ifThere(readFile(path, 'utf8'))) === text) return true;
  const temporary = `${path}.${process.pid}.part`;
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    // Under its name only when it is whole; unlike a rename this takes no other file's place.
    await linkOrCopy(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
  return true;
}

function causeOf(error: unknown): string {
  return error instanceof HoldfastError ? error.cause : '';
}
