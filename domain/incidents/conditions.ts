// From facts to what is wrong now. Pure, and the same facts yield the same conditions in the same order; each
// key appears once.

import type { Severity } from '../configuration/notification-types.ts';
import type { CopyState } from '../copies/lag.ts';
import { formatDuration } from '../duration.ts';
import type { AssetHealth } from '../objectives.ts';
import { severityRank, type Condition } from './condition.ts';
import { severityOfDrill } from './drill-summary.ts';
import { notHeld } from './drills-not-held.ts';
import { outdatedKit } from './outdated-kit.ts';
import { controlPlane } from './control-plane.ts';
import type { AssetFact, ChannelFact, DrillFact, IncidentFacts, Outcome, RepositoryFact } from './facts.ts';
import { overdue } from './overdue.ts';

export function conditionsOf(facts: IncidentFacts, now: Date): Condition[] {
  const found = [
    ...facts.assets.flatMap(objectives),
    ...facts.assets.flatMap(damage),
    ...facts.outcomes.flatMap(outcome),
    ...facts.policies.flatMap((policy) => overdue(policy, now)),
    ...facts.repositories.flatMap(repository),
    ...facts.lateCopies.map(lateCopy),
    ...(facts.controlPlane ?? []).flatMap(controlPlane),
    ...facts.channels.flatMap(channel),
    ...(facts.drills ?? []).flatMap(drilled),
    ...(facts.drillsNotHeld ?? []).map(notHeld),
    ...outdatedKit(facts.kit ?? null, now),
  ];
  const byKey = new Map<string, Condition>();
  for (const condition of found) byKey.set(condition.key, merged(byKey.get(condition.key), condition));
  return [...byKey.values()];
}

/** An asset in two policies has one incident: in the graver one's words, for whoever follows either. */
function merged(known: Condition | undefined, other: Condition): Condition {
  if (!known) return other;
  const graver = severityRank(other.severity) > severityRank(known.severity) ? other : known;
  return { ...graver, policies: [...new Set([...known.policies, ...other.policies])] };
}

/** A breach of an asset that may not be lost is worth waking somebody for. */
function gravest(dataClass: AssetFact['dataClass']): Severity {
  return dataClass === 'critical' ? 'page' : 'critical';
}

function objectives({ health, dataClass }: AssetFact): Condition[] {
  return health.breaches.map((breach) => ({
    ...ofAsset(health),
    key: `asset/${health.asset}/${breach}`,
    topic: 'objective',
    severity: breach === 'rpo' ? gravest(dataClass) : 'warning',
    title: breachTitle(health, breach),
    reason: health.reason,
    next: health.next,
  }));
}

function breachTitle({ asset, rpo, rto }: AssetHealth, breach: string): string {
  if (breach === 'rpo' && rpo.objectiveSeconds !== null)
    return `${asset} misses its recovery point objective of ${formatDuration(rpo.objectiveSeconds)}`;
  if (breach === 'rto' && rto.objectiveSeconds !== null)
    return `${asset} misses its recovery time objective of ${formatDuration(rto.objectiveSeconds)}`;
  if (breach === 'provenWithin') return `${asset} has not been proven by a restore within its time`;
  return `${asset} misses its objective ${breach}`;
}

function damage({ health, dataClass }: AssetFact): Condition[] {
  if (health.damagedNewest === null) return [];
  return [
    {
      ...ofAsset(health),
      key: `asset/${health.asset}/damaged`,
      topic: 'failure',
      severity: gravest(dataClass),
      title: `the newest recovery point of ${health.asset} is damaged`,
      reason: health.reason,
      next: health.next,
    },
  ];
}

function ofAsset({ asset, policy }: AssetHealth): Pick<Condition, 'asset' | 'policies'> {
  return { asset, policies: policy === null ? [] : [policy] };
}

function outcome({ policy, asset, type, status, jobId, error, ...of }: Outcome): Condition[] {
  if (status === 'success') return [];
  const repository = of.repository ?? null;
  const where = repository === null ? '' : ` to ${repository}`;
  const subject = `${asset === null ? `policy ${policy}` : `${asset} (policy ${policy})`}${where}`;
  const kind = repository === null ? type : `${type}/${repository}`;
  const look = `\`holdfast jobs logs ${jobId.slice(0, 8)}\``;
  const words = error ? [error.message, error.cause].filter(Boolean).join(': ') : '';
  return [
    {
      key: asset === null ? `policy/${policy}/${kind}` : `policy/${policy}/${asset}/${kind}`,
      topic: type === 'drill' ? 'drill' : 'failure',
      severity: severityOf(type, status),
      policies: [policy],
      asset,
      title: `${type} of ${subject} ${status === 'warning' ? 'was done in part' : endWords[status]}`,
      reason: words || `job ${jobId} ended ${status}`,
      next: error?.hint ? `${error.hint}; ${look} shows the whole job` : look,
    },
  ];
}

const endWords = { failed: 'failed', cancelled: 'was cancelled', warning: '' };

/** One for the drill as a whole, until it passes: one page, whatever of it failed. */
function drilled({ drill, id, outcome: how, reason, policies }: DrillFact): Condition[] {
  if (how === 'passed') return [];
  const words = {
    failed: 'failed: not everything could be brought back as it was',
    missed: 'brought everything back, and missed an objective',
    inconclusive: 'did not show everything it was to show',
  };
  return [
    {
      ...{ key: drillKey(drill), topic: 'drill', policies, asset: null, reason: reason || words[how] },
      severity: severityOfDrill(how),
      title: `drill ${drill} ${words[how]}`,
      next: `\`holdfast drill show ${id.slice(0, 8)}\`; when it is set right, \`holdfast drill run ${drill}\` tests it again`,
    },
  ];
}

export function drillKey(drill: string): string {
  return `drill/${drill}`;
}

/** Somebody cancelled it: for the record. A drill that fails says that the site could not be brought back. */
function severityOf(type: Outcome['type'], status: Exclude<Outcome['status'], 'success'>): Severity {
  if (status === 'cancelled') return 'info';
  if (type === 'drill') return 'page';
  return status === 'failed' ? 'critical' : 'warning';
}

function repository(fact: RepositoryFact): Condition[] {
  const { name, policies } = fact;
  const common = { topic: 'failure' as const, policies, asset: null };
  const found: Condition[] = [];
  if (fact.needsRepair) {
    found.push({
      ...common,
      key: `repository/${name}/damaged`,
      severity: 'critical',
      title: `damaged data was found in repository ${name}`,
      reason: fact.words || `seen at ${fact.seenAt}`,
      next: 'the next backup repairs what can be sent again: `holdfast backup run <policy>`; then `holdfast verify run <policy>`',
    });
  }
  if (fact.full !== null) {
    found.push({
      ...common,
      key: `repository/${name}/full`,
      severity: 'critical',
      title: `repository ${name} is above its high watermark`,
      reason: `${fact.full}: it takes only further points of critical assets`,
      next: 'make room: `holdfast retention plan <policy>` shows what could go, `holdfast retention run <policy>` takes it away; or give it a larger disk',
    });
  }
  if (fact.unread !== null) {
    found.push({
      ...common,
      key: `repository/${name}/unread`,
      severity: 'warning',
      title: `repository ${name} was not read back in time`,
      reason: fact.unread,
      next: '`holdfast verify run <policy> --due`',
    });
  }
  return found;
}

/** The site's own disaster would lose what waits. */
function lateCopy({ policy, repository: to, lagPoints, lagSeconds, ...copy }: CopyState): Condition {
  const { lagObjectiveSeconds, error } = copy;
  const allowed = lagObjectiveSeconds === null ? '' : `, ${formatDuration(lagObjectiveSeconds)} is allowed`;
  const waits = `${lagPoints} points wait, the first for ${formatDuration(lagSeconds)}${allowed}`;
  return {
    key: `policy/${policy}/copy/${to}/lag`,
    topic: 'objective',
    severity: 'critical',
    policies: [policy],
    asset: null,
    title: `the copy of policy ${policy} in ${to} is behind`,
    reason: error ? `${waits}; the last attempt: ${error.message}: ${error.cause}` : waits,
    next: error ? error.hint : `\`holdfast sync run ${policy} --to ${to}\``,
  };
}

function channel({ name, type, failingSince, words, hint }: ChannelFact): Condition[] {
  if (failingSince === null) return [];
  return [
    {
      key: `channel/${name}`,
      topic: 'channel',
      severity: 'warning',
      policies: [],
      asset: null,
      title: `the notification channel ${name} (${type}) does not take messages`,
      reason: words,
      next: `${hint}; then \`holdfast notify test ${name}\``,
    },
  ];
}
