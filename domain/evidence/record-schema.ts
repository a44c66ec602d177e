// A drill's record as it comes from outside: from a workflow's history, or out of a file somebody may have
// written. Nothing more and nothing less than `DrillRecord`.

import { z } from 'zod';
import type { DrillRecord } from './record.ts';

const text = z.string().max(10_000);
const name = z.string().min(1).max(500);
const time = z.iso.datetime();
const seconds = z.number().nonnegative();
const count = z.number().int().nonnegative();
const digest = z.string().regex(/^[0-9a-f]{64}$/);

const check = z.strictObject({ name: text, ok: z.boolean().nullable(), detail: text });
const objectives = z.strictObject({ rtoSeconds: seconds.nullable(), rpoSeconds: seconds.nullable() });
const held = z.strictObject({ objectiveSeconds: seconds.nullable(), achievedSeconds: seconds.nullable() });

const figures = z.strictObject({
  files: count.nullable(),
  bytes: count.nullable(),
  digest: name.nullable(),
  tables: count.nullable(),
  rows: count.nullable(),
});

const point = z.strictObject({
  id: name,
  takenAt: time,
  ageSeconds: seconds,
  proof: name,
  parts: z.array(z.strictObject({ name, snapshotId: name })).min(1),
});

export const drilledAsset = z.strictObject({
  asset: name,
  assetType: name,
  class: name,
  owner: name.nullable(),
  policy: name.nullable(),
  point: point.nullable(),
  restored: z.boolean(),
  rpo: held,
  rto: held,
  integrity: z
    .strictObject({ expected: figures, restored: figures, differences: z.array(text).max(100) })
    .nullable(),
  checks: z.array(check),
});

export const drillPhase = z.strictObject({ name, startedAt: time, seconds });
export const drillMoment = z.strictObject({ at: time, asset: name.nullable(), what: text });

export const retest = z.strictObject({ drill: name, action: name });

export const correctiveAction = z.strictObject({
  ...{ id: name, what: text, owner: name, dueAt: time.nullable(), retestBy: name },
});

const production = z.discriminatedUnion('method', [
  z.strictObject({ asset: name, method: z.literal('digests'), before: name, after: name }),
  z.strictObject({ asset: name, method: z.literal('notAccessible'), why: text.min(1) }),
  z.strictObject({ asset: name, method: z.literal('gameDay'), why: text.min(1) }),
]);

export const drillRecord = z.strictObject({
  drill: z.strictObject({
    id: name,
    name,
    trigger: z.enum(['scheduled', 'manual', 'gameDay']),
    dueAt: time.nullable(),
    retests: z.array(retest),
    owner: name.exactOptional(),
  }),
  scenario: z.enum(['assetLoss', 'hostLoss', 'siteLoss', 'keyLoss']),
  configuration: z.strictObject({ digest: name, policies: z.array(name) }),
  sampling: z.strictObject({
    rule: z.enum(['latest', 'random']),
    windowSeconds: seconds.nullable(),
    seed: name.nullable(),
    candidates: count,
  }),
  source: z.strictObject({ repository: name, type: name, location: text }),
  startedAt: time,
  endedAt: time,
  clock: z.strictObject({
    source: name,
    synchronised: z.boolean().nullable(),
    offsetSeconds: z.number().nullable(),
  }),
  objectives,
  measured: objectives,
  assets: z.array(drilledAsset),
  phases: z.array(drillPhase),
  timeline: z.array(drillMoment).max(1000).exactOptional(),
  smoke: z.array(check),
  production: z.array(production),
  keys: z.array(z.strictObject({ repository: name, reference: text, from: text })),
  tools: z.array(z.strictObject({ name, version: text, sha256: digest.nullable() })),
  commands: z.array(
    z.strictObject({
      asset: name.nullable(),
      tool: name,
      arguments: z.array(text),
      exitCode: z.number().int().nullable(),
      seconds,
    }),
  ),
  failures: z.array(
    z.strictObject({
      asset: name.nullable(),
      phase: name,
      code: name,
      message: text,
      cause: text,
      hint: text,
    }),
  ),
  actions: z.array(correctiveAction),
  environment: z.strictObject({ kind: name, host: name, platform: name, holdfast: name }),
  operator: name,
  approver: name.nullable(),
}) satisfies z.ZodType<DrillRecord>;
