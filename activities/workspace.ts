import { mkdir, rm } from 'node:fs/promises';
import { folders } from './deployment.ts';
import type { Workspace } from './sources/source.ts';

/** Lends the asset's staging folder and an empty scratch folder, which goes when the work is over. */
export async function withWorkspace<T>(
  dataDir: string,
  asset: string,
  key: string,
  work: (workspace: Workspace) => Promise<T>,
): Promise<T> {
  const workspace = { staging: folders.staging(dataDir, asset), scratch: folders.scratch(dataDir, key) };
  await mkdir(workspace.staging, { recursive: true, mode: 0o700 });
  await rm(workspace.scratch, { recursive: true, force: true });
  await mkdir(workspace.scratch, { recursive: true, mode: 0o700 });
  try {
    return await work(workspace);
  } finally {
    await rm(workspace.scratch, { recursive: true, force: true });
  }
}
