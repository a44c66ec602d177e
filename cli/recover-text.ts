// What a recovery came to, in words: what is back, what cannot be reached from here, what to do next.

import type { Recovery } from '../workers/recover/recover.ts';
import type { Plan, Report } from '../workers/recover/report.ts';
import type { PlainRestores } from '../workers/recover/plain-restores.ts';
import type { RecoverRequest } from '../workers/recover/request.ts';
import { printable } from './printable.ts';
import type { Outcome } from './outcome.ts';
import { relative } from './when.ts';

export function recoveryOutcome(recovery: Recovery, request: RecoverRequest): Outcome {
  switch (recovery.kind) {
    case 'nothing':
      return nothingFound(recovery.plain, request);
    case 'planned':
      return { data: { dryRun: true, ...recovery.plan }, text: () => printed(planLines(recovery.plan)) };
    case 'recovered': {
      const { report } = recovery;
      const next = nextCommands(report, request);
      return {
        data: { dryRun: false, ...report, next },
        text: () => printed([...reportLines(report), '', 'next', ...next.map((line) => `  ${line}`)]),
        // The service cannot be started before somebody wrote its configuration.
        ...(!report.configuration.written && { exitCode: 3 }),
      };
    }
  }
}

function nothingFound(plain: PlainRestores, { repository }: RecoverRequest): Outcome {
  const { assets } = plain;
  return {
    data: { ...plain },
    text: () => printed(plainLines(plain)),
    error: {
      code: 'point.unknown',
      message: `nothing of a control plane is in ${repository.url}`,
      cause:
        assets.length === 0
          ? `there is no recovery point of Holdfast's in it${plain.foreign > 0 ? `, and ${plain.foreign} snapshots of somebody else's` : ''}`
          : `there are recovery points of ${assets.map(({ asset }) => asset).join(', ')}, and nothing else`,
      hint:
        assets.length === 0
          ? 'check that it is the right repository'
          : 'bring each back by the commands shown; or write a configuration with `holdfast init`, start it with `holdfast up` and take the points over with `holdfast points import`',
    },
  };
}

function plainLines({ environment, assets }: PlainRestores): string[] {
  if (assets.length === 0) return [];
  const lines = assets.flatMap(({ asset, points, newest, commands }) => [
    '',
    `# ${asset}: ${points} ${points === 1 ? 'point' : 'points'}, the newest ${newest.takenAt} (${newest.point})${newest.partial === null ? '' : `, partial: ${newest.partial}`}`,
    ...commands,
  ]);
  return ['# by restic alone, in a shell', ...environment, ...lines];
}

function planLines(plan: Plan): string[] {
  return [
    ...fromLines(plan),
    `  data directory  ${plan.dataDir} (empty)`,
    `  configuration   ${plan.configuration.path}`,
    ...plan.configuration.notes.map((note) => `                  ${note}`),
    ...namesOf(plan),
    'nothing was changed: leave --dry-run away to do it',
  ];
}

function fromLines({ from }: Plan): string[] {
  const which = from.of === 1 ? 'the only one' : `one of ${from.of}`;
  return [
    `control plane of ${from.host} out of ${from.repository}`,
    `  taken           ${from.takenAt} (${relative(from.takenAt)}), ${which}`,
    `  recovery point  ${from.id}, by Holdfast ${from.holdfast}`,
  ];
}

function namesOf({ assets, policies, drills }: Plan): string[] {
  const line = (what: string, names: readonly string[]) =>
    `  ${what.padEnd(15)} ${names.length}${names.length > 0 ? `: ${names.join(', ')}` : ''}`;
  return [line('assets', assets), line('policies', policies), line('drills', drills)];
}

function reportLines(report: Report): string[] {
  const { audit, catalogue, configuration } = report;
  return [
    ...fromLines(report),
    '',
    'back',
    ...namesOf(report),
    ...report.points.map(({ repository, points }) => `  points          ${points} in ${repository}`),
    `  evidence        ${report.evidence}, and ${report.histories} event histories`,
    `  audit chain     unbroken, ${audit.events} events, head ${audit.head?.hash.slice(0, 16) ?? 'none'}`,
    ...keyLines(audit.key),
    `  catalogue       ${catalogue.place}${catalogue.migrated.length > 0 ? `, brought forward by ${catalogue.migrated.join(', ')}` : ''}`,
    `  configuration   ${configuration.path}${configuration.written ? '' : ' WAS NOT WRITTEN'}`,
    ...configuration.notes.map((note) => `                  ${note}`),
    ...since(report),
    ...outOfReach(report),
  ];
}

function keyLines(key: Report['audit']['key']): string[] {
  if (key === null) return ['  audit key       none: the service makes one'];
  const strange = key.state === 'inForce' ? '' : ', which the chain does not name: it is announced anew';
  return [`  audit key       ${key.keyId}${strange}`];
}

/** What happened after the point was taken, as far as the repository shows it. */
function since({ recorded, missing, running, pausedPolicies, from, points }: Report): string[] {
  const others = points.filter(({ repository }) => repository !== from.repository);
  const lines = [
    ...recorded.map(
      ({ asset, points }) => `  ${asset}: ${points} newer points were taken over from ${from.repository}`,
    ),
    ...missing.map(
      ({ asset, point, takenAt }) =>
        `  ${asset}: point ${point} (${takenAt}) is not in ${from.repository} any more; its copy there counts as damaged`,
    ),
    ...others.map(
      ({ repository }) =>
        `  ${repository} was not compared: \`holdfast points import --asset ASSET --repository ${repository}\` takes over what is newer there, the next retention says what is gone`,
    ),
    ...running.map((id) => `  ${id} was running: \`holdfast up\` takes it up, or ends it with the reason`),
    ...pausedPolicies.map((policy) => `  policy ${policy} was paused, and stays so`),
  ];
  return lines.length === 0 ? [] : ['', `since ${from.takenAt}`, ...lines];
}

function outOfReach({ repositories, unresolved, toChange }: Report): string[] {
  const lines = [
    ...repositories.flatMap(({ repository, url, error }) =>
      error ? [`  repository ${repository} (${url}): ${error.message}`] : [],
    ),
    ...unresolved.map(
      ({ reference, usedBy, line, cause }) =>
        `  secret ${reference} of ${usedBy}${line === null ? '' : ` (line ${line})`}: ${cause}`,
    ),
  ];
  return [
    ...(lines.length === 0 ? [] : ['', 'not to be reached from here', ...lines]),
    ...(toChange.length === 0 ? [] : ['', 'to be changed first', ...toChange.map((line) => `  ${line}`)]),
  ];
}

function nextCommands(report: Report, { configurationFile }: RecoverRequest): string[] {
  const holdfast = `holdfast --config ${configurationFile}`;
  return [
    `${holdfast} up --detach`,
    `${holdfast} points list`,
    ...report.assets.map(
      (asset) => `${holdfast} restore prepare --asset ${asset} --from ${report.from.repository}`,
    ),
  ];
}

function printed(lines: readonly string[]): string {
  return lines.map((line) => printable(line)).join('\n');
}
