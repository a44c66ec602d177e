import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { IntegrityFigures } from '../../domain/evidence/record.ts';
import type { DirectoryManifest, Manifest, ProofReport } from '../../domain/recovery-point.ts';
import { resolveTool } from '../../tools/resolve.ts';
import type { Step } from '../step.ts';
import { differences } from '../verify/directory-difference.ts';
import { writeManifest, type ManifestSummary } from '../verify/directory-digest.ts';
import { keptManifest } from '../verify/manifest-file.ts';
import { NO_FIGURES, type RestoredParts, type UseRehearsed, type Workspace } from './source.ts';

/** The digest of the restored folder is the one of what was stored; where not, which entries differ. */
export async function rehearseDirectory(
  restored: RestoredParts,
  manifest: Manifest | null,
  workspace: Workspace,
  step: Step,
  options: { getfattr?: string },
  use?: UseRehearsed,
): Promise<ProofReport> {
  const root = restored['files'];
  if (root === undefined) return failed('files', 'the recovery point has no part "files"');
  const getfattr = options.getfattr ?? (await resolveTool('getfattr')).path;
  const output = join(workspace.scratch, 'restored.manifest');
  await mkdir(workspace.scratch, { recursive: true, mode: 0o700 });
  const bytesTotal = manifest?.kind === 'directory' ? manifest.bytes : null;
  const found = await writeManifest(
    { root, output, scratch: workspace.scratch, getfattr, bytesTotal, phase: 'rehearsal' },
    step,
  );
  const asRoot = process.geteuid?.() === 0;
  const report = await compared(found, manifest, workspace, output, asRoot);
  const expected = manifest?.kind === 'directory' ? figures(manifest, asRoot) : NO_FIGURES;
  await use?.({ report, expected, found: figures(found, asRoot), place: { kind: 'path', path: root } });
  return report;
}

function figures(of: ManifestSummary | DirectoryManifest, asRoot: boolean): IntegrityFigures {
  const { files, bytes, digest, unprivilegedDigest } = of;
  return { ...NO_FIGURES, files, bytes, digest: asRoot ? digest : (unprivilegedDigest ?? digest) };
}

async function compared(
  found: ManifestSummary,
  manifest: Manifest | null,
  workspace: Workspace,
  output: string,
  asRoot: boolean,
): Promise<ProofReport> {
  if (manifest === null) return withoutManifest(found);
  if (manifest.kind !== 'directory')
    return failed('manifest', `it is one of a ${manifest.kind}, not a directory`);

  const full = found.digest === manifest.digest;
  const unprivileged = !asRoot && found.unprivilegedDigest === manifest.unprivilegedDigest;
  const checks = [readable(found), counts(manifest, found)];
  if (full || unprivileged) {
    const scope = full ? 'owners, ' : 'owners not compared, as only root can restore them; ';
    const detail = `${manifest.digest.slice(0, 16)}…: ${scope}paths, types, modes, times, links, attributes and content are as stored`;
    checks.push({ name: 'digest', ok: true, detail });
  } else {
    const kept = await keptManifest(workspace.staging, manifest.digest);
    const detail = kept
      ? await nameDifferences(kept, output, asRoot)
      : `expected ${manifest.digest}, found ${found.digest}; the full manifest is no longer at hand to name the entries`;
    checks.push({ name: 'digest', ok: false, detail });
  }
  return { ok: checks.every(({ ok }) => ok), checks };
}

async function nameDifferences(expected: string, found: string, privileged: boolean): Promise<string> {
  const { count, examples } = await differences(expected, found, { privileged });
  const more = count > examples.length ? `; and ${count - examples.length} more` : '';
  return `${count} ${count === 1 ? 'entry differs' : 'entries differ'}: ${examples.join('; ')}${more}`;
}

function counts(expected: DirectoryManifest, found: ManifestSummary) {
  const say = (of: Pick<ManifestSummary, 'files' | 'directories' | 'others'>) =>
    `${of.files} files, ${of.directories} folders, ${of.others} others`;
  const ok = say(expected) === say(found);
  return { name: 'entries', ok, detail: ok ? say(found) : `expected ${say(expected)}; found ${say(found)}` };
}

function readable(found: ManifestSummary) {
  const ok = found.unreadable.count === 0;
  const detail = ok ? 'every entry can be read' : found.unreadable.examples.join('; ');
  return { name: 'readable', ok, detail };
}

/** A safety point, or one whose catalogue was lost: it can be read, and that is all that can be said. */
function withoutManifest(found: ManifestSummary): ProofReport {
  const detail = `${found.files} files, ${found.directories} folders, ${found.others} others, ${found.bytes} bytes; no manifest to compare with`;
  const checks = [readable(found), { name: 'entries', ok: true, detail }];
  return { ok: checks.every(({ ok }) => ok), checks };
}

function failed(name: string, detail: string): ProofReport {
  return { ok: false, checks: [{ name, ok: false, detail }] };
}
