// What of the configuration says what stays: restic's words, the presets that stand for some of them, and
// repositories whose store does not let go.

import { z } from 'zod';
import { inOneOrder, MOST_TAGS, TAG_PATTERN, TAG_RULE } from '../tags.ts';
import { presetNames } from './retention-presets.ts';
import { expects, say } from './say.ts';
import * as value from './schema-values.ts';

/** 0 keeps nothing and restic refuses less: a word is given a number, or left out. */
const keep = value.count.optional();

const tag = value.text(
  'a tag',
  'release',
  (written) =>
    TAG_PATTERN.test(written)
      ? written
      : { message: `a tag is ${TAG_RULE}`, fix: 'write it as it was given with --tag, each as an entry' },
  TAG_PATTERN.source,
);

const keepTags = value
  .list(tag, 'a list of tags', '[release]')
  .min(1, say('no tag is named', 'name one, or leave keepTags out'))
  .max(MOST_TAGS, say(`more than ${MOST_TAGS} tags`, 'name fewer'))
  .transform(inOneOrder);

export const retention = value
  .keys('what to keep', {
    preset: z.enum(presetNames).optional(),
    keepLast: keep,
    keepHourly: keep,
    keepDaily: keep,
    keepWeekly: keep,
    keepMonthly: keep,
    keepYearly: keep,
    keepWithin: value.keepWithin.optional(),
    keepWithinHourly: value.keepWithin.optional(),
    keepWithinDaily: value.keepWithin.optional(),
    keepWithinWeekly: value.keepWithin.optional(),
    keepWithinMonthly: value.keepWithin.optional(),
    keepWithinYearly: value.keepWithin.optional(),
    keepTags: keepTags.optional(),
    maxDrop: value.share.optional(),
  })
  .meta({ minProperties: 1 });

export type WrittenRetention = z.output<typeof retention>;

export const immutability = value.keys('how long the store keeps what was written', {
  mode: z.enum(['governance', 'compliance']),
  days: z
    .int({ error: expects('a whole number of days', '30') })
    .min(1, say('less than a day', 'write 1 or more, or leave immutability out'))
    .max(36_500, say('more than a hundred years', 'write what the bucket is set to')),
});
