// What a recovery point of the control plane holds, as a folder in a repository: enough to have the service back
// on an empty machine, and no password of anything else. See docs/control-plane.md.

import { z } from 'zod';

/** No asset of a configuration may have this name. */
export const CONTROL_PLANE_ASSET = 'holdfast';
/** The one part of its artifact. */
export const CONTROL_PLANE_PART = 'control-plane';

/** Paths inside the part; folders without a slash at their end. */
export const bundlePaths = {
  manifest: 'manifest.json',
  /** The text as it was applied; absent when an earlier version applied it. */
  source: 'configuration/holdfast.yaml',
  /** An `AppliedDocument`. */
  applied: 'configuration/applied.json',
  /** `pg_dump -Fc -Z0 --no-owner --no-privileges`: not compressed, so that it deduplicates. */
  dump: 'catalog.dump',
  keys: 'keys',
  histories: 'histories',
  evidence: 'evidence',
} as const;

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.number().int().nonnegative();

export const controlPlaneManifest = z.object({
  version: z.literal(1),
  pointId: z.uuid(),
  takenAt: z.iso.datetime(),
  /** The name it has in the configuration. */
  repository: z.string().min(1),
  /** Of the machine it was taken on. */
  host: z.string(),
  /** Version of the program that took it. */
  holdfast: z.string(),
  /** null: no configuration was applied yet. */
  configurationDigest: z.string().nullable(),
  /** The newest migration in the dump, for example `0018_control_plane`. */
  migration: z.string(),
  /** The head of the audit chain as it is in the dump; null: the chain is empty. */
  audit: z.object({ sequence: count, hash: digest }).nullable(),
  /** The newest evidence in the dump, by its sequence. */
  evidence: z.object({ sequence: count, digest }).nullable(),
  /** Every other file, sorted by path. */
  files: z.array(z.object({ path: z.string().min(1), bytes: count, sha256: digest })),
});

export type ControlPlaneManifest = z.infer<typeof controlPlaneManifest>;

/** What `configuration/applied.json` holds; `configuration` is the normalised document. */
export const appliedDocument = z.object({
  configuration: z.unknown(),
  digest: z.string(),
  appliedAt: z.string(),
  appliedBy: z.string(),
  /** The file it was applied from; null when not known. */
  path: z.string().nullable(),
});

export type AppliedDocument = z.infer<typeof appliedDocument>;
