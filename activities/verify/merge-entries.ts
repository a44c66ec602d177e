import { compareRaw, type RawPath } from './raw-path.ts';

/** Two walks side by side: every path of either, with what each has there. Both must be in the order of a walk. */
export async function* mergeEntries<L extends { path: RawPath }, R extends { path: RawPath }>(
  left: AsyncIterable<L>,
  right: AsyncIterable<R>,
): AsyncGenerator<{ left: L | null; right: R | null }> {
  const lefts = left[Symbol.asyncIterator]();
  const rights = right[Symbol.asyncIterator]();
  try {
    let a = await lefts.next();
    let b = await rights.next();
    while (!a.done || !b.done) {
      const order = a.done ? 1 : b.done ? -1 : compareRaw(a.value.path, b.value.path);
      yield {
        left: order <= 0 && !a.done ? a.value : null,
        right: order >= 0 && !b.done ? b.value : null,
      };
      if (order <= 0) a = await lefts.next();
      if (order >= 0) b = await rights.next();
    }
  } finally {
    await lefts.return?.();
    await rights.return?.();
  }
}
