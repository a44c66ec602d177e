import type { Entry } from './directory-entry.ts';
import { coveredPart, unprivilegedPart } from './directory-entry.ts';
import { addExample, type Examples } from './examples.ts';
import { openManifest } from './manifest-file.ts';
import { mergeEntries } from './merge-entries.ts';
import { showRaw } from './raw-path.ts';

/** Entries that differ between two manifests, the first ones by name and with what is different. */
export async function differences(
  expectedFile: string,
  foundFile: string,
  options: { privileged: boolean },
): Promise<Examples> {
  const covered = options.privileged ? coveredPart : unprivilegedPart;
  const expected = await openManifest(expectedFile);
  const found = await openManifest(foundFile);
  const result: Examples = { count: 0, examples: [] };
  try {
    for await (const { left, right } of mergeEntries(expected.entries, found.entries)) {
      if ((left ?? right)?.path === '') continue;
      if (left && right && covered(left) === covered(right)) continue;
      addExample(result, describeDifference(left, right));
    }
    return result;
  } finally {
    await Promise.all([expected.close(), found.close()]);
  }
}

function describeDifference(expected: Entry | null, found: Entry | null): string {
  if (!found) return `${showRaw(expected?.path ?? '')}: missing`;
  if (!expected) return `${showRaw(found.path)}: was not in the recovery point`;
  const words: Partial<Record<keyof Entry, string>> = {
    type: 'type',
    mode: 'mode',
    uid: 'owner',
    gid: 'group',
    mtime: 'time',
    size: 'size',
    content: 'content',
    link: 'hard link',
    xattrs: 'extended attributes',
    privilegedXattrs: 'system attributes',
  };
  const different = Object.entries(words).filter(
    ([field]) => expected[field as keyof Entry] !== found[field as keyof Entry],
  );
  return `${showRaw(found.path)}: ${different.map(([, word]) => word).join(', ')}`;
}
