// What a recovery kit would say now.

import type { Catalog } from '../../catalog/index.ts';
import { canonicalJson } from '../../domain/canonical-json.ts';
import type { Configuration } from '../../domain/configuration/types.ts';
import { HoldfastError } from '../../domain/errors.ts';
import { kitFactsOf, type KitFacts, type SeenPoint } from '../../domain/kit/facts.ts';
import type { RecoveryPoint } from '../../domain/recovery-point.ts';
import { manifest as tools } from '../../tools/manifest.ts';
import { evidenceSigner, sha256 } from '../drills/evidence-key.ts';
import { withoutPassword } from '../repositories/restic-connection.ts';

export interface KitNow {
  configuration: Configuration;
  /** As it was written; null: an earlier version applied it. */
  written: { source: string } | null;
  facts: KitFacts;
  /** Of the facts: what is compared to tell whether a kit is current. */
  digest: string;
}

/** Resolves no secret. Throws `notFound` where nothing was applied. */
export async function kitNow({ catalog, dataDir }: { catalog: Catalog; dataDir: string }): Promise<KitNow> {
  const applied = await catalog.configurations.current();
  if (!applied) {
    throw new HoldfastError({
      code: 'notFound',
      message: 'there is nothing a recovery kit could say',
      cause: 'no configuration was applied yet',
      hint: 'run `holdfast apply`',
    });
  }
  const { configuration, digest } = applied;
  const seen = new Map<string, SeenPoint>();
  for (const { name } of configuration.assets) {
    const point = await catalog.points.newest(name);
    if (point) seen.set(name, seenIn(point));
  }
  const { keyId, publicKey } = await evidenceSigner(dataDir);
  const facts = kitFactsOf(configuration, {
    ...{ digest, seen, shownUrl: withoutPassword },
    auditKey: { keyId, publicKey },
    minimum: (tool) => tools[tool as keyof typeof tools].minimum,
  });
  const written = await catalog.configurations.written();
  return { configuration, written, facts, digest: sha256(canonicalJson(facts)) };
}

function seenIn({ copies, manifest }: RecoveryPoint): SeenPoint {
  const part = copies[0]?.parts.find(({ name }) => name === 'files' || name === 'database');
  return {
    stored: part?.path ?? null,
    database: manifest?.kind === 'postgres' ? manifest.database : null,
  };
}
