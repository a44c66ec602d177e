// How a game day is written: what takes the service down for real, what watches it, and how long noticing the outage
// and being back may take.

import type { z } from 'zod';
import type { GameDay } from './drill-types.ts';
import { say } from './say.ts';
import * as value from './schema-values.ts';
import type { Command } from './types.ts';

const watch = value
  .keys('what watches the service', { http: value.httpUrl.optional(), command: value.command.optional() })
  .meta({ oneOf: [{ required: ['http'] }, { required: ['command'] }] })
  .refine(
    ({ command, http }) => (command === undefined) !== (http === undefined),
    say('a watch is either an http address or a command', 'give it one of the two'),
  );

export const gameDay = value.keys('a game day', {
  takeDown: value.commands,
  watch,
  noticeWithin: value.duration.optional(),
  backWithin: value.duration.optional(),
});

const DEFAULT_NOTICE_SECONDS = 300;
const DEFAULT_BACK_SECONDS = 600;

/** `absolute`: makes a command's program a whole path. */
export function normaliseGameDay(
  written: z.output<typeof gameDay>,
  absolute: (command: Command) => Command,
): GameDay {
  const { http, command } = written.watch;
  return {
    takeDown: written.takeDown.map(absolute),
    watch:
      command === undefined
        ? { kind: 'http', url: http ?? '' }
        : { kind: 'command', command: absolute(command) },
    noticeSeconds: written.noticeWithin ?? DEFAULT_NOTICE_SECONDS,
    backSeconds: written.backWithin ?? DEFAULT_BACK_SECONDS,
  };
}
