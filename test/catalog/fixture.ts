// One private PostgreSQL for all catalogue tests of a run, a database of its own for each suite.

import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { postgresServerBinaries } from '../../activities/hosts/postgres-binaries.ts';
import {
  catalogOwner,
  initialiseCluster,
  startCluster,
  type RunningCluster,
} from '../../activities/hosts/postgres-cluster.ts';
import {
  migrateCatalog,
  openCatalog,
  type Catalog,
  type NewJob,
  type NewPoint,
} from '../../catalog/index.ts';
import type { Configuration } from '../../domain/configuration/types.ts';

export interface Fixture {
  catalog: Catalog;
  ownerUrl: string;
  applicationUrl: string;
  /** As the owner. */
  sql<Row = Record<string, unknown>>(text: string, values?: unknown[]): Promise<Row[]>;
}

export const APPLICATION_PASSWORD = 'test-application-password';

/** A migrated, empty catalogue for the surrounding suite. */
export function withCatalog(): Fixture {
  const fixture = {} as Fixture;
  before(async function () {
    this.timeout(180_000);
    fixture.ownerUrl = await newDatabase();
    const { url } = await migrateCatalog(fixture.ownerUrl, { applicationPassword: APPLICATION_PASSWORD });
    fixture.applicationUrl = url;
    fixture.catalog = await openCatalog({ url, actor: 'test' });
    fixture.sql = <Row>(text: string, values?: unknown[]) => runSql<Row>(fixture.ownerUrl, text, values);
  });
  after(() => fixture.catalog?.close());
  return fixture;
}

export async function newDatabase(): Promise<string> {
  const { url } = await sharedCluster();
  const name = `test_${randomUUID().replaceAll('-', '').slice(0, 12)}`;
  await runSql(url, `create database ${name}`);
  return url.replace(/\/postgres$/, `/${name}`);
}

export async function runSql<Row>(url: string, text: string, values: unknown[] = []): Promise<Row[]> {
  const client = new Client({ connectionString: url, options: '-c search_path=holdfast' });
  await client.connect();
  try {
    return (await client.query(text, values)).rows as Row[];
  } finally {
    await client.end();
  }
}

export async function newCluster(
  durable: boolean,
  port: number | null = null,
  existing?: string,
): Promise<TestCluster> {
  const folder = existing ?? join(await mkdtemp(join(tmpdir(), 'holdfast-catalog-')), 'data');
  const { folder: binaries } = await postgresServerBinaries();
  const password = 'test-owner-password';
  await initialiseCluster({ folder, binaries, owner: await catalogOwner(), password, durable: false });
  const cluster = await startCluster({ folder, binaries, port, durable, password });
  return { ...cluster, folder };
}

export interface TestCluster extends RunningCluster {
  folder: string;
}

let shared: Promise<TestCluster> | null = null;

function sharedCluster(): Promise<TestCluster> {
  shared ??= newCluster(false);
  return shared;
}

after(async function () {
  this.timeout(180_000);
  if (shared) await endCluster(await shared);
});

export async function endCluster(cluster: TestCluster): Promise<void> {
  await cluster.stop();
  await rm(join(cluster.folder, '..'), { recursive: true, force: true });
}

export function aJob(changes: Partial<NewJob> = {}): NewJob {
  const id = changes.id ?? randomUUID();
  return {
    id,
    workflowId: `backup/${id}`,
    type: 'backup',
    policy: null,
    trigger: 'manual',
    startedAt: '2026-11-20T02:00:00.000Z',
    assets: ['orders'],
    ...changes,
  };
}

export function aPoint(changes: Partial<NewPoint> = {}): NewPoint {
  const takenAt = changes.takenAt ?? '2026-11-20T02:00:11.000Z';
  return {
    id: randomUUID(),
    asset: 'orders',
    assetType: 'postgres',
    policy: 'critical',
    jobId: null,
    kind: 'regular',
    takenAt,
    method: 'dump',
    bytes: 1_000,
    addedBytes: 100,
    manifest: null,
    copies: [aCopy('local', takenAt)],
    ...changes,
  };
}

export function aCopy(repository: string, storedAt: string, snapshotId: string = randomUUID()) {
  return {
    repository,
    artifactId: snapshotId,
    parts: [{ name: 'dump', snapshotId, path: '/dump' }],
    storedAt,
  };
}

export function aConfiguration(changes: Partial<Configuration> = {}): Configuration {
  const asset = (name: string) => ({
    name,
    type: 'directory' as const,
    class: 'standard' as const,
    path: `/srv/${name}`,
    exclude: [],
    expect: { minFiles: 1, minBytes: 1 },
    restore: { stop: [], start: [], health: [] },
    hooks: { before: [], after: [], onError: 'fail' as const },
  });
  return {
    version: 1,
    folder: '/etc/holdfast',
    dataDir: '/var/lib/holdfast',
    temporal: null,
    catalog: null,
    ports: { temporal: null, temporalUi: null, catalog: null, api: null, metrics: null },
    repositories: ['local', 'offsite'].map((name) => ({
      name,
      type: 'restic',
      url: `/srv/${name}`,
      password: { kind: 'file', path: '/etc/holdfast/key' },
      env: {},
      limits: { uploadBytesPerSecond: null },
    })),
    assets: [asset('orders'), asset('uploads')],
    policies: [
      {
        name: 'critical',
        assets: ['orders', 'uploads'],
        cadence: { kind: 'every', seconds: 86_400 },
        timing: { window: null, jitterSeconds: null, catchUpSeconds: null, overlap: 'skip' },
        repository: 'local',
        copies: [{ repository: 'offsite', retention: null }],
        retention: null,
        proof: 'verified',
        objectives: { rpoSeconds: 86_400, rtoSeconds: null, provenWithinSeconds: null },
      },
    ],
    ...changes,
  };
}
