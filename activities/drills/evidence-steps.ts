// What becomes of a drill's record when it has ended: signed, on the chain, then as files. The catalogue first:
// what lies in a folder without standing there would look made up.

import { mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoredEvidence } from '../../catalog/index.ts';
import { withCorrectiveActions } from '../../domain/drills/corrective-actions.ts';
import { HoldfastError } from '../../domain/errors.ts';
import { evidenceFiles } from '../../domain/evidence/files.ts';
import { drillRecord } from '../../domain/evidence/record-schema.ts';
import type { DrillRecord } from '../../domain/evidence/record.ts';
import { sealEvidence } from '../../domain/evidence/statement.ts';
import { asFailure } from '../activity-step.ts';
import type { EvidenceActivities } from '../contract.ts';
import { folders, type Deployment } from '../deployment.ts';
import { evidenceSigner, sha256 } from './evidence-key.ts';

/** Others may record in between, each once: that often is enough. */
const ATTEMPTS = 5;

export function createEvidenceSteps(deployment: Deployment): EvidenceActivities {
  return {
    recordEvidence: async ({ record, folder, actor }) => {
      try {
        const whole = checked(withCorrectiveActions(record));
        const stored = await signAndRecord(deployment, whole, actor);
        // The data directory's own travels off-site with the control plane.
        const own = await writeFiles(folders.evidence(deployment.dataDir), stored);
        const also = folder ?? (await configuredFolder(deployment));
        const path = also === null ? own : await writeFiles(also, stored);
        const { sequence, outcome, digest } = stored;
        return { sequence, outcome, digest, path };
      } catch (error) {
        throw asFailure(error, `recording the evidence of drill ${record.drill.name} failed`);
      }
    },
  };
}

/** As it is said now: where files lie is nothing that a drill was begun with. */
async function configuredFolder({ catalog }: Deployment): Promise<string | null> {
  return (await catalog.configurations.current())?.configuration.evidence?.folder ?? null;
}

async function signAndRecord(
  { catalog, dataDir, clock }: Deployment,
  record: DrillRecord,
  actor: string,
): Promise<StoredEvidence> {
  const { evidence } = catalog.as(actor);
  for (let attempt = 1; ; attempt += 1) {
    const signer = await evidenceSigner(dataDir);
    const { sequence, digest, keys } = await evidence.head();
    const place = {
      sequence: sequence + 1,
      previous: digest,
      recordedAt: clock().toISOString(),
      handovers: keys.get(signer.keyId) ?? [],
    };
    try {
      return await evidence.record(sealEvidence(record, place, signer, sha256));
    } catch (error) {
      const overtaken = error instanceof HoldfastError && error.code === 'request.conflict';
      if (!overtaken || attempt === ATTEMPTS) throw error;
    }
  }
}

function checked(record: DrillRecord): DrillRecord {
  const read = drillRecord.safeParse(record);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new HoldfastError({
    code: 'internal',
    message: `the record of drill ${record.drill.name} cannot be evidence`,
    cause: `${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? ''}`,
    hint: 'this is a fault in Holdfast: please report it with the lines above',
  });
}

async function writeFiles(folder: string, { envelope, digest }: StoredEvidence): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  let path = '';
  for (const { name, text } of evidenceFiles(envelope, digest)) {
    path = join(folder, name);
    await writeWhole(path, text);
  }
  return path;
}

async function writeWhole(path: string, text: string): Promise<void> {
  const file = await open(`${path}.part`, 'w', 0o644);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.part`, path);
}
