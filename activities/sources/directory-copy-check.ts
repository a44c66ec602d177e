import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../../domain/errors.ts';
import { lookAt, removeTree } from '../hosts/filesystem.ts';
import { clearingUp, type Step } from '../step.ts';
import { differences } from '../verify/directory-difference.ts';
import { writeManifest } from '../verify/directory-digest.ts';
import { digestOfFile } from '../verify/file-digest.ts';
import { textOfRaw, type RawPath } from '../verify/raw-path.ts';

/** A copy made across file systems is, entry by entry, what it was copied from. */
export async function verifyCopiedTree(
  { source, fresh }: { source: RawPath; fresh: RawPath },
  scratch: string,
  getfattr: string,
  step: Step,
): Promise<void> {
  const [from, to] = [textOfRaw(source) ?? '', textOfRaw(fresh) ?? ''];
  const kind = await lookAt(from);
  if (kind?.isFile() && (await digestOfFile(from, step)) !== (await digestOfFile(to, step))) {
    throw notTheSame(to, 'the content differs');
  }
  if (!kind?.isDirectory()) return;
  await mkdir(scratch, { recursive: true, mode: 0o700 });
  try {
    const [expected, found] = [join(scratch, 'source.manifest'), join(scratch, 'copy.manifest')];
    const original = await writeManifest({ root: from, output: expected, scratch, getfattr }, step);
    const copy = await writeManifest({ root: to, output: found, scratch, getfattr }, step);
    const asRoot = process.geteuid?.() === 0;
    const digest = asRoot ? ('digest' as const) : ('unprivilegedDigest' as const);
    if (original[digest] === copy[digest]) return;
    const { examples } = await differences(expected, found, { privileged: asRoot });
    throw notTheSame(to, examples.join('; '));
  } finally {
    await removeTree(scratch, clearingUp(step));
  }
}

function notTheSame(copy: string, cause: string): HoldfastError {
  return new HoldfastError({
    code: 'proof.failed',
    message: `the copy of the restored data at ${copy} is not what was restored`,
    cause,
    hint: 'check the file system there: it may not keep owners, attributes or names as the source did',
  });
}
