// Everything the incidents are derived from, read from the catalogue.

import { assetFacts, objectiveStatus, oldestUnread, unreadTooLong, type Catalog } from '../catalog/index.ts';
import { whyBehind } from '../domain/control-plane/due.ts';
import { rollbackWords } from '../domain/control-plane/rollback.ts';
import { controlPlaneIn } from '../domain/control-plane/where.ts';
import { roomWords } from '../domain/guards/watermark.ts';
import type { Configuration } from '../domain/configuration/types.ts';
import type {
  AssetFact,
  ChannelFact,
  ControlPlaneFact,
  IncidentFacts,
  KitFact,
  PolicyFact,
  RepositoryFact,
} from '../domain/incidents/facts.ts';
import { assess } from '../domain/objectives.ts';
import { drillFacts, drillsNotHeld } from './drill-facts.ts';

export async function incidentFacts(
  catalog: Catalog,
  configuration: Configuration,
  now: Date,
): Promise<IncidentFacts> {
  const policies = new Map(configuration.policies.map((policy) => [policy.name, policy]));
  const assets: AssetFact[] = [];
  const objectives = await objectiveStatus(catalog, configuration, now);
  for (const state of await catalog.status()) {
    const policy = policies.get(state.policy ?? '');
    if (!policy) continue;
    const { errorBudget } = objectives.ofAsset(state.asset, policy.name);
    const health = assess(assetFacts(state, policy, { errorBudget, nextRunAt: null }), now);
    assets.push({ health, dataClass: state.dataClass });
  }
  const outcomes = await catalog.incidentRecords.outcomes();
  const runs = await catalog.incidentRecords.newestRuns();
  const pauses = {
    open: await catalog.policyPauses.open(),
    resumed: await catalog.policyPauses.lastResumed(),
  };
  return {
    assets,
    outcomes,
    policies: runs.flatMap((run): PolicyFact[] => {
      const policy = policies.get(run.name);
      if (!policy) return [];
      const { cadence, timing } = policy;
      const resumedAt = pauses.resumed.get(run.name);
      const since = resumedAt && resumedAt > run.since ? resumedAt : run.since;
      const { jitterSeconds } = timing;
      return [{ ...run, since, cadence, jitterSeconds, paused: pauses.open.has(run.name) }];
    }),
    repositories: await repositoryFacts(catalog, configuration, now),
    lateCopies: (await catalog.copies.states(configuration.policies, now)).filter(({ breached }) => breached),
    kit: await kitFact(catalog),
    controlPlane: await controlPlaneFacts(catalog, configuration, now),
    channels: await channelFacts(catalog, configuration),
    drills: await drillFacts(catalog, configuration),
    drillsNotHeld: await drillsNotHeld(catalog, configuration, now),
  };
}

async function kitFact(catalog: Catalog): Promise<KitFact | null> {
  const kit = await catalog.kits.newest();
  if (!kit) {
    const applied = await catalog.configurations.current();
    return applied?.configuration.kit ? { writtenAt: null, configuredAt: applied.appliedAt } : null;
  }
  const { writtenAt, folder, confirmedAt, outdatedAt } = kit;
  return { writtenAt, folder, confirmed: confirmedAt !== null, outdatedAt };
}

async function repositoryFacts(
  catalog: Catalog,
  configuration: Configuration,
  now: Date,
): Promise<RepositoryFact[]> {
  const { repositories } = configuration;
  const states = await catalog.repositories.list();
  const rooms = new Map((await catalog.rooms.list()).map((room) => [room.repository, room]));
  const unread = await oldestUnread(catalog, configuration, now);
  const full = (name: string) => {
    const room = rooms.get(name);
    const watched = repositories.find((one) => one.name === name)?.headroom;
    return watched && room?.watermark === 'high' ? roomWords(room) : null;
  };
  return states
    .filter(({ orphaned }) => !orphaned)
    .map(({ name, needsRepair, damage }) => ({
      name,
      needsRepair,
      seenAt: damage?.seenAt ?? null,
      words: damage?.errors.slice(0, 3).join('\n') ?? '',
      full: full(name),
      unread: unreadTooLong(unread.get(name)),
      policies: policiesUsing(configuration, name),
    }));
}

function policiesUsing({ policies }: Configuration, name: string): string[] {
  return policies
    .filter(({ repository, copies }) => [repository, ...copies.map((copy) => copy.repository)].includes(name))
    .map((policy) => policy.name);
}

async function controlPlaneFacts(
  catalog: Catalog,
  configuration: Configuration,
  now: Date,
): Promise<ControlPlaneFact[]> {
  const { everySeconds, repositories } = controlPlaneIn(configuration);
  const rollbacks = new Map((await catalog.controlPlane.rollbacks()).map((one) => [one.repository, one]));
  const states = new Map(
    (await catalog.controlPlane.states(repositories)).map((state) => [state.repository, state]),
  );
  return [...new Set([...states.keys(), ...rollbacks.keys()])].map((repository) => {
    const state = states.get(repository);
    const rollback = rollbacks.get(repository);
    return {
      repository,
      behind: state ? whyBehind(state, everySeconds, now) : null,
      rolledBack: rollback ? rollbackWords(rollback) : null,
      policies: policiesUsing(configuration, repository),
    };
  });
}

async function channelFacts(catalog: Catalog, { notifications = [] }: Configuration): Promise<ChannelFact[]> {
  const states = new Map((await catalog.notifications.channels()).map((state) => [state.name, state]));
  return notifications.map(({ name, type }) => {
    const { failingSince = null, error } = states.get(name) ?? {};
    const words = [error?.message, error?.cause].filter(Boolean).join(': ');
    return { name, type, failingSince, words, hint: error?.hint ?? 'look at the other side' };
  });
}
