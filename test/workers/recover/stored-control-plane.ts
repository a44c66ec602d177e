// A small service that was lost: a real catalogue, recovery points in a real repository, and the control plane's own
// point beside them, as docs/control-plane.md says what is in it.

import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { postgresServerBinaries } from '../../../activities/hosts/postgres-binaries.ts';
import type { Repository } from '../../../activities/repositories/repository.ts';
import { parseConfiguration } from '../../../domain/configuration/parse.ts';
import {
  bundlePaths,
  CONTROL_PLANE_ASSET,
  CONTROL_PLANE_PART,
  type ControlPlaneManifest,
} from '../../../domain/control-plane/bundle.ts';
import type { RecoverRequest } from '../../../workers/recover/request.ts';
import {
  folderPart,
  recordedStep,
  removeFolder,
  repositoryAt,
} from '../../activities/repositories/repository-fixtures.ts';
import { aPoint, type Fixture } from '../../catalog/fixture.ts';

export interface LostService {
  /** Everything of the service lay and lies here. */
  room: string;
  repository: Repository;
  /** As the person wrote it, with a comment. */
  source: string;
  /** Of an asset, in the repository; `known` to the catalogue, or stored behind its back. */
  point(asset: string, options: { known: boolean }): Promise<string>;
  /** What the catalogue has now, as a point of the control plane; `spoil` changes what is stored. */
  storeItself(options?: StoreOptions): Promise<{ id: string; manifest: ControlPlaneManifest }>;
  /** From the repository and its key alone. */
  request(changes?: Partial<RecoverRequest>): RecoverRequest;
  remove(): Promise<void>;
}

export interface StoreOptions {
  id?: string;
  takenAt?: string;
  /** In the folder, after the manifest was made. */
  spoil?: (folder: string) => Promise<void>;
  manifest?: Partial<ControlPlaneManifest>;
}

export async function lostService(fixture: Fixture, more = ''): Promise<LostService> {
  const room = await mkdtemp(join(tmpdir(), 'holdfast-lost-'));
  const place = { url: join(room, 'repository'), env: {}, folder: join(room, 'repository') };
  const repository = await repositoryAt(place, room, { name: 'offsite' });
  await repository.ensure(recordedStep());
  const source = sourceOf(place.url, more);
  const { configuration } = parseConfiguration(source, { file: 'holdfast.yaml', folder: join(room, 'was') });
  const { digest } = await fixture.catalog.configurations.compare(configuration);
  const { privateKey } = generateKeyPairSync('ed25519');
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const data = join(room, 'data');
  await mkdir(data);
  await writeFile(join(data, 'file'), 'content');

  return {
    room,
    repository,
    source,

    point: async (asset, { known }) => {
      const id = randomUUID();
      const takenAt = new Date().toISOString();
      const labels = { point: id, asset, kind: 'regular', part: 'files', takenAt } as const;
      const stored = await repository.store(folderPart(data), labels, recordedStep());
      const { snapshotId, path } = stored;
      const copy = {
        ...{ repository: 'offsite', artifactId: snapshotId, storedAt: takenAt },
        parts: [{ name: 'files', snapshotId, path }],
      };
      const point = { id, asset, takenAt, assetType: 'directory', method: 'files', copies: [copy] } as const;
      if (known) await fixture.catalog.points.record(aPoint({ ...point, copies: [copy] }), null);
      return id;
    },

    storeItself: async (options = {}) => {
      const { id = randomUUID(), takenAt = new Date().toISOString(), spoil, manifest: changes } = options;
      await fixture.catalog.configurations.apply(configuration);
      const folder = await mkdtemp(join(room, 'staging-'));
      const put = async (path: string, content: string | Buffer) => {
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await writeFile(join(folder, path), content);
      };
      const applied = { configuration, digest, appliedAt: takenAt, appliedBy: 'test', path: null };
      await put(bundlePaths.source, source);
      await put(bundlePaths.applied, JSON.stringify(applied));
      await put('keys/audit-ed25519.key', key);
      await put('histories/one.json.gz', 'a history');
      await put('evidence/000001-quarterly-2026-11-21.json', 'evidence');
      await dumpOf(fixture.ownerUrl, join(folder, bundlePaths.dump));
      const { head } = await fixture.catalog.audit.verify();
      const migrations = await fixture.sql<{ name: string }>('select name from migrations order by id desc');
      const manifest: ControlPlaneManifest = {
        ...{ version: 1, pointId: id, takenAt, repository: 'offsite', host: 'lost-host', holdfast: '0.1.0' },
        ...{ configurationDigest: digest, migration: migrations[0]?.name ?? '' },
        audit: { sequence: head.sequence, hash: head.digest },
        evidence: null,
        files: await filesIn(folder),
        ...changes,
      };
      await put(bundlePaths.manifest, JSON.stringify(manifest));
      await spoil?.(folder);
      const labels = { point: id, asset: CONTROL_PLANE_ASSET, kind: 'system', takenAt } as const;
      const part = { ...folderPart(folder), name: CONTROL_PLANE_PART };
      await repository.store(part, { ...labels, part: CONTROL_PLANE_PART }, recordedStep());
      await rm(folder, { recursive: true });
      return { id, manifest };
    },

    request: (changes = {}) => ({
      repository: { url: place.url, password: { kind: 'file', path: join(room, 'password') }, env: {} },
      ...{ dataDir: null, catalogUrl: null },
      configurationFile: join(room, 'anew', 'holdfast.yaml'),
      ...{ at: null, point: null, dryRun: false },
      ...changes,
    }),

    remove: () => removeFolder(room),
  };
}

function sourceOf(url: string, more: string): string {
  return `# written by a person
version: 1
dataDir: ./data
repositories:
  - { name: near, type: restic, url: ./near, password: "file:./near.key" }
  - name: offsite
    type: restic
    url: ${url}
    password: file:./offsite.key
assets:
  - { name: uploads, type: directory, path: /srv/uploads }
policies:
  - { name: daily, assets: [uploads], every: 24h, repository: near, copies: [offsite] }
${more}`;
}

/** As the contract has it. */
async function dumpOf(url: string, file: string): Promise<void> {
  const { folder } = await postgresServerBinaries();
  const { hostname, port, username, password, pathname } = new URL(url);
  const env = {
    ...{ PGHOST: hostname, PGPORT: port, PGUSER: username },
    PGPASSWORD: decodeURIComponent(password),
  };
  const what = ['-Fc', '-Z0', '--no-owner', '--no-privileges', '--schema=holdfast', `--file=${file}`];
  await execa(join(folder, 'pg_dump'), [...what, pathname.slice(1)], { env });
}

async function filesIn(folder: string) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  return Promise.all(
    paths.sort().map(async (path) => {
      const content = await readFile(join(folder, path));
      return { path, bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') };
    }),
  );
}
