/** The one of `known` that a slip of the fingers would make from `word`; null only if nothing is known. */
export function nearest(word: string, known: readonly string[]): { word: string; close: boolean } | null {
  const ranked = known
    .map((candidate) => ({ candidate, distance: distanceBetween(bare(word), bare(candidate)) }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  if (!best) return null;
  const longer = Math.max(bare(word).length, bare(best.candidate).length);
  return { word: best.candidate, close: best.distance <= Math.max(1, Math.floor(longer / 3)) };
}

/** `did you mean "local"? known here: local, offsite`; says so plainly when nothing is close. */
export function suggestion(word: string, known: readonly string[], none: string): string {
  const found = nearest(word, known);
  if (!found) return none;
  const lead = found.close ? `did you mean "${found.word}"?` : `the nearest known is "${found.word}";`;
  return known.length === 1 && found.close ? lead : `${lead} known here: ${known.join(', ')}`;
}

/** keep_last, keep-last and KeepLast are one slip away from keepLast, not three. Cut, so that no input is slow. */
function bare(word: string): string {
  return word.slice(0, 64).toLowerCase().replaceAll(/[-_ ]/g, '');
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function distanceBetween(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      let least = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (same ? 0 : 1),
      );
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) least = Math.min(least, at(beforeLast, column - 2) + 1);
      current.push(least);
    }
    [beforeLast, last] = [last, current];
  }
  return at(last, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
