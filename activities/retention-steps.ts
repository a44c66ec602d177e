import { anomaliesIn, planRepository } from '../catalog/index.ts';
import { policyOf } from '../domain/chosen.ts';
import { formatBytes } from '../domain/bytes.ts';
import type { Policy } from '../domain/configuration/types.ts';
import { rollbackWords } from '../domain/control-plane/rollback.ts';
import { HoldfastError } from '../domain/errors.ts';
import type { Anomaly } from '../domain/retention/anomalies.ts';
import { runStep } from './activity-step.ts';
import type { HostActivities, RetentionStep } from './contract.ts';
import { configurationOf, type Deployment } from './deployment.ts';
import { measureAfterPrune } from './measure-repository.ts';
import { openUnderLease } from './open-under-lease.ts';
import type { Pruned, Repository } from './repositories/repository.ts';
import { compareWithCatalogue } from './retention-comparison.ts';
import type { Step } from './step.ts';

type RetentionSteps = Pick<
  HostActivities,
  'planRetention' | 'forgetPlanned' | 'pruneRepository' | 'checkRepository'
>;

/** As many as are taken out of the lists before the engine is called once. */
const DROPS_AT_ONCE = 50;

/**
 * The hands of retention. Law 4: planned, explained, then done. Whoever dies anywhere in between leaves every
 * kept point restorable and nothing in the lists that is gone; the next attempt, or the next run, goes on.
 */
export function createRetentionSteps(deployment: Deployment): RetentionSteps {
  const { catalog } = deployment;

  const run = <T>(
    input: RetentionStep,
    name: string,
    work: (step: Step, repository: Repository, policy: Policy) => Promise<T>,
  ) =>
    runStep(
      {
        catalog,
        processes: deployment.processes,
        clock: deployment.clock,
        attempted: `retention of ${input.policy} in ${input.repository} failed in ${name}`,
        // One for all steps in a repository: what an earlier one of them left running is ended first.
        key: `${input.jobId}.${input.repository}.retention`,
        job: { id: input.jobId, asset: null, step: name },
      },
      async (step, interrupted) => {
        const configuration = await configurationOf(deployment, input.configuration);
        const repository = await openUnderLease(deployment, configuration, input.repository, [input]);
        if (interrupted) await repository.recover(step);
        return work(step, repository, policyOf(configuration, input.policy));
      },
    );

  /** The repository asks by itself: this is for what goes from the catalogue's lists. */
  const mayTakeAway = ({ repository, fence }: RetentionStep) =>
    catalog.leases.assertFence({ repository, fence });

  return {
    planRetention: (input) =>
      run(input, 'planning', async (step, repository, policy) => {
        if (!(await catalog.repositories.find(repository.name))?.initialisedAt) {
          step.say('info', `nothing was stored in ${repository.name} yet`);
          return { there: false, leftovers: [] };
        }
        const configuration = await configurationOf(deployment, input.configuration);
        const now = deployment.clock();
        await catalog.clock.note(now);
        await refuseRolledBack(repository.name);
        const plan = await planRepository(catalog, {
          configuration,
          policy,
          repository: repository.name,
          now,
        });
        const found = await compareWithCatalogue(catalog, repository, plan, step);
        const { leftovers } = found;
        // An attempt before this one has decided; what it began is finished.
        if (await catalog.retention.planOf(input.jobId, repository.name)) return { there: true, leftovers };
        const anomalies = anomaliesIn(plan, policy, {
          now,
          clockJump: await catalog.clock.jump(now),
          missingSnapshots: found.missing.map(({ snapshotId }) => snapshotId),
          unknownSnapshots: found.unknown,
        });
        if (anomalies.length > 0 && !input.confirm) throw refusal(repository.name, policy, anomalies);
        for (const { message } of anomalies) {
          step.say('warning', `confirmed by ${input.actor}: ${message}`);
        }
        const missing = new Set(found.missing.map(({ pointId }) => pointId));
        for (const pointId of missing) {
          await catalog.points.markCopy(pointId, repository.name, { damagedAt: now.toISOString() });
        }
        const decisions = [...plan.assets, plan.controlPlane].flatMap(({ asset, decisions: all }) =>
          all.map((decision) => ({ asset, ...decision })),
        );
        const drops = decisions.filter(
          ({ decision, recoveryPointId }) => decision === 'drop' && !missing.has(recoveryPointId),
        );
        await catalog.as(input.actor).retention.recordPlan({
          jobId: input.jobId,
          repository: repository.name,
          plannedAt: now.toISOString(),
          kept: decisions.length - drops.length,
          drops,
          anomalies,
          confirmedBy: anomalies.length > 0 ? input.actor : null,
        });
        for (const { asset, decisions: all } of plan.assets) {
          const gone = drops.filter((drop) => drop.asset === asset).length;
          const note = `${repository.name}: ${all.length - gone} kept, ${gone} to go`;
          await catalog.jobs.setAsset(input.jobId, asset, { notes: [note] });
          step.say('info', `${asset} in ${note}`);
        }
        const own = drops.filter((drop) => drop.asset === plan.controlPlane.asset).length;
        if (own > 0) step.say('info', `${own} points of the control plane in ${repository.name} are to go`);
        return { there: true, leftovers };
      }),

    forgetPlanned: (input) =>
      run(input, 'forget', async (step, repository) => {
        if (input.leftovers.length > 0) {
          const { ids } = await forgetOrKeep(repository, input.leftovers, step);
          const gone = input.leftovers.filter((id) => !ids.has(id)).length;
          step.say('info', `removed ${gone} snapshots that ended jobs left in ${repository.name}`);
        }
        for (;;) {
          await finishWithdrawn(input, repository, step);
          step.signal.throwIfAborted();
          const drops = await catalog.retention.planned(input.jobId, repository.name, DROPS_AT_ONCE);
          if (drops.length === 0) return;
          await mayTakeAway(input);
          const kept = await catalog.retention.withdraw(input.jobId, repository.name, drops);
          for (const { pointId, why } of kept) sayKept(input, pointId, why, step);
        }
      }),

    pruneRepository: (input) =>
      run(input, 'prune', async (step, repository) => {
        const pruned = await pruneOrKeep(repository, step);
        const { freedBytes, remainingBytes } = pruned;
        step.say(
          'info',
          `${formatBytes(freedBytes)} freed in ${repository.name}, ${formatBytes(remainingBytes)} remain`,
        );
        await measureAfterPrune(deployment, repository, remainingBytes, step);
        return pruned;
      }),

    checkRepository: (input) =>
      run(input, 'check', async (step, repository) => {
        await repository.check(step);
        const { freedBytes, remainingBytes } = input;
        await catalog.retention.end(input.jobId, repository.name, { freedBytes, remainingBytes });
      }),
  };

  /** No plan can be believed that was made of points which are not there: whoever confirms it has not looked. */
  async function refuseRolledBack(name: string): Promise<void> {
    const found = (await catalog.controlPlane.rollbacks()).find(({ repository }) => repository === name);
    if (!found) return;
    throw new HoldfastError({
      code: 'repository.disagrees',
      message: `nothing is dropped from ${name}: it was rolled back to an older state`,
      cause: rollbackWords(found),
      hint: `bring back the newer state, or say that this is how it is: \`holdfast control-plane accept ${name} --reason …\``,
    });
  }

  /** What is out of the lists goes from the engine, also what a run before this one left. */
  async function finishWithdrawn(input: RetentionStep, repository: Repository, step: Step): Promise<void> {
    for (;;) {
      const drops = await catalog.retention.unfinished(repository.name, DROPS_AT_ONCE);
      if (drops.length === 0) return;
      const snapshotIds = drops.flatMap((drop) => drop.snapshotIds);
      const retained = await forgetOrKeep(repository, snapshotIds, step);
      const kept = drops.filter((drop) => drop.snapshotIds.some((id) => retained.ids.has(id)));
      const gone = drops.filter((drop) => !kept.includes(drop));
      await catalog.retention.gone(
        repository.name,
        gone.map(({ pointId }) => pointId),
      );
      await catalog.retention.putBack(
        repository.name,
        kept.map(({ pointId }) => pointId),
        retained.why,
      );
      for (const { pointId } of kept) await keep(input, pointId, retained.why, step);
      for (const { pointId, asset, takenAt } of gone)
        step.say('info', `${asset} of ${takenAt} (${pointId}) is gone from ${repository.name}`);
    }
  }

  async function keep(input: RetentionStep, pointId: string, why: string, step: Step): Promise<void> {
    await catalog.retention.keepAfterAll(input.jobId, input.repository, pointId, why);
    sayKept(input, pointId, why, step);
  }
}

function sayKept({ repository }: RetentionStep, pointId: string, why: string, step: Step): void {
  step.say('info', `${pointId} stays in ${repository}: ${why}`);
}

/** A store with object lock may refuse: then what it still has is kept, and that is no failure. */
async function forgetOrKeep(
  repository: Repository,
  snapshotIds: string[],
  step: Step,
): Promise<{ ids: Set<string>; why: string }> {
  try {
    await repository.forget(snapshotIds, step);
    return { ids: new Set(), why: '' };
  } catch (error) {
    if (!(error instanceof HoldfastError) || !isRetainedByStore(error)) throw error;
    const there = await repository.snapshots({}, step);
    return { ids: new Set(there.map(({ id }) => id)), why: `the store retains it (${error.cause})` };
  }
}

/** What an append-only repository does not need any more stays there, and is no failure. */
async function pruneOrKeep(repository: Repository, step: Step): Promise<Pruned> {
  try {
    return await repository.prune(step);
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'repository.appendOnly') throw error;
    step.say('info', `${repository.name} lets nothing be taken away: nothing was freed`);
    return { freedBytes: 0, remainingBytes: (await repository.measure(step)).storedBytes };
  }
}

export function isRetainedByStore({ code, cause }: HoldfastError): boolean {
  if (code === 'repository.appendOnly') return true;
  return /WORM|object ?lock|retention (period|mode)|ObjectLocked|InvalidRetention/i.test(cause);
}

function refusal(repository: string, policy: Policy, anomalies: readonly Anomaly[]): HoldfastError {
  const [first] = anomalies;
  return new HoldfastError({
    code: first?.code ?? 'retention.dropsTooMuch',
    message: `retention of ${policy.name} in ${repository} was stopped before anything went`,
    cause: anomalies.map(({ message }) => message).join('\n'),
    hint: `${anomalies.map(({ hint }) => hint).join('; ')}. To go ahead in spite of it: \`holdfast retention run ${policy.name} --confirm\``,
  });
}
