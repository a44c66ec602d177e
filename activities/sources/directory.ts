import { HoldfastError } from '../../domain/errors.ts';
import type { DirectoryAsset } from '../../domain/configuration/types.ts';
import { captureDirectory, captureDirectoryForSafety, preflightDirectory } from './directory-capture.ts';
import { impactOnDirectory } from './directory-impact.ts';
import { rehearseDirectory } from './directory-rehearsal.ts';
import { settleDirectory, swapDirectory, undoDirectory } from './directory-swap.ts';
import { checkDirectoryTarget, resolveDirectoryTarget } from './directory-target.ts';
import type { Source } from './source.ts';
import { sizeOfTree } from '../hosts/tree-size.ts';

export interface DirectorySourceOptions {
  /** Executable; absent: the one `resolveTool` finds. */
  getfattr?: string;
  /** Absolute paths a restore must never write into or replace: the data directory, local repositories. */
  reserved?: readonly string[];
  /** Called after every step of a swap that a crash could follow. Tests throw from it. */
  afterStep?: (name: string) => void | Promise<void>;
}

/** A folder of files: stored as it lies, with a digest over everything a restore must bring back. */
export function createDirectorySource(options: DirectorySourceOptions = {}): Source<DirectoryAsset> {
  return {
    preflight: (asset, step) => preflightDirectory(asset, step),
    size: (asset, step) => sizeOfTree(asset.path, step),
    capture: (asset, workspace, step, wanted) => captureDirectory(asset, workspace, step, wanted, options),
    captureForSafety: (_asset, target, _workspace, step) => captureDirectoryForSafety(target, step),
    rehearse: (_asset, restored, manifest, workspace, step, use) =>
      rehearseDirectory(restored, manifest, workspace, step, options, use),
    resolveTarget: (asset, to) => resolveDirectoryTarget(asset, to, options),
    checkTarget: (asset, target, bytes, step) => checkDirectoryTarget(asset, target, bytes, step, options),
    impact: (asset, order, workspace, step) => impactOnDirectory(asset, order, workspace, step),
    swap: (_asset, order, step) => swapDirectory(order, step, options),
    undo: (_asset, order, step) => undoDirectory(order, step, options),
    settle: (_asset, order, step) => settleDirectory(order, step),
    holds: async (asset) => {
      throw new HoldfastError({
        code: 'configuration.invalid',
        message: `asset ${asset.name} is a directory and answers no SQL`,
        hint: 'give it a health check with `command` or `http`',
      });
    },
  };
}
