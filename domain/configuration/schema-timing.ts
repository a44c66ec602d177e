// When things may run: the off-peak window, and how far back a missed run is made up for.

import { z } from 'zod';
import { lengthOf, type Window } from '../cadence/window.ts';
import { expects, expectsText, say } from './say.ts';
import { duration, keys, list } from './schema-values.ts';

const clockTime = z
  .string({ error: expectsText('a time of day in UTC', '"22:00"') })
  .meta({ description: 'a time of day in UTC, for example "22:00"', pattern: '^([01]\\d|2[0-3]):[0-5]\\d$' })
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, say('not a time of day', 'write it like "22:00", in UTC'))
  .transform((written) => {
    const [hours = 0, minutes = 0] = written.split(':').map(Number);
    return hours * 3600 + minutes * 60;
  });

const dayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;

export const window = keys('an off-peak window', {
  from: clockTime,
  to: clockTime,
  days: list(
    z.enum(dayNames, { error: expects('a day', 'sat') }),
    'the days on which the window opens',
    '[sat, sun]',
  )
    .min(1, say('this window never opens', 'name a day, or leave days out for every day'))
    .optional(),
})
  .transform(({ from, to, days }): Window => ({
    fromSeconds: from,
    toSeconds: to,
    days: days ? [...new Set(days.map((day) => dayNames.indexOf(day)))].sort() : null,
  }))
  .refine(
    (written) => lengthOf(written) > 0,
    say(
      'this window never opens: it ends when it begins',
      'give it some hours, or leave it out for any time',
    ),
  );

export const catchUp = duration.refine(
  (seconds) => seconds >= 10,
  say('Temporal looks back 10 s at least', 'write 10s or more'),
);
