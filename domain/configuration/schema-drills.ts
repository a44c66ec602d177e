// How a drill is written: what it brings back, from where, how often, and what shows that it works. What holds
// between it and the rest of the file is in rules-drills.ts.

import { z } from 'zod';
import type { Drill, SmokeTest } from './drill-types.ts';
import { expects, say } from './say.ts';
import { gameDay, normaliseGameDay } from './schema-game-day.ts';
import { drillKit } from './schema-kit.ts';
import * as value from './schema-values.ts';
import type { Command } from './types.ts';

const scenarios = ['assetLoss', 'hostLoss', 'siteLoss', 'keyLoss'] as const;
const classes = ['critical', 'standard', 'rebuildable'] as const;

const select = z.union([
  z.enum(['latest', 'random'], { error: expects('which points', 'latest') }),
  value.keys('a random choice of points', {
    random: value.keys('a random choice of points', {
      window: value.duration.optional(),
      seed: value.name.optional(),
    }),
  }),
]);

const smokeUrl = value.text('a URL of the clean room', 'http://127.0.0.1:{port}/api/health', (written) => {
  if (/^http:\/\/(127\.0\.0\.1|localhost):\{port\}(\/|$)/.test(written)) return written;
  const fix = 'begin it with http://127.0.0.1:{port}/';
  return { message: 'not a URL of the clean room: a drill asks nothing outside of it', fix };
});

const smoke = value
  .keys('a smoke test', { command: value.command.optional(), http: smokeUrl.optional() })
  .meta({ oneOf: [{ required: ['command'] }, { required: ['http'] }] })
  .refine(
    ({ command, http }) => (command === undefined) !== (http === undefined),
    say('a smoke test is either a command or an http address', 'give it one of the two'),
  );

const drill = value.keys('a drill', {
  name: value.name,
  owner: value.owner.optional(),
  fourEyes: z.boolean().optional(),
  scenario: z.enum(scenarios, { error: expects('a scenario', 'siteLoss') }).optional(),
  policies: value.list(value.name, 'a list of policy names', '[critical]').optional(),
  assets: value.list(value.name, 'a list of asset names', '[orders]').optional(),
  classes: value
    .list(z.enum(classes, { error: expects('a class', 'critical') }), 'a list of classes', '[critical]')
    .optional(),
  from: value.name,
  select: select.optional(),
  every: value.duration.optional(),
  cron: value.cron.optional(),
  objectives: value
    .keys('what the drill has to reach', { rto: value.duration.optional(), rpo: value.duration.optional() })
    .optional(),
  start: value.command.optional(),
  smoke: value.list(smoke, 'a list of smoke tests', '[{ command: [./smoke.sh] }]').optional(),
  smokeTimeout: value.duration.optional(),
  gameDay: gameDay.optional(),
  kit: drillKit.optional(),
});

export const drills = value.list(drill, 'a list of drills', '[{ name: quarterly, … }]');

const DEFAULT_WINDOW_SECONDS = 30 * 86_400;
const DEFAULT_SMOKE_SECONDS = 300;

/** `absolute`: makes a command's program a whole path. */
export function normaliseDrill(
  written: z.output<typeof drill>,
  absolute: (command: Command) => Command,
): Drill {
  const { every, cron, objectives, start, owner, fourEyes } = written;
  return {
    name: written.name,
    ...(owner !== undefined && { owner }),
    ...(fourEyes === true && { fourEyes }),
    scenario: written.scenario ?? 'assetLoss',
    policies: written.policies ?? [],
    assets: written.assets ?? [],
    classes: written.classes ?? [],
    from: written.from,
    select: selectionOf(written.select ?? 'latest'),
    cadence:
      every !== undefined
        ? { kind: 'every', seconds: every }
        : cron !== undefined
          ? { kind: 'cron', expression: cron }
          : null,
    objectives: { rtoSeconds: objectives?.rto ?? null, rpoSeconds: objectives?.rpo ?? null },
    start: start === undefined ? null : absolute(start),
    smoke: (written.smoke ?? []).flatMap(({ command, http }): SmokeTest[] => [
      ...(command === undefined ? [] : [{ kind: 'command' as const, command: absolute(command) }]),
      ...(http === undefined ? [] : [{ kind: 'http' as const, url: http }]),
    ]),
    smokeSeconds: written.smokeTimeout ?? DEFAULT_SMOKE_SECONDS,
    ...(written.gameDay && { gameDay: normaliseGameDay(written.gameDay, absolute) }),
  };
}

function selectionOf(written: z.output<typeof select>): Drill['select'] {
  if (written === 'latest') return { rule: 'latest' };
  const { window, seed } = written === 'random' ? {} : written.random;
  return { rule: 'random', windowSeconds: window ?? DEFAULT_WINDOW_SECONDS, seed: seed ?? null };
}
