// `renamedFrom`: a name that is still in use was not renamed, and one history cannot go to two heirs.

import { valueAt } from './findings.ts';
import type { Finding, Path } from './problem.ts';

export function brokenRenames(document: unknown): Finding[] {
  return ['assets', 'policies'].flatMap((list) => renamesIn(document, list));
}

function renamesIn(document: unknown, list: string): Finding[] {
  const items = valueAt(document, [list]);
  if (!Array.isArray(items)) return [];
  const texts = (key: string) =>
    items.map((_, index) => {
      const path: Path = [list, index, key];
      return { path, text: valueAt(document, path) };
    });
  const names = texts('name');
  const former = texts('renamedFrom').filter(({ text }) => typeof text === 'string');
  return former.flatMap(({ path, text }, position): Finding[] => {
    const inUse = names.find((name) => name.text === text);
    const first = former.findIndex((other) => other.text === text);
    if (inUse) {
      return [
        {
          path,
          firstAt: inUse.path,
          message: 'this name is still in use, so nothing was renamed from it',
          fix: 'take renamedFrom out, or the entry with the old name',
        },
      ];
    }
    if (first === position) return [];
    return [
      {
        path,
        firstAt: former[first]?.path ?? path,
        message: 'something else was renamed from this name already: its history can go to one only',
        fix: 'keep one of the two',
      },
    ];
  });
}
