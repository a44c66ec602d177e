// Writing the recovery kit: on the host that reaches the repositories, as only there their secrets resolve. Crash
// order: the sealed part, then the sheet, then the record of both; whoever died in between writes all anew.

import { mkdir, open, rename } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import packageFile from '../../package.json' with { type: 'json' };
import type { WrittenKit } from '../../catalog/index.ts';
import { HoldfastError } from '../../domain/errors.ts';
import { renderSheet, SEALED_FILE, SHEET_FILE } from '../../domain/kit/sheet.ts';
import { runStep } from '../activity-step.ts';
import type { KitActivities, WriteKit } from '../contract.ts';
import type { Deployment } from '../deployment.ts';
import { sha256 } from '../drills/evidence-key.ts';
import { resolveSecret } from '../secrets.ts';
import { kitContent } from './kit-content.ts';
import { kitNow, type KitNow } from './kit-facts.ts';
import { seal, type SealFor } from './seal.ts';
import { writeTar } from './tar.ts';

export function createKitSteps(deployment: Deployment): KitActivities {
  const { catalog, processes, clock } = deployment;
  return {
    writeKit: (input) =>
      runStep(
        {
          ...{ catalog, processes, clock, job: null },
          attempted: 'writing the recovery kit failed',
          key: 'kit',
          subject: `kit/${input.kitId}`,
        },
        () => writeKit(deployment, input),
      ),
  };
}

async function writeKit(deployment: Deployment, input: WriteKit): Promise<WrittenKit> {
  const { clock, dataDir } = deployment;
  const now = await kitNow(deployment);
  const { folder, sealFor, sealedFor } = await addressees(now, input);
  const writtenAt = clock();
  const at = writtenAt.toISOString();
  const sheet = renderSheet({
    kit: now.facts,
    digest: now.digest,
    writtenAt: at,
    host: hostname(),
    ...{ dataDir, sealedFor, holdfast: packageFile.version },
    passphrase: 'passphrase' in sealFor,
    rtoSeconds: longestRto(now),
  });
  const { files, opened } = await kitContent(now, sheet, at);
  const sealed = await seal(writeTar(files, writtenAt), sealFor);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeWhole(join(folder, SEALED_FILE), sealed);
  await writeWhole(join(folder, SHEET_FILE), Buffer.from(sheet));
  return deployment.catalog.as(input.actor).kits.record({
    ...{ id: input.kitId, writtenAt: at, folder, sealedFor, opened },
    digest: now.digest,
    configuration: now.facts.configuration,
    sealedDigest: createHash('sha256').update(sealed).digest('hex'),
  });
}

async function addressees(
  { configuration }: KitNow,
  input: WriteKit,
): Promise<{ folder: string; sealFor: SealFor; sealedFor: string[] }> {
  const folder = input.folder ?? configuration.kit?.folder ?? join(configuration.folder, 'kit');
  if (input.passphraseFile !== null) {
    const passphrase = await resolveSecret({ kind: 'file', path: input.passphraseFile });
    return { folder, sealFor: { passphrase }, sealedFor: ['a passphrase'] };
  }
  const recipients = input.recipients.length > 0 ? input.recipients : (configuration.kit?.recipients ?? []);
  if (recipients.length === 0) {
    throw new HoldfastError({
      code: 'usage',
      message: 'the recovery kit was not written',
      cause: 'nobody is named who could open it',
      hint: 'name an age recipient with --recipient or under kit.recipients, or a passphrase with --passphrase-file',
    });
  }
  return { folder, sealFor: { recipients }, sealedFor: recipients.map(fingerprint) };
}

/** Enough to tell which: `age1qyqs…l3k9 (sha256 0f3a…)`. */
function fingerprint(recipient: string): string {
  return `${recipient.slice(0, 9)}…${recipient.slice(-4)} (sha256 ${sha256(recipient).slice(0, 16)})`;
}

function longestRto({ configuration }: KitNow): number | null {
  const objectives = configuration.policies.flatMap(({ objectives: { rtoSeconds } }) => rtoSeconds ?? []);
  return objectives.length > 0 ? Math.max(...objectives) : null;
}

async function writeWhole(path: string, content: Buffer): Promise<void> {
  const file = await open(`${path}.part`, 'w', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.part`, path);
}
