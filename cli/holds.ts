// Holding, releasing and removing recovery points. Nothing goes without `--confirm`, and before that is asked
// for, it is told what would go.

import type { Command } from 'commander';
import type { RecoveryPoint } from '../domain/recovery-point.ts';
import type { RemovalPlan } from '../domain/removal.ts';
import { examples } from './command.ts';
import { does } from './outcome.ts';
import type { Outcome } from './outcome.ts';
import { printable } from './printable.ts';
import { segment } from './service.ts';

/** As the API lists them. */
export interface ListedPoint extends RecoveryPoint {
  holds: { kind: string; owner: string; reason: string; placedAt: string; placedBy: string }[];
}

export function holdCommands(points: Command): void {
  points
    .command('hold <id>')
    .description('keep a recovery point until it is released, whatever its policy says')
    .requiredOption('--reason <words>', 'why')
    .option('--owner <name>', 'on whose behalf; you, if left out')
    .option('--kind <kind>', 'legal or other', 'legal')
    .addHelpText('after', examples('points hold 4c1d --owner legal@example.org --reason "case 2026-117"'))
    .action(
      does(async (call, id: string, options: { reason: string; owner?: string; kind: string }) => {
        const service = await call.service();
        const { reason, owner = null, kind } = options;
        const point = await service.post<ListedPoint>(`/points/${segment(id)}/hold`, { reason, owner, kind });
        return { data: point, text: () => heldText(point) };
      }),
    );

  points
    .command('release <id>')
    .description('release the holds of a recovery point; its policy decides about it again')
    .requiredOption('--reason <words>', 'why')
    .option('--owner <name>', 'only the holds of this one')
    .addHelpText('after', examples('points release 4c1d --reason "case 2026-117 is closed"'))
    .action(
      does(async (call, id: string, { reason, owner }: { reason: string; owner?: string }) => {
        const service = await call.service();
        const point = await service.post<ListedPoint>(`/points/${segment(id)}/release`, {
          reason,
          owner: owner ?? null,
        });
        return { data: point, text: () => heldText(point) };
      }),
    );

  points
    .command('delete <id>')
    .description('take a recovery point away; without --confirm, say what would go')
    .requiredOption('--reason <words>', 'why')
    .option('--repository <name>', 'only the copy there')
    .option('--confirm', 'do it')
    .addHelpText('after', examples('points delete 4c1d --reason "holds data of a deleted customer"'))
    .action(
      does(async (call, id: string, options: { reason: string; repository?: string; confirm?: boolean }) => {
        const service = await call.service();
        const { reason, repository = null, confirm = false } = options;
        const answer = await service.post<{ plan: RemovalPlan; removed: boolean }>(
          `/points/${segment(id)}/removal`,
          { reason, repository, confirm },
        );
        return answer.removed ? removed(answer) : unconfirmed(answer);
      }),
    );
}

function heldText({ id, holds }: ListedPoint): string {
  if (holds.length === 0) return `recovery point ${id} is not held`;
  return [`recovery point ${id} is held`, ...holds.map((hold) => `  ${holdLine(hold)}`)].join('\n');
}

export function holdLine({ owner, reason, placedAt, placedBy }: ListedPoint['holds'][number]): string {
  const by = placedBy === owner ? '' : `, placed by ${placedBy}`;
  return printable(`for ${owner} since ${placedAt}: ${reason}${by}`);
}

function removed(answer: { plan: RemovalPlan }): Outcome {
  const { plan } = answer;
  const what = plan.pointGoes ? `recovery point ${plan.point}` : `a copy of recovery point ${plan.point}`;
  const where = plan.goes.map(({ repository }) => repository).join(', ');
  return {
    data: answer,
    text: () =>
      `${what} of ${plan.asset} is gone from ${where}; the space comes back with the next retention run's prune`,
  };
}

function unconfirmed(answer: { plan: RemovalPlan }): Outcome {
  const { plan } = answer;
  const impossible = plan.refusals.length > 0;
  return {
    data: answer,
    text: () => planText(plan),
    error: {
      code: impossible ? 'request.conflict' : 'confirmation.missing',
      message: `recovery point ${plan.point} of ${plan.asset} was not removed`,
      cause: impossible ? plan.refusals.join('; ') : 'nothing goes without --confirm',
      hint: impossible
        ? `release a hold with \`holdfast points release ${plan.point.slice(0, 8)} --reason …\`, or end what uses the point`
        : 'read what would go, then run the command again with --confirm',
    },
  };
}

function planText(plan: RemovalPlan): string {
  const head = plan.pointGoes ? 'would go for good' : 'would lose a copy';
  const lines = [
    `recovery point ${plan.point} of ${plan.asset}, taken ${plan.takenAt}, ${head}`,
    ...plan.goes.map(
      ({ repository, snapshots }) =>
        `  from ${repository}: ${snapshots.map((snapshot) => snapshot.slice(0, 8)).join(', ')}`,
    ),
    ...plan.warnings.map((warning) => `  mind: ${warning}`),
  ];
  return printable(lines.join('\n'), { lines: true });
}
