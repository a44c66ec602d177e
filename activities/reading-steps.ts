import type { RecoveryPoint } from '../domain/recovery-point.ts';
import { proofOfCopy } from '../domain/proof.ts';
import { policyOf } from '../domain/chosen.ts';
import { endedCycle } from '../domain/verification/plan.ts';
import { runStep } from './activity-step.ts';
import type { GroupOutcome, HostActivities, JobScope } from './contract.ts';
import { configurationOf, type Deployment } from './deployment.ts';
import { damageFound, markDamage } from './record-damage.ts';
import type { Repository, ShareReadBack } from './repositories/repository.ts';
import type { Step } from './step.ts';

type ReadingSteps = Pick<HostActivities, 'readGroup' | 'endReadingCycle'>;

/** How many copies are lifted before a look whether the job goes on. */
const LIFTED_AT_ONCE = 200;

/** The hands of the verification cadence: a repository is read group by group, whoever the bytes belong to. */
export function createReadingSteps(deployment: Deployment): ReadingSteps {
  const { catalog } = deployment;

  const on = (input: JobScope & { repository: string }, step: string) => ({
    catalog,
    processes: deployment.processes,
    clock: deployment.clock,
    attempted: `${step} of ${input.repository} failed`,
    key: `${input.jobId}.${input.repository}.${step}`,
    job: { id: input.jobId, asset: null, step },
  });

  return {
    readGroup: async (input) => {
      const { group, groups, jobId } = input;
      return runStep(on(input, 'reading'), async (step): Promise<GroupOutcome> => {
        const configuration = await configurationOf(deployment, input.configuration);
        const repository = await deployment.openRepository(configuration, input.repository);
        // Before restic lists the packs: what is written meanwhile counts as unread.
        const readAt = deployment.clock().toISOString();
        const found = await repository.readShare(group, groups, step);
        const { outcome, ok } = await judged(found, repository, input.policy, step, input.configuration);
        await catalog.readings.record({ repository: repository.name, group, groups, readAt, ok, jobId });
        const { read, total } = found.packs;
        step.say(
          'info',
          `group ${group} of ${groups} of ${repository.name}: ${read} of ${total} packs read back`,
        );
        return outcome;
      });
    },

    endReadingCycle: async (input) => {
      const { repository, groups } = input;
      await runStep(on(input, 'cycle'), async (step) => {
        const now = deployment.clock();
        const [facts] = await catalog.readings.facts([repository]);
        const beganAt = facts ? endedCycle(groups, facts, now) : null;
        if (beganAt === null) return;
        for (;;) {
          step.signal.throwIfAborted();
          const points = await catalog.readings.liftable(repository, beganAt, LIFTED_AT_ONCE);
          if (points.length === 0) break;
          for (const id of points) await catalog.points.markCopy(id, repository, { verifiedAt: beganAt });
        }
        await catalog.readings.endCycle(repository, beganAt, now.toISOString());
        step.say('info', `every byte that ${repository} held at ${beganAt} was read back since and is whole`);
      });
    },
  };

  /** Damage is marked before the reading is recorded: killed in between, the group is read again. */
  async function judged(
    found: ShareReadBack,
    repository: Repository,
    policyName: string,
    step: Step,
    digest: string,
  ): Promise<{ outcome: GroupOutcome; ok: boolean }> {
    if (found.ok) return { outcome: { failure: null, assets: [] }, ok: true };
    const known = await catalog.points.withSnapshots(repository.name, found.damagedSnapshots);
    // Nothing of this group is wrong; what was lost before is still missing where it is needed.
    const old = found.damagedPacks.length === 0 && known.length > 0;
    if (old && known.every((point) => isDamagedIn(point, repository.name))) {
      for (const { id } of known) {
        await catalog.points.markCopy(id, repository.name, { damagedAt: deployment.clock().toISOString() });
      }
      step.say(
        'warning',
        `${repository.name} still lacks what ${known.length} damaged points need; nothing new is damaged`,
      );
      return { outcome: { failure: null, assets: [] }, ok: true };
    }
    const hurt = await markDamage(deployment, repository, [], found, step);
    const { assets } = policyOf(await configurationOf(deployment, digest), policyName);
    const failure = damageFound(repository, hurt, found).toContract();
    const hurtAssets = assets.filter((asset) => hurt.some((point) => point.asset === asset));
    return { outcome: { failure, assets: hurtAssets }, ok: false };
  }
}

function isDamagedIn(point: RecoveryPoint, repository: string): boolean {
  const copy = point.copies.find((one) => one.repository === repository);
  return copy !== undefined && proofOfCopy(copy, point) === 'damaged';
}
