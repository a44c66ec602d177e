// How much a store or a copy is going to send, from what the last ones sent.

/** What a further backup adds, where only the first is known: a guess, replaced by the second one's measure. */
const SHARE_AFTER_FIRST = 0.1;

/**
 * The median of the last ones, without the very first, which sent everything. `sentBefore`: newest first;
 * `withFirst`: the last of them is the first there ever was. null: there was none.
 */
export function expectedBytes(sentBefore: readonly number[], withFirst: boolean): number | null {
  const further = withFirst ? sentBefore.slice(0, -1) : [...sentBefore];
  if (further.length === 0) {
    const [first] = sentBefore;
    return first === undefined ? null : Math.ceil(first * SHARE_AFTER_FIRST);
  }
  return further.toSorted((left, right) => left - right)[Math.floor(further.length / 2)] ?? null;
}
