// Reading back one of the groups into which restic divides all packs of a repository, and finding out whom the
// damage hurts.

import { rm } from 'node:fs/promises';
import { HoldfastError } from '../../domain/errors.ts';
import type { Step } from '../step.ts';
import type { ShareReadBack } from './repository.ts';
import { checkShareArguments, findPacksArguments, findTreesArguments } from './restic-arguments.ts';
import type { ResticConnection } from './restic-connection.ts';
import { emptyCacheFolder, NO_ERROR, snapshotsUsing, VANISHED } from './restic-read-back.ts';
import { wordsOn } from './restic-messages.ts';
import { runRestic } from './restic-run.ts';

/**
 * One call of restic when all is well. Besides the group's packs it looks at the index, at every folder of every
 * snapshot and at whether each pack is there: a missing pack is found whichever group is read. Damage is confirmed
 * under the repository's lock if a prune or a backup at the same time could explain it.
 */
export async function readShareOf(
  connection: ResticConnection,
  group: number,
  groups: number,
  step: Step,
): Promise<ShareReadBack> {
  let check = await readGroup(connection, group, groups, { locked: false }, step);
  if (check.errors.some((words) => VANISHED.test(words))) {
    check = await readGroup(connection, group, groups, { locked: true }, step);
  }
  const { errors, packs } = check;
  if (errors.length === 0) return { ok: true, errors, damagedSnapshots: [], damagedPacks: [], packs };
  const damagedPacks = [...check.damagedPacks];
  const hurt = new Set<string>();
  const add = async (args: string[]) => {
    for (const id of await snapshotsUsing(connection, args, step)) hurt.add(id);
  };
  if (damagedPacks.length > 0) await add(findPacksArguments(damagedPacks));
  // A folder that is incomplete without a damaged pack: what it needs was lost before.
  if (check.damagedTrees.size > 0) await add(findTreesArguments([...check.damagedTrees]));
  return { ok: false, errors, damagedSnapshots: [...hurt], damagedPacks, packs };
}

interface GroupCheck {
  errors: string[];
  damagedPacks: Set<string>;
  damagedTrees: Set<string>;
  packs: { read: number; total: number };
}

async function readGroup(
  connection: ResticConnection,
  group: number,
  groups: number,
  { locked }: { locked: boolean },
  step: Step,
): Promise<GroupCheck> {
  const operation = `reading back group ${group} of ${groups} of ${connection.name}`;
  const said: string[] = [];
  const found = { damagedPacks: new Set<string>(), damagedTrees: new Set<string>() };
  const reading = new ReadingWatch(group, groups);
  const cacheFolder = await emptyCacheFolder(connection.cacheFolder);
  try {
    const result = await runRestic(
      connection,
      {
        operation,
        args: checkShareArguments(group, groups, locked, cacheFolder),
        onStdoutLine: (line) => reading.see(line, step),
        onStderrLine: (line) => {
          const words = wordsOn(line);
          const pack =
            /^pack ([0-9a-f]{64})[: ]/.exec(words) ?? / from pack ([0-9a-f]{64}) failed/.exec(words);
          if (pack?.[1]) found.damagedPacks.add(pack[1]);
          const tree = /^error for tree ([0-9a-f]{8,64}):$/.exec(words)?.[1];
          if (tree) found.damagedTrees.add(tree);
          if (!NO_ERROR.test(words) && said.length < 100) said.push(words);
        },
        // Exit code 1 means "errors found" only when check says so at its end.
        accept: ({ words }) => words.includes('repository contains errors'),
      },
      step,
    );
    const failed = result.exitCode !== 0;
    if (failed) return { ...found, errors: said.length > 0 ? said : [result.words], packs: reading.packs };
    if (!reading.readAll) throw readNothing(operation, result.stdout);
    return { ...found, errors: [], packs: reading.packs };
  } finally {
    await rm(cacheFolder, { recursive: true, force: true });
  }
}

/**
 * `read group #3 of 7 data packs (out of total 28 packs in 4 groups` and at the end `100.00%  7 / 7 packs`: 3 is
 * the group, 7 how many are in it.
 */
class ReadingWatch {
  packs = { read: 0, total: 0 };
  private announced: number | null = null;

  constructor(
    private readonly group: number,
    private readonly groups: number,
  ) {}

  get readAll(): boolean {
    return this.announced !== null && this.packs.read === this.announced;
  }

  see(line: string, step: Step): void {
    const begun = /read group #(\d+) of (\d+) data packs \(out of total (\d+) packs in (\d+) groups/.exec(
      line,
    );
    if (begun) {
      const [, group, inGroup, total, groups] = begun.map(Number);
      if (group !== this.group || groups !== this.groups) return;
      this.announced = inGroup ?? null;
      this.packs = { read: 0, total: total ?? 0 };
      return;
    }
    const progress = this.announced === null ? null : /(\d+) \/ (\d+) packs/.exec(line);
    if (!progress) return;
    this.packs.read = Number(progress[1]);
    step.progress({
      phase: `reading group ${this.group} of ${this.groups}`,
      bytesDone: 0,
      bytesTotal: null,
      filesDone: this.packs.read,
      filesTotal: this.announced,
      bytesPerSecond: 0,
      etaSeconds: null,
    });
  }
}

/** An answer of "no errors" about nothing must not count as a reading. */
function readNothing(operation: string, stdout: string): HoldfastError {
  return new HoldfastError({
    code: 'tool.failed',
    message: `${operation} failed`,
    cause: `restic found no errors, but did not say that it read the group: ${JSON.stringify(stdout.slice(-300))}`,
    hint: 'see with `holdfast doctor` which restic is used: this is how version 0.19 says it',
  });
}
