import { everyCopy, type CopyFacts } from '../catalog/index.ts';
import { policyOf } from '../domain/chosen.ts';
import { pointsToCopy } from '../domain/copies/plan.ts';
import { copiesWithBackup, copyOf } from '../domain/copies/policy-copies.ts';
import type { Configuration, Policy } from '../domain/configuration/types.ts';
import { retainedPoint, retentionIn } from '../domain/retention/copy-facts.ts';
import type { DueCopy, JobScope } from './contract.ts';
import { configurationOf, type Deployment } from './deployment.ts';

/** After so many it is planned again: what has come in since is newer than what is still left. */
const AT_ONCE = 50;

/** The newest missing point of each asset, then the next of each. What was sent since is no longer in it. */
export async function planCopies(
  deployment: Deployment,
  input: JobScope & { repository: string; without: string[] },
): Promise<DueCopy[]> {
  const configuration = await configurationOf(deployment, input.configuration);
  const policy = policyOf(configuration, input.policy);
  copyOf(policy, input.repository);
  const wanted = policy.assets.filter((asset) => !input.without.includes(asset));
  const theirs = await sentByBackups(deployment, configuration, input.repository);
  const missing = await Promise.all(
    wanted.map((asset) => missingOf(deployment, policy, asset, input.repository, theirs)),
  );
  const rounds = Math.max(0, ...missing.map((points) => points.length));
  const due: DueCopy[] = [];
  for (let round = 0; round < rounds && due.length < AT_ONCE; round += 1) {
    wanted.forEach((asset, index) => {
      const found = missing[index]?.[round];
      if (found !== undefined) due.push({ asset, ...found });
    });
  }
  return due.slice(0, AT_ONCE);
}

async function missingOf(
  { catalog, clock }: Deployment,
  policy: Policy,
  asset: string,
  repository: string,
  theirs: ReadonlySet<string>,
): Promise<Omit<DueCopy, 'asset'>[]> {
  const holds = await catalog.holds.open(asset);
  const retained = (copies: CopyFacts[]) => copies.map((copy) => retainedPoint(copy, holds));
  const [from, to, unwanted, replaced] = await Promise.all([
    everyCopy(catalog, asset, policy.repository),
    everyCopy(catalog, asset, repository),
    catalog.removals.orderedOut(asset, repository),
    catalog.damagedCopies.unfinished(asset, repository),
  ]);
  const there = retained(to);
  const due = pointsToCopy({
    from: retained(from).filter(({ id }) => !theirs.has(id)),
    to: there,
    unwanted: new Set(unwanted),
    rules: retentionIn(policy, repository),
    now: clock(),
  });
  const broken = new Set([...there.filter(({ damaged }) => damaged).map(({ id }) => id), ...replaced]);
  return due.map((point) => ({ point, ...(broken.has(point) && { damaged: true as const }) }));
}

/** Backups that still run, of whichever policy, send their own points there themselves. */
async function sentByBackups(
  { catalog }: Deployment,
  { policies }: Configuration,
  repository: string,
): Promise<Set<string>> {
  const { items } = await catalog.jobs.list({ type: 'backup', status: ['running', 'waiting'], limit: 500 });
  const sending = policies.filter((policy) => copiesWithBackup(policy).includes(repository));
  const names = new Set(sending.map(({ name }) => name));
  const jobs = items.filter(({ policy }) => policy !== null && names.has(policy));
  return new Set(jobs.flatMap(({ assets }) => assets.flatMap((one) => one.recoveryPointId ?? [])));
}
