import { dirname, join } from 'node:path';
import { HoldfastError } from '../../domain/errors.ts';
import { holdersOf, namesOf } from '../hosts/file-holders.ts';
import { lookAt } from '../hosts/filesystem.ts';
import type { Step } from '../step.ts';
import { rawOfText } from '../verify/raw-path.ts';
import { verifyCopiedTree } from './directory-copy-check.ts';
import { bringOf, missingFolders } from './swap-places.ts';
import type { RestoreOrder } from './source.ts';
import { filesOf } from './sqlite-files.ts';
import { refuseInclude } from './sqlite-impact.ts';
import { findDatabase } from './sqlite-rehearsal.ts';
import { refuseWhileHeld } from './sqlite-target.ts';
import { runSwap, settleSwap, undoSwap } from './swap.ts';

/**
 * The file and its -wal, -shm and -journal change places together: a log left behind would be played back
 * into the restored database (501 rows instead of 1, and the integrity check content).
 */
export async function swapSqlite(
  order: RestoreOrder,
  step: Step,
  options: { afterStep?: (name: string) => void | Promise<void> },
): Promise<void> {
  refuseInclude(order);
  const { location } = order.target;
  const beside = (suffix: string) => join(dirname(location), `.holdfast-${order.restoreId}-${suffix}`);
  const names = [location, beside('old'), beside('new')].map(filesOf);
  const [targets = [], asides = [], fresh = []] = names;
  await runSwap(
    {
      journal: order.journal,
      async plan() {
        await refuseWhileHeld(location);
        const found = await findDatabase(
          order.restored,
          order.manifest?.kind === 'sqlite' ? order.manifest : null,
        );
        if (typeof found === 'string') throw nothingToSwap(found);
        const createdFolders = (await missingFolders(dirname(location))).map((path) => ({
          path,
          metadata: null,
        }));
        const brings = [];
        for (const [index, source] of filesOf(found.path).entries()) {
          // An index of shared memory is never brought along: it is made anew.
          if (source.endsWith('-shm') || !(await lookAt(source))) continue;
          brings.push(await bringOf(source, rawOfText(fresh[index] ?? ''), dirname(location)));
        }
        return { brings, createdFolders, containers: [], keptFolders: [] };
      },
      units: async () =>
        targets.map((target, index) => ({
          target: rawOfText(target),
          aside: rawOfText(asides[index] ?? ''),
          fresh: rawOfText(fresh[index] ?? ''),
          ...(index > 0 && { companionOf: rawOfText(location) }),
        })),
      verifyCopy: (bring) => verifyCopiedTree(bring, join(order.journal, 'verify'), '', step),
      beforeMove: () => refuseWhileHeld(location),
      afterStep: options.afterStep,
    },
    step,
  );
}

export async function undoSqlite(
  order: RestoreOrder,
  step: Step,
  options: { afterStep?: (name: string) => void | Promise<void> },
): Promise<void> {
  const holders = await holdersOf(filesOf(order.target.location));
  if (holders.length > 0) {
    step.say(
      'warning',
      `${order.target.location} is rolled back although it is open in ${namesOf(holders)}: restart it`,
    );
  }
  await undoSwap(order.journal, step, options.afterStep);
}

export async function settleSqlite(order: RestoreOrder, step: Step): Promise<void> {
  await settleSwap(order.journal, step);
}

function nothingToSwap(cause: string): HoldfastError {
  return new HoldfastError({
    code: 'restore.state',
    message: 'there is no restored database to put in place',
    cause,
    hint: 'prepare the restore again',
  });
}
