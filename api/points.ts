import { z } from 'zod';
import type { PointHold } from '../catalog/index.ts';
import type { Manifest, PointCopy } from '../domain/recovery-point.ts';
import type { Api } from './api.ts';
import { id, list, listOf, name, pageOf, pageQuery, proof, time } from './schemas.ts';
import type { ListedPoint, PointFile, Services } from './services.ts';

export function pointRoutes(api: Api, services: Services): void {
  api.route({
    method: 'GET',
    url: '/points',
    config: { role: 'viewer' },
    schema: {
      summary: 'What can be restored, newest first; regular points unless another kind is asked for',
      querystring: z.strictObject({
        ...pageQuery,
        asset: name.optional(),
        kind: pointKind.optional(),
        orphaned: z.enum(['true']).optional().describe('only those no configured policy looks after'),
      }),
      response: { 200: list(recoveryPoint) },
    },
    handler: ({ query }) =>
      services.listPoints(
        { asset: query.asset ?? null, kind: query.kind ?? null, orphaned: query.orphaned === 'true' },
        pageOf(query),
      ),
  });

  api.route({
    method: 'GET',
    url: '/points/:id',
    config: { role: 'viewer' },
    schema: {
      summary: 'A recovery point, by its id or the beginning of it',
      params: z.object({ id }),
      response: { 200: recoveryPoint },
    },
    handler: ({ params }) => services.getPoint(params.id),
  });

  api.route({
    method: 'GET',
    url: '/points/:id/files',
    // Names of files say much about their owner, and each look costs a call of the engine.
    config: { role: 'operator' },
    schema: {
      summary: 'What lies in a recovery point under a path',
      params: z.object({ id }),
      querystring: z.strictObject({ path: z.string().max(4096).default('/') }),
      response: { 200: list(pointFile) },
    },
    handler: async (request) =>
      listOf(await services.listPointFiles(request.actor, request.params.id, request.query.path)),
  });

  api.route({
    method: 'POST',
    url: '/points/import',
    config: { role: 'operator' },
    schema: {
      summary: "Take snapshots that Holdfast did not make, or knows no more, as an asset's recovery points",
      body: z.strictObject({
        asset: name,
        repository: name,
        snapshots: z
          .array(z.string().regex(/^[0-9a-f]{8,64}$/, 'a snapshot id: 8 to 64 hexadecimal digits'))
          .max(10_000)
          .default([])
          .describe('empty: every one of the path the asset has, and those that Holdfast made of it'),
      }),
      response: { 200: list(recoveryPoint) },
    },
    handler: async (request) => listOf(await services.importSnapshots(request.actor, request.body)),
  });
}

const pointKind = z.enum(['regular', 'safety', 'system']);

const examples = z.object({ count: z.number(), examples: z.array(z.string()) });

const manifest = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('directory'),
    digest: z.string(),
    files: z.number(),
    directories: z.number(),
    others: z.number(),
    bytes: z.number(),
    changed: examples,
    notStored: examples,
  }),
  z.object({
    kind: z.literal('sqlite'),
    fileName: z.string(),
    bytes: z.number(),
    sha256: z.string(),
    tables: z.record(z.string(), z.number()),
  }),
  z.object({
    kind: z.literal('postgres'),
    database: z.string(),
    serverVersion: z.number(),
    bytes: z.number(),
    tables: z.record(z.string(), z.number()),
  }),
  z.object({
    kind: z.literal('control-plane'),
    files: z.number(),
    bytes: z.number(),
    migration: z.string(),
    configurationDigest: z.string().nullable(),
    audit: z.object({ sequence: z.number(), hash: z.string() }).nullable(),
    evidence: z.object({ sequence: z.number(), digest: z.string() }).nullable(),
  }),
]) satisfies z.ZodType<Manifest>;

const copy = z.object({
  repository: z.string(),
  artifactId: z.string(),
  parts: z.array(z.object({ name: z.string(), snapshotId: z.string(), path: z.string() })),
  storedAt: time,
  verifiedAt: time.nullable(),
  provenAt: time.nullable(),
  damagedAt: time.nullable(),
}) satisfies z.ZodType<PointCopy>;

const hold = z.object({
  pointId: z.string(),
  kind: z.enum(['legal', 'other']),
  owner: z.string(),
  reason: z.string(),
  placedAt: time,
  placedBy: z.string(),
}) satisfies z.ZodType<PointHold>;

export const recoveryPoint = z.object({
  id: z.string(),
  asset: z.string(),
  assetType: z.enum(['postgres', 'sqlite', 'directory']),
  policy: z.string().nullable(),
  jobId: z.string().nullable(),
  kind: pointKind,
  takenAt: time,
  method: z.enum(['dump', 'sqlite-backup', 'files', 'raw-files']),
  proof,
  partial: z.string().nullable().describe('what of the source could not be read; null: everything was'),
  tags: z.array(z.string()).describe('words given when it was asked for; `keepTags` keeps by them'),
  bytes: z.number(),
  addedBytes: z.number(),
  copies: z.array(copy),
  manifest: manifest.nullable(),
  orphaned: z.boolean(),
  holds: z.array(hold).describe('what keeps it from being dropped or removed'),
}) satisfies z.ZodType<ListedPoint>;

const pointFile = z.object({
  path: z.string(),
  type: z.enum(['file', 'dir', 'symlink', 'other']),
  size: z.number(),
  modifiedAt: time,
}) satisfies z.ZodType<PointFile>;
