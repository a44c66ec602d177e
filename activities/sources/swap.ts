// Putting restored data in place and setting aside what was there, by renames, so that a crash after any of
// them can be gone on from or undone (law 7). The order: journal, bring, journal, aside, in, journal.
import { chmod, mkdir, rename, rmdir } from 'node:fs/promises';
import { HoldfastError } from '../../domain/errors.ts';
import { identityOf, lookAt, removeTree, runOrThrow, syncFolder } from '../hosts/filesystem.ts';
import { runCommand } from '../run-command.ts';
import type { Step } from '../step.ts';
import { stopIfCancelled } from '../verify/cancellation.ts';
import { bufferOfRaw, parentOfRaw, showRaw, textOfRaw, type RawPath } from '../verify/raw-path.ts';
import { setFolderMetadata, setModifiedAt } from './directory-metadata.ts';
import { readJournal, writeJournal, type SwapJournal, type SwapPlan } from './swap-journal.ts';
import type { Bring, Unit, UnitPaths } from './swap-journal.ts';

export interface SwapWork {
  /** Folder of the journal. */
  journal: string;
  plan(): Promise<SwapPlan>;
  /** Called when everything was brought. */
  units(plan: SwapPlan): Promise<UnitPaths[]>;
  /** Throws when a copy is not what it was copied from. */
  verifyCopy(bring: Bring): Promise<void>;
  /** Last look before a place is touched: confinement, nobody holding the file. */
  beforeMove(unit: UnitPaths): Promise<void>;
  afterStep?: ((name: string) => void | Promise<void>) | undefined;
}

/** Runs twice alike: goes on where a crash left it, and begins anew after an undo. */
export async function runSwap(work: SwapWork, step: Step): Promise<void> {
  const known = await readJournal(work.journal);
  if (known?.state === 'swapped') return;
  if (known?.state === 'settled') throw wrongState('it was already settled');
  let journal = known;
  if (journal === null || journal.state === 'undone') {
    journal = { version: 1, state: 'bringing', plan: await work.plan(), units: [] };
    await save(work, journal);
  }
  if (journal.state === 'bringing') {
    await bringEverything(work, journal, step);
    const units = await Promise.all((await work.units(journal.plan)).map(withIdentities));
    journal = { ...journal, state: 'moving', units };
    await save(work, journal);
  }
  // All of the old leaves before any of the new comes: a database must never lie beside another one's log.
  for (const unit of journal.units) {
    stopIfCancelled(step);
    await setAside(work, unit);
  }
  for (const unit of journal.units.toReversed()) await place(work, unit);
  for (const { path, metadata } of journal.plan.createdFolders.toReversed()) {
    if (metadata) await setFolderMetadata(text(path), metadata, step);
  }
  await setKeptFolders(journal, 'after', step);
  await syncTouched(journal);
  await save(work, { ...journal, state: 'swapped' });
}

/** From any state `runSwap` can have left, also from the middle of an earlier undo. */
export async function undoSwap(folder: string, step: Step, afterStep?: SwapWork['afterStep']): Promise<void> {
  const journal = await readJournal(folder);
  if (journal === null || journal.state === 'undone') return;
  if (journal.state === 'settled')
    throw wrongState('what was set aside has been removed: restore the safety point');
  for (const unit of journal.units.toReversed()) {
    await takeAway(unit, journal.units, step);
    await afterStep?.('taken away');
  }
  for (const unit of journal.units.toReversed()) {
    await bringBack(unit);
    await afterStep?.('brought back');
  }
  for (const container of journal.plan.containers) await removeEmpty(container);
  for (const bring of journal.plan.brings.toReversed()) await takeBack(bring, step);
  for (const { path } of journal.plan.createdFolders.toReversed()) await removeEmpty(path);
  await setKeptFolders(journal, 'before', step);
  await syncTouched(journal);
  await writeJournal(folder, { ...journal, state: 'undone' });
}

/** Removes what was set aside. */
export async function settleSwap(folder: string, step: Step): Promise<void> {
  const journal = await readJournal(folder);
  if (journal?.state === 'settled') return;
  if (journal?.state !== 'swapped') throw wrongState('the swap has not ended');
  for (const { aside } of journal.units) await removeRaw(aside, step);
  for (const container of journal.plan.containers) await removeRaw(container, step);
  for (const { fresh } of journal.plan.brings) await removeEmpty(fresh);
  await setKeptFolders(journal, 'after', step);
  await writeJournal(folder, { ...journal, state: 'settled' });
}

async function save(work: SwapWork, journal: SwapJournal): Promise<void> {
  await writeJournal(work.journal, journal);
  await work.afterStep?.(`journal ${journal.state}`);
}

async function bringEverything(work: SwapWork, journal: SwapJournal, step: Step): Promise<void> {
  const { plan } = journal;
  for (const { path } of plan.createdFolders) {
    await makeFolder(path);
    await work.afterStep?.('folder');
  }
  for (const container of plan.containers) await makeFolder(container);
  for (const bring of plan.brings) {
    if (bring.how === 'rename' && !(await renameIn(bring))) {
      bring.how = 'copy';
      await save(work, journal);
    }
    if (bring.how === 'copy') await copyIn(work, bring, step);
    // The restored bytes must be on the disk before the old ones leave their place.
    await runOrThrow('sync', ['-f', '--', text(parentOfRaw(bring.fresh) || '/')], 'writing to disk', step);
    await work.afterStep?.('bring');
  }
}

/** False across file systems, which two mounts of one device are as well. */
async function renameIn({ source, fresh }: Bring): Promise<boolean> {
  if (!(await lookAt(bufferOfRaw(source))) && (await lookAt(bufferOfRaw(fresh)))) return true;
  try {
    await rename(bufferOfRaw(source), bufferOfRaw(fresh));
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EXDEV') return false;
    throw thrown;
  }
}

async function copyIn(work: SwapWork, bring: Bring, step: Step): Promise<void> {
  await removeRaw(bring.fresh, step);
  if ((await lookAt(bufferOfRaw(bring.source)))?.isDirectory()) await makePlainFolder(bring.fresh, step);
  const copy = ['-a', '--reflink=auto', '-T', '--', text(bring.source), text(bring.fresh)];
  await runOrThrow('cp', copy, `copying the restored data to ${showRaw(bring.fresh)}`, step);
  await work.verifyCopy(bring);
}

/** Without a set-group-id bit or default ACL from the folder above: cp leaves what its copies inherit. */
async function makePlainFolder(path: RawPath, step: Step): Promise<void> {
  await makeFolder(path);
  await chmod(bufferOfRaw(path), 0o700);
  const args = ['-h', '-x', 'system.posix_acl_default', '--', text(path)];
  await runCommand({ tool: 'setfattr', file: 'setfattr', args }, step);
}

async function withIdentities(paths: UnitPaths): Promise<Unit> {
  const [oldIdentity, newIdentity] = await Promise.all([identityAt(paths.target), identityAt(paths.fresh)]);
  return { ...paths, oldIdentity, newIdentity };
}

async function setAside(work: SwapWork, unit: Unit): Promise<void> {
  const there = await identityAt(unit.target);
  if (there === null || there === unit.newIdentity) return;
  await work.beforeMove(unit);
  if (there !== unit.oldIdentity) throw stranger(unit.target);
  await rename(bufferOfRaw(unit.target), bufferOfRaw(unit.aside));
  await work.afterStep?.('aside');
}

async function place(work: SwapWork, unit: Unit): Promise<void> {
  if (unit.newIdentity === null || (await identityAt(unit.target)) === unit.newIdentity) return;
  await work.beforeMove(unit);
  if ((await identityAt(unit.target)) !== null) throw stranger(unit.target);
  await rename(bufferOfRaw(unit.fresh), bufferOfRaw(unit.target));
  await work.afterStep?.('placed');
}

/** Whatever is at the target and is not the old leaves it: the new goes back, somebody else's is kept. */
async function takeAway(unit: Unit, all: readonly Unit[], step: Step): Promise<void> {
  const there = await identityAt(unit.target);
  if (there === null || there === unit.oldIdentity) return;
  if (there === unit.newIdentity) return await rename(bufferOfRaw(unit.target), bufferOfRaw(unit.fresh));
  const owner = all.find(({ target }) => target === unit.companionOf);
  const ownerThere = owner ? await identityAt(owner.target) : null;
  if (owner && ownerThere !== null) {
    // The log of a database that was never touched is its data; that of the restored one goes with it.
    if (ownerThere === owner.oldIdentity) return;
    if (ownerThere === owner.newIdentity) return await removeRaw(unit.target, step);
  }
  const found = `${unit.aside}-found`;
  await rename(bufferOfRaw(unit.target), bufferOfRaw(found));
  step.say(
    'warning',
    `somebody made ${showRaw(unit.target)} during the restore; it is kept as ${showRaw(found)}`,
  );
}

async function bringBack(unit: Unit): Promise<void> {
  if (unit.oldIdentity === null || (await identityAt(unit.aside)) !== unit.oldIdentity) return;
  await rename(bufferOfRaw(unit.aside), bufferOfRaw(unit.target));
}

/** Restored data goes back to where it was, so that the swap can be tried again. */
async function takeBack(bring: Bring, step: Step): Promise<void> {
  const { source, fresh, how } = bring;
  if (how === 'copy') return await removeRaw(fresh, step);
  if ((await lookAt(bufferOfRaw(fresh))) && !(await lookAt(bufferOfRaw(source)))) {
    await rename(bufferOfRaw(fresh), bufferOfRaw(source));
  }
  const times: [RawPath, string | null][] = [
    [source, bring.sourceMtime],
    [parentOfRaw(source), bring.sourceFolderMtime],
  ];
  for (const [path, mtime] of times) {
    if (mtime !== null && (await lookAt(bufferOfRaw(path)))) await setModifiedAt(text(path), mtime, step);
  }
}

async function setKeptFolders(journal: SwapJournal, side: 'before' | 'after', step: Step): Promise<void> {
  for (const folder of journal.plan.keptFolders) {
    const metadata = folder[side];
    if (metadata) await setFolderMetadata(text(folder.path), metadata, step);
  }
}

async function syncTouched(journal: SwapJournal): Promise<void> {
  const folders = new Set(
    journal.units.flatMap(({ target, aside, fresh }) => [target, aside, fresh].map(parentOfRaw)),
  );
  for (const folder of folders) {
    if (textOfRaw(folder) !== null && (await lookAt(bufferOfRaw(folder))))
      await syncFolder(text(folder) || '/');
  }
}

async function makeFolder(path: RawPath): Promise<void> {
  await mkdir(bufferOfRaw(path), { mode: 0o700 }).catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code !== 'EEXIST') throw thrown;
  });
}

async function removeEmpty(path: RawPath): Promise<void> {
  await rmdir(bufferOfRaw(path)).catch((thrown: NodeJS.ErrnoException) => {
    if (!['ENOENT', 'ENOTEMPTY', 'ENOTDIR'].includes(thrown.code ?? '')) throw thrown;
  });
}

/** Names that are not UTF-8 only ever lie inside a container of ours, which is removed as a whole. */
async function removeRaw(path: RawPath, step: Step): Promise<void> {
  const name = textOfRaw(path);
  if (name !== null) await removeTree(name, step);
}

async function identityAt(path: RawPath): Promise<string | null> {
  const stats = await lookAt(bufferOfRaw(path));
  return stats && identityOf(stats);
}

function text(path: RawPath): string {
  const known = textOfRaw(path);
  if (known === null) throw new Error(`${showRaw(path)} is not UTF-8`);
  return known;
}

function stranger(path: RawPath): HoldfastError {
  return new HoldfastError({
    code: 'restore.state',
    message: `${showRaw(path)} changed while it was being replaced`,
    cause: 'something else was put there after the restore began',
    hint: 'stop what writes there; the restore is rolled back',
  });
}

function wrongState(cause: string): HoldfastError {
  return new HoldfastError({
    code: 'restore.state',
    message: 'the swap of a restore cannot go on',
    cause,
    hint: 'look at it with `holdfast restore show`',
  });
}
