import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DirectoryAsset, SqliteAsset } from '../../../domain/configuration/types.ts';
import type { Repository, StoredPart } from '../../../activities/repositories/repository.ts';
import { createResticRepository } from '../../../activities/repositories/restic.ts';
import type { Capture, RestoreOrder, RestoreTarget, Workspace } from '../../../activities/sources/source.ts';
import type { Step } from '../../../activities/step.ts';
import type { Manifest } from '../../../domain/recovery-point.ts';
import { resolveTool } from '../../../tools/resolve.ts';

export interface Bench {
  folder: string;
  workspace: Workspace;
  step: Step & { said: string[] };
  close(): Promise<void>;
}

/** A private folder with a workspace, and a step that remembers what was said. */
export async function makeBench(): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-source-'));
  const workspace = { staging: join(folder, 'staging'), scratch: join(folder, 'scratch') };
  await mkdir(workspace.staging);
  await mkdir(workspace.scratch);
  return { folder, workspace, step: makeStep(), close: () => rm(folder, { recursive: true, force: true }) };
}

export function makeStep(): Step & { said: string[] } {
  const said: string[] = [];
  return {
    signal: new AbortController().signal,
    progress: () => undefined,
    say: (_level, message) => void said.push(message),
    started: () => undefined,
    said,
  };
}

const common = {
  class: 'standard' as const,
  restore: { stop: [], start: [], health: [] },
  hooks: { before: [], after: [], onError: 'fail' as const },
};

export function directoryAsset(path: string, more: Partial<DirectoryAsset> = {}): DirectoryAsset {
  return {
    name: 'uploads',
    type: 'directory',
    path,
    exclude: [],
    expect: { minFiles: 1, minBytes: 0 },
    ...common,
    ...more,
  };
}

export function sqliteAsset(path: string, more: Partial<SqliteAsset> = {}): SqliteAsset {
  return { name: 'catalogue', type: 'sqlite', path, expect: { minBytes: 1 }, ...common, ...more };
}

export async function makeRepository(bench: Bench): Promise<Repository> {
  const { path } = await resolveTool('restic', { install: false });
  const password = join(bench.folder, 'key');
  execFileSync('sh', ['-c', 'umask 077; printf secret > "$1"', 'sh', password]);
  const repository = createResticRepository({
    name: 'local',
    url: join(bench.folder, 'repository'),
    password: { kind: 'file', path: password },
    cacheFolder: join(bench.folder, 'cache'),
    tool: { path },
  });
  await repository.ensure(bench.step);
  return repository;
}

export interface Taken {
  stored: StoredPart[];
  manifest: Manifest | null;
  notes: string[];
}

/** What the backup pipeline does with a capture; `between` runs after it was taken and before it is stored. */
export async function store(
  capture: Capture,
  repository: Repository,
  bench: Bench,
  between?: () => Promise<void>,
): Promise<Taken> {
  await between?.();
  const stored: StoredPart[] = [];
  for (const part of capture.parts) {
    const labels = {
      point: 'p1',
      asset: 'a',
      kind: 'regular' as const,
      part: part.name,
      takenAt: new Date().toISOString(),
    };
    stored.push(await repository.store(part, labels, bench.step));
  }
  const settled = await capture.settle(stored, repository);
  await capture.close();
  return { stored, ...settled };
}

export async function restoreAll(
  taken: Taken,
  repository: Repository,
  bench: Bench,
  name: string,
  include: string[] = [],
) {
  const restored: Record<string, string> = {};
  for (const { part, snapshotId, path } of taken.stored) {
    const target = join(bench.folder, name, part);
    await mkdir(target, { recursive: true });
    await repository.restore({ snapshotId, path, target, include, expectedBytes: null }, bench.step);
    restored[part] = target;
  }
  return restored;
}

export async function emptyScratch(bench: Bench): Promise<void> {
  await rm(bench.workspace.scratch, { recursive: true, force: true });
  await mkdir(bench.workspace.scratch);
}

export function makeOrder(
  bench: Bench,
  target: RestoreTarget,
  restored: Record<string, string>,
  more: Partial<RestoreOrder> = {},
): RestoreOrder {
  return {
    restoreId: 'r-1',
    target,
    restored,
    include: [],
    manifest: null,
    journal: join(bench.folder, 'journal'),
    ...more,
  };
}
