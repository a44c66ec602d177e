// Which of the points of an asset a drill restores. Chosen at random, the same seed over the same points chooses
// the same again, so that an auditor can repeat the choice.

/** null only where there is none. */
export function chooseAt<Point extends { id: string }>(
  points: readonly Point[],
  seed: string,
  asset: string,
): Point | null {
  const ordered = points.toSorted((one, other) => (one.id < other.id ? -1 : 1));
  return ordered[fnv1a(`${seed}/${asset}`) % Math.max(1, ordered.length)] ?? null;
}

/** FNV-1a, with a last mix so that its low bits are as good as its high ones. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0;
  return (hash ^ (hash >>> 13)) >>> 0;
}
