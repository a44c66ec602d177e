// A real server for the tests of the postgres source, and the repository's part played with plain files.

import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import pg from 'pg';
import type { PostgresAsset } from '../../../domain/configuration/types.ts';
import type { Manifest } from '../../../domain/recovery-point.ts';
import {
  postgresServerBinaries,
  type PostgresBinaries,
} from '../../../activities/hosts/postgres-binaries.ts';
import {
  catalogOwner,
  initialiseCluster,
  startCluster,
  type RunningCluster,
} from '../../../activities/hosts/postgres-cluster.ts';
import { minimalEnvironment } from '../../../activities/run-command.ts';
import { createPostgresSource, type PostgresSourceOptions } from '../../../activities/sources/postgres.ts';
import type {
  Capture,
  RestoredParts,
  RestoreOrder,
  RestoreTarget,
  Source,
  Workspace,
} from '../../../activities/sources/source.ts';
import type { Step } from '../../../activities/step.ts';

/** Nothing Holdfast prints or passes on may contain it. */
export const CANARY = 'canary-5f1e/%:@ secret';

export interface TestServer {
  folder: string;
  binaries: PostgresBinaries;
  cluster: RunningCluster;
  url(database: string, user?: string, password?: string): string;
  asset(database: string, change?: Partial<PostgresAsset>): PostgresAsset;
  source(options?: Partial<PostgresSourceOptions>): Source<PostgresAsset>;
  workspace(): Promise<Workspace>;
  /** One statement after the other, as the superuser. Rows of the last one. */
  sql(database: string, ...statements: string[]): Promise<Record<string, unknown>[]>;
  stop(): Promise<void>;
}

export async function startTestServer(): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-postgres-'));
  const binaries = await postgresServerBinaries();
  const data = join(folder, 'server');
  const settings = { owner: await catalogOwner(), binaries: binaries.folder, password: CANARY };
  await initialiseCluster({ ...settings, folder: data, durable: false });
  const cluster = await startCluster({
    folder: data,
    binaries: binaries.folder,
    port: null,
    durable: false,
    settings: { autovacuum: 'off' },
  });
  const url = (database: string, user = 'postgres', password = CANARY) =>
    `postgresql://${encodeURIComponent(user)}:${encodeURIComponent(password)}@127.0.0.1:${cluster.port}/${encodeURIComponent(database)}`;
  let workspaces = 0;
  return {
    folder,
    binaries,
    cluster,
    url,
    asset: (database, change) => ({
      name: 'orders',
      class: 'standard',
      restore: { stop: [], start: [], health: [] },
      hooks: { before: [], after: [], onError: 'fail' },
      type: 'postgres',
      url: { kind: 'literal', value: url(database) },
      method: 'dump',
      checks: [],
      ...change,
    }),
    source: (options) =>
      createPostgresSource({
        resolveUrl: async (reference) => (reference.kind === 'literal' ? reference.value : ''),
        cache: join(tmpdir(), `holdfast-test-clusters-${process.pid}`),
        ...options,
      }),
    workspace: async () => {
      workspaces += 1;
      const [staging, scratch] = ['staging', 'scratch'].map((name) =>
        join(folder, `work-${workspaces}`, name),
      );
      await mkdir(staging ?? '', { recursive: true, mode: 0o700 });
      await mkdir(scratch ?? '', { recursive: true, mode: 0o700 });
      return { staging: staging ?? '', scratch: scratch ?? '' };
    },
    sql: async (database, ...statements) => {
      const client = await openClient(cluster.port, database);
      try {
        let rows: Record<string, unknown>[] = [];
        for (const statement of statements)
          rows = (await client.query(statement)).rows as Record<string, unknown>[];
        return rows;
      } finally {
        await client.end();
      }
    },
    stop: async () => {
      await cluster.stop();
      await rm(folder, { recursive: true, force: true });
      await rm(join(tmpdir(), `holdfast-test-clusters-${process.pid}`), { recursive: true, force: true });
    },
  };
}

export async function openClient(port: number, database: string): Promise<pg.Client> {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', password: CANARY, database });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

export function quietStep(change: Partial<Step> = {}): Step {
  return { signal: new AbortController().signal, progress() {}, say() {}, started() {}, ...change };
}

export interface Stored {
  restored: RestoredParts;
  manifest: Manifest | null;
  notes: string[];
}

/** Runs each part's command as a repository would, into a folder of its own. */
export async function storeAll(capture: Capture, into: string): Promise<Stored> {
  const restored: RestoredParts = {};
  try {
    for (const part of capture.parts) {
      if (part.kind !== 'command') throw new Error('the postgres source streams');
      const folder = join(into, part.name);
      await mkdir(folder, { recursive: true });
      const [file = '', ...args] = part.command;
      const child = spawn(file, args, {
        env: { ...minimalEnvironment(), ...part.env },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      child.stdout.pipe(createWriteStream(join(folder, part.fileName)));
      const said = text(child.stderr);
      const code = await new Promise((resolve) => child.once('close', resolve));
      if (code !== 0) throw new Error(`${part.name}: ${await said}`);
      restored[part.name] = folder;
    }
    const unused = {} as Parameters<Capture['settle']>[1];
    return { restored, ...(await capture.settle([], unused)) };
  } finally {
    await capture.close();
  }
}

export async function dumpOf(server: TestServer, asset: PostgresAsset): Promise<Stored> {
  const workspace = await server.workspace();
  const capture = await server.source().capture(asset, workspace, quietStep(), { manifest: true });
  return storeAll(capture, join(workspace.staging, 'stored'));
}

export function orderFor(
  server: TestServer,
  stored: Stored,
  target: RestoreTarget,
  restoreId: string,
): RestoreOrder {
  const journal = join(server.folder, 'journals', restoreId);
  return { restoreId, target, restored: stored.restored, include: [], manifest: stored.manifest, journal };
}
