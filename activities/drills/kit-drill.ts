// A drill by the recovery kit: the key comes from the sealed part, the commands from the sheet, and what they
// brought back is held against the manifest as in any drill.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Drill } from '../../domain/configuration/drill-types.ts';
import { HoldfastError } from '../../domain/errors.ts';
import type { DrillRecord } from '../../domain/evidence/record.ts';
import { placedAt } from '../../domain/kit/asset-commands.ts';
import { folderOf } from '../../domain/kit/facts.ts';
import { CHECK, FETCH, PLACE } from '../../domain/kit/sheet.ts';
import type { ProofReport, RecoveryPoint } from '../../domain/recovery-point.ts';
import type { Deployment } from '../deployment.ts';
import { kitNow } from '../kit/kit-facts.ts';
import { openKit, type OpenedKit } from '../kit/opened-kit.ts';
import { assetOnSheet, runSheet, type SheetVariables } from '../kit/sheet-commands.ts';
import { parsePostgresUrl, type PostgresAddress } from '../sources/postgres-address.ts';
import { connect } from '../sources/postgres-connection.ts';
import { countDifferences, countRows } from '../sources/postgres-tables.ts';
import type { Rehearsed, RestoredParts } from '../sources/source.ts';
import type { Step } from '../step.ts';
import type { DrillEnvironment } from './environment.ts';

/** null: the drill is not by the kit. One that does not say what is true now is refused. */
export async function kitOfDrill(
  deployment: Deployment,
  drill: Drill,
  environment: DrillEnvironment,
  step: Step,
): Promise<OpenedKit | null> {
  if (!drill.kit) return null;
  const kit = await openKit(drill.kit, environment.ownFolder, step);
  const now = await kitNow(deployment);
  if (kit.digest === now.digest) return kit;
  throw new HoldfastError({
    code: 'proof.failed',
    message: `the recovery kit ${kit.file} is outdated`,
    cause: `it says ${kit.digest.slice(0, 16)}, and true now is ${now.digest.slice(0, 16)}`,
    hint: 'write it anew with `holdfast kit export`, replace its copies, then drill again',
  });
}

/** Where the key came from, for the evidence. */
export function keysFromKit(kit: OpenedKit, repository: string): DrillRecord['keys'] {
  const reference = `${folderOf(repository)}/password in ${kit.file} (sha256 ${kit.sealedDigest})`;
  return [{ repository, reference, from: 'kit' }];
}

export interface BySheet {
  /** What the sheet fetched and put in place, for the rehearsal. */
  restored: RestoredParts;
  /** With the sandbox open: what the sheet makes of a database there. */
  placed(rehearsed: Rehearsed): Promise<ProofReport['checks']>;
}

/** `folder`: of this asset alone. */
export async function restoreBySheet(
  kit: OpenedKit,
  from: { point: RecoveryPoint; repository: string },
  folder: string,
  step: Step,
): Promise<BySheet> {
  const { point, repository } = from;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const asset = assetOnSheet(kit, point.asset, repository);
  const variables = { TARGET: join(folder, 'fetched'), ROOT: join(folder, 'root'), POINT: point.id };
  const fetched = join(variables.TARGET, asset.name);
  const run = (titles: string[], more: Partial<SheetVariables> = {}) =>
    runSheet(kit, { asset, repository, titles }, { ...variables, ...more }, step);
  if (asset.type === 'postgres') {
    await run([FETCH]);
    return {
      restored: { dump: join(fetched, 'dump'), globals: join(fetched, 'globals') },
      placed: async ({ place }) => {
        if (place.kind !== 'url') return [];
        const address = parsePostgresUrl(place.url);
        await run([PLACE, CHECK], {
          PGHOST: address.host,
          PGPORT: String(address.port),
          PGUSER: address.user,
          PGPASSWORD: address.password ?? '',
        });
        const { manifest } = point;
        if (manifest?.kind !== 'postgres') return [];
        const differences = await differencesIn(
          { ...address, database: asset.database },
          manifest.tables,
          step,
        );
        const detail = differences.join('; ') || `${asset.database} was made as the sheet says`;
        return [{ name: 'by the sheet', ok: differences.length === 0, detail }];
      },
    };
  }
  await run([FETCH, PLACE, CHECK]);
  const path = placedAt(asset, variables.ROOT);
  return {
    restored: asset.type === 'sqlite' ? { database: join(path, '..') } : { files: path },
    placed: async () => [],
  };
}

async function differencesIn(
  address: PostgresAddress,
  expected: Record<string, number>,
  step: Step,
): Promise<string[]> {
  const connection = await connect(address, step);
  try {
    return countDifferences(expected, await countRows(connection));
  } finally {
    await connection.close();
  }
}
