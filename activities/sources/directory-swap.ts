import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { HoldfastError } from '../../domain/errors.ts';
import type { FolderMetadata } from '../../domain/recovery-point.ts';
import { resolveTool } from '../../tools/resolve.ts';
import { lookAt, tryWriting } from '../hosts/filesystem.ts';
import type { Step } from '../step.ts';
import { rawOfText, textOfRaw } from '../verify/raw-path.ts';
import { verifyCopiedTree } from './directory-copy-check.ts';
import { readFolderMetadata, setFolderMetadata } from './directory-metadata.ts';
import { isPinned, refusePathsWithMounts } from './directory-pins.ts';
import { refuseMountsBelow } from './directory-target.ts';
import { confine, includedPaths } from './include-paths.ts';
import type { RestoreOrder } from './source.ts';
import { runSwap, settleSwap, undoSwap, type SwapWork } from './swap.ts';
import { bringOf, missingFolders, nearestFolder } from './swap-places.ts';
import { readJournal, type SwapPlan, type UnitPaths } from './swap-journal.ts';

interface SwapOptions {
  getfattr?: string;
  afterStep?: (name: string) => void | Promise<void>;
}

/** Why a folder could not be renamed although its contents can be moved. */
const UNRENAMABLE = new Set(['EBUSY', 'EXDEV', 'EACCES', 'EPERM', 'EROFS']);

/**
 * The whole folder is renamed away and the restored one renamed in. A folder that is mounted, or that a
 * process or container holds on to, keeps its identity: its contents are swapped. With `include`, only those
 * paths are.
 */
export async function swapDirectory(order: RestoreOrder, step: Step, options: SwapOptions): Promise<void> {
  const getfattr = options.getfattr ?? (await resolveTool('getfattr')).path;
  const begun = await readJournal(order.journal);
  const mode = begun && begun.state !== 'undone' ? modeOf(begun.plan) : await chooseMode(order);
  try {
    await runSwap(workFor(mode, order, getfattr, step, options), step);
  } catch (thrown) {
    if (mode !== 'whole' || !UNRENAMABLE.has((thrown as NodeJS.ErrnoException).code ?? '')) throw thrown;
    await undoSwap(order.journal, step);
    await runSwap(workFor('contents', order, getfattr, step, options), step);
  }
}

export async function undoDirectory(order: RestoreOrder, step: Step, options: SwapOptions): Promise<void> {
  await undoSwap(order.journal, step, options.afterStep);
}

export async function settleDirectory(order: RestoreOrder, step: Step): Promise<void> {
  await settleSwap(order.journal, step);
}

type Mode = 'whole' | 'contents' | 'paths';

async function chooseMode(order: RestoreOrder): Promise<Mode> {
  const { location } = order.target;
  const stats = await lookAt(location);
  if (stats && !stats.isDirectory()) throw notAFolder(location);
  if (includedPaths(order.include).length > 0) return 'paths';
  if (!stats) return 'whole';
  await refuseMountsBelow(location);
  const held = (await isPinned(location)) || (await tryWriting(dirname(location))) !== null;
  return held ? 'contents' : 'whole';
}

/** As the journal has it: only contents are moved through containers, only paths leave both lists empty. */
function modeOf(plan: SwapPlan): Mode {
  if (plan.containers.length > 0) return 'contents';
  return plan.brings.length === 1 && /\/\.holdfast-[^/]*-new$/.test(plan.brings[0]?.fresh ?? '')
    ? 'whole'
    : 'paths';
}

function workFor(
  mode: Mode,
  order: RestoreOrder,
  getfattr: string,
  step: Step,
  options: SwapOptions,
): SwapWork {
  const restored = order.restored['files'] ?? '';
  const context = { order, restored, getfattr, step };
  const common = {
    journal: order.journal,
    verifyCopy: (bring: { source: string; fresh: string }) =>
      verifyCopiedTree(bring, join(order.journal, 'verify'), getfattr, step),
    afterStep: options.afterStep,
  };
  if (mode === 'whole') return { ...common, ...wholeSwap(context) };
  return { ...common, ...(mode === 'contents' ? contentsSwap(context) : pathsSwap(context)) };
}

interface Context {
  order: RestoreOrder;
  restored: string;
  getfattr: string;
  step: Step;
}

type Work = Pick<SwapWork, 'plan' | 'units' | 'beforeMove'>;

function wholeSwap({ order, restored, getfattr, step }: Context): Work {
  const { location } = order.target;
  const aside = rawOfText(join(dirname(location), `.holdfast-${order.restoreId}-old`));
  const fresh = rawOfText(join(dirname(location), `.holdfast-${order.restoreId}-new`));
  return {
    async plan() {
      await setFolderMetadata(restored, await rootMetadata(order, restored, getfattr, step), step);
      const createdFolders = (await missingFolders(dirname(location))).map((path) => ({
        path,
        metadata: null,
      }));
      const brings = [await bringOf(restored, fresh, dirname(location))];
      return { brings, createdFolders, containers: [], keptFolders: [] };
    },
    units: async () => [{ target: rawOfText(location), aside, fresh }],
    beforeMove: () => refuseMountsBelow(location),
  };
}

function contentsSwap({ order, restored, getfattr, step }: Context): Work {
  const { location } = order.target;
  const [oldName, newName] = [`.holdfast-${order.restoreId}-old`, `.holdfast-${order.restoreId}-new`];
  const aside = rawOfText(join(location, oldName));
  const fresh = rawOfText(join(location, newName));
  return {
    async plan() {
      const before = await readFolderMetadata(location, getfattr, step);
      const after = await rootMetadata(order, restored, getfattr, step);
      return {
        brings: [await bringOf(restored, fresh, location)],
        createdFolders: [],
        containers: [aside],
        keptFolders: [{ path: rawOfText(location), before, after }],
      };
    },
    async units() {
      const there = await readdir(location, { encoding: 'latin1' });
      const coming = await readdir(join(location, newName), { encoding: 'latin1' });
      const names = new Set([...there, ...coming].filter((name) => name !== oldName && name !== newName));
      const target = rawOfText(location);
      return [...names].sort().map((name) => ({
        target: `${target}/${name}`,
        aside: `${aside}/${name}`,
        fresh: `${fresh}/${name}`,
      }));
    },
    beforeMove: async () => undefined,
  };
}

function pathsSwap({ order, restored, getfattr, step }: Context): Work {
  const { location } = order.target;
  const include = includedPaths(order.include);
  const sideBySide = (path: string, index: number): UnitPaths => {
    const beside = (suffix: string) =>
      rawOfText(join(location, dirname(path), `.holdfast-${order.restoreId}-${suffix}-${index}`));
    return { target: rawOfText(join(location, path)), aside: beside('old'), fresh: beside('new') };
  };
  return {
    async plan() {
      const plan: SwapPlan = { brings: [], createdFolders: [], containers: [], keptFolders: [] };
      const created = new Set<string>();
      const kept = new Set<string>();
      for (const [index, path] of include.entries()) {
        if (!(await lookAt(join(restored, path)))) throw notInPoint(path);
        await confine(location, path);
        await refusePathsWithMounts(join(location, path));
        for (const folder of await missingFolders(join(location, dirname(path)))) created.add(folder);
        const above = await nearestFolder(join(location, dirname(path)), location);
        if (above !== null) kept.add(above);
        const { fresh } = sideBySide(path, index);
        plan.brings.push(await bringOf(join(restored, path), fresh, join(location, dirname(path))));
      }
      for (const path of created) plan.createdFolders.push({ path, metadata: await metadataFor(path) });
      for (const path of kept) {
        const before = await readFolderMetadata(path, getfattr, step);
        plan.keptFolders.push({ path: rawOfText(path), before, after: null });
      }
      return plan;
    },
    units: async () => include.map(sideBySide),
    async beforeMove(unit) {
      const path = textOfRaw(unit.target.slice(rawOfText(location).length + 1)) ?? '';
      await confine(location, path);
      await refusePathsWithMounts(join(location, path));
    },
  };

  /** Of a folder made inside the target: as it was stored. Of those above it: the system's default. */
  async function metadataFor(path: string): Promise<FolderMetadata | null> {
    const text = textOfRaw(path) ?? '';
    if (text === location) return await rootMetadata(order, restored, getfattr, step);
    if (!text.startsWith(`${location}/`)) return null;
    return await readFolderMetadata(join(restored, text.slice(location.length + 1)), getfattr, step);
  }
}

/** The manifest knows the folder itself exactly; without one, whatever the engine made of it. */
async function rootMetadata(order: RestoreOrder, restored: string, getfattr: string, step: Step) {
  const known = order.manifest?.kind === 'directory' ? order.manifest.root : undefined;
  return known ?? (await readFolderMetadata(restored, getfattr, step));
}

function notAFolder(location: string): HoldfastError {
  return new HoldfastError({
    code: 'target.notEmpty',
    message: `${location} cannot be replaced by a folder`,
    cause: `${basename(location)} is a file or a symlink`,
    hint: 'move it away, or restore beside it with --to',
  });
}

function notInPoint(path: string): HoldfastError {
  return new HoldfastError({
    code: 'notFound',
    message: `the recovery point has no ${path}`,
    cause: 'nothing of that name was restored',
    hint: 'look for it with `holdfast points ls`',
  });
}
