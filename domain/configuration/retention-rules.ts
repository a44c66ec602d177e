// An asset in two policies has one history in each repository. Two retentions that differ would each drop what
// the other keeps: that is refused, and both places are named.

import { canonicalJson } from '../canonical-json.ts';
import { parseDuration } from '../duration.ts';
import { inOneOrder } from '../tags.ts';
import { valueAt } from './findings.ts';
import type { Finding, Path } from './problem.ts';
import { presets } from './retention-presets.ts';

/** `policies`: the paths of the policies in the document. */
export function contradictingRetention(document: unknown, policies: readonly Path[]): Finding[] {
  const first = new Map<string, Kept>();
  return policies.flatMap((policy) => {
    const findings = new Map<string, Finding>();
    for (const kept of keptBy(document, policy)) {
      const key = JSON.stringify([kept.asset, kept.repository]);
      const before = first.get(key);
      if (!before) first.set(key, kept);
      else if (before.words !== kept.words && before.policy !== policy) {
        findings.set(JSON.stringify(kept.path), {
          path: kept.path,
          firstAt: before.path,
          message: `${kept.asset} is kept otherwise in ${kept.repository} by another policy`,
          fix: 'give both policies the same retention there, or take the asset out of one',
        });
      }
    }
    return [...findings.values()];
  });
}

interface Kept {
  policy: Path;
  asset: string;
  repository: string;
  /** Where it is said, or where it would be. */
  path: Path;
  /** Equal ones keep the same. */
  words: string;
}

function keptBy(document: unknown, policy: Path): Kept[] {
  const own = [...policy, 'retention'];
  const copies = listAt(document, [...policy, 'copies']).map((copy, index): [unknown, Path] => {
    const path = [...policy, 'copies', index, 'retention'];
    const name = typeof copy === 'string' ? copy : valueAt(copy, ['repository']);
    return [name, valueAt(document, path) === undefined ? own : path];
  });
  const places: [unknown, Path][] = [[valueAt(document, [...policy, 'repository']), own], ...copies];
  return listAt(document, [...policy, 'assets']).flatMap((asset) =>
    places.flatMap(([repository, path]): Kept[] => {
      if (typeof asset !== 'string' || typeof repository !== 'string') return [];
      const written = valueAt(document, path);
      const words = canonicalJson(keptWords(written));
      return [{ policy, asset, repository, path: written === undefined ? policy : path, words }];
    }),
  );
}

/** A preset and its words written out are the same. */
function keptWords(written: unknown): Record<string, unknown> {
  if (typeof written !== 'object' || written === null) return {};
  const { preset, maxDrop: _, ...words } = written as Record<string, unknown>;
  const known = typeof preset === 'string' && Object.hasOwn(presets, preset);
  const own = Object.entries(words).map(([word, kept]): [string, unknown] => {
    const seconds = word.startsWith('keepWithin') ? parseDuration(String(kept)) : null;
    return [word, seconds ?? (Array.isArray(kept) ? inOneOrder(kept.map(String)) : kept)];
  });
  return {
    ...(known && presets[preset as keyof typeof presets]),
    ...(Object.fromEntries(own) as Record<string, unknown>),
  };
}

function listAt(document: unknown, path: Path): unknown[] {
  const value = valueAt(document, path);
  return Array.isArray(value) ? value : [];
}
