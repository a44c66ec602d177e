// The hands of a game day. Only `takeDown` is destructive, and what it runs are the user's own commands.

import { policyWith } from '../../domain/chosen.ts';
import type { GameDay } from '../../domain/configuration/drill-types.ts';
import type { Configuration } from '../../domain/configuration/types.ts';
import { gameDayHolder } from '../../domain/drills/holder.ts';
import { drillOf, gameDayOf } from '../../domain/drills/scope.ts';
import { asHoldfastError } from '../../domain/errors.ts';
import type { DrillCommand } from '../../domain/evidence/record.ts';
import { runStep } from '../activity-step.ts';
import type { DrillPlan, GameDayActivities, GameDayControl } from '../contract.ts';
import { assetOf, configurationOf, type Deployment } from '../deployment.ts';
import { derivedId } from '../derived-id.ts';
import { runHook } from '../hosts/user-command.ts';
import { openUnderLease } from '../open-under-lease.ts';
import { storeSafetyPoint } from '../safety-point.ts';
import type { Step } from '../step.ts';
import { toolFacts } from './room-facts.ts';
import { keepWatch } from './watch.ts';

export function createGameDaySteps(deployment: Deployment): GameDayActivities {
  const { clock } = deployment;
  const on = ({ drillId, drill }: DrillPlan, name: string, asset: string | null = null) => ({
    ...{ catalog: deployment.catalog, processes: deployment.processes, clock },
    attempted: `${name} of game day ${drill} failed`,
    key: [drillId, name, ...(asset === null ? [] : [asset])].join('.'),
    job: { id: drillId, asset, step: name },
  });

  return {
    watchService: ({ plan, until, since, seconds }) =>
      runStep(on(plan, 'watch'), async (step) => {
        const { configuration, day } = await played(deployment, plan);
        const wanted = {
          ...{ well: until === 'well', folder: configuration.folder, clock },
          until: new Date(Date.parse(since) + seconds * 1000),
        };
        const { seen, words } = await keepWatch(day.watch, wanted, step);
        step.say(seen ? 'info' : 'error', `the watch says: ${words}`);
        return { seen, words, at: clock().toISOString() };
      }),

    takeGameDayPoint: ({ plan, asset: name, safetyPoint, fences }) =>
      runStep(on(plan, 'safety', name), async (step, interrupted) => {
        const { configuration } = await played(deployment, plan);
        const asset = assetOf(configuration, name);
        const source = deployment.sourceOf(asset);
        const order = {
          before: `the game day with ${name}`,
          repair: `have ${plan.repository} repaired by a backup or sync into it`,
          ...{ asset, source, safetyPoint },
          target: await source.resolveTarget(asset, null),
          policy: policyWith(configuration, name)?.name ?? null,
          repository: await openUnderLease(deployment, configuration, plan.repository, fences),
          scratch: `${plan.drillId}.safety`,
        };
        const point = await storeSafetyPoint(deployment, order, step, interrupted);
        if (point !== null)
          await deployment.catalog.as(plan.actor).holds.place(point, {
            ...{ kind: 'other', owner: gameDayHolder(plan.drillId) },
            reason: `what was there before game day ${plan.drill}`,
          });
        return point;
      }),

    takeDown: (plan) =>
      runStep(on(plan, 'takeDown'), async (step, interrupted) => {
        const { configuration, day } = await played(deployment, plan);
        const types = new Set(plan.record.assets.map(({ assetType }) => assetType));
        const tools = await toolFacts([...types], step);
        const commands: DrillCommand[] = [];
        // Words of the user's own may hold anything: only the program is shown.
        const recorded: Step = {
          ...step,
          ran: ({ tool, args, exitCode, seconds }) =>
            commands.push({ asset: null, tool, arguments: args.length > 0 ? ['…'] : [], exitCode, seconds }),
        };
        await deployment.catalog.as(plan.actor).audit.append({
          action: 'drill.takenDown',
          subject: `drill/${plan.drillId}`,
          details: { drill: plan.drill, commands: day.takeDown.map(([program]) => program) },
        });
        try {
          for (const command of day.takeDown)
            await runHook(command, { folder: configuration.folder, onError: 'fail' }, recorded);
        } catch (error) {
          if (step.signal.aborted) throw error;
          const failure = asHoldfastError(
            error,
            `taking down for game day ${plan.drill} failed`,
          ).toContract();
          step.say('error', `${failure.message}: ${failure.cause}`);
          return { failure, interrupted, endedAt: clock().toISOString(), commands, tools };
        }
        return { failure: null, interrupted, endedAt: clock().toISOString(), commands, tools };
      }),
  };
}

export function createGameDayControl({ catalog }: Deployment): GameDayControl {
  return {
    orderRestore: async ({ plan, asset, point }) => {
      const requestId = derivedId(plan.drillId, `restore of ${asset}`);
      const asked = { requestId, asset, point, target: 'in place', include: [] };
      const { id } = await catalog.as(plan.actor).restores.create(asked);
      return id;
    },
  };
}

async function played(
  deployment: Deployment,
  plan: DrillPlan,
): Promise<{ configuration: Configuration; day: GameDay }> {
  const configuration = await configurationOf(deployment, plan.configuration);
  return { configuration, day: gameDayOf(drillOf(configuration, plan.drill)) };
}
