// The channels incidents are told through. Each type takes its own keys and no others.

import { z } from 'zod';
import { severities, topics } from './notification-types.ts';
import type { RawIssue } from './say.ts';
import { expects, expectsText, say } from './say.ts';
import * as value from './schema-values.ts';

const common = {
  name: value.name,
  policies: value.list(value.name, 'a list of policy names', '[critical]').optional(),
};

const told = {
  ...common,
  on: value
    .list(z.enum(topics), 'a list of topics', '[failure, recovery]')
    .min(1, say('the channel is told nothing', 'name what to tell, or leave on out for everything'))
    .optional(),
  severity: z.enum(severities).optional(),
  remindEvery: value.duration.optional(),
};

const mailAddress = z
  .string({ error: expectsText('a mail address', 'ops@example.org') })
  .regex(/^[^\s@<>,;:"]+@[^\s@<>,;:"]+$/, say('not a mail address', 'write it like ops@example.org'));

const smtp = value.keys('a mail channel', {
  ...told,
  type: z.literal('smtp'),
  url: value.secret,
  from: mailAddress.optional(),
  to: value
    .list(mailAddress, 'a list of mail addresses', '[ops@example.org]')
    .min(1, say('the mail goes to nobody', 'name who gets it')),
});

const webhook = value.keys('a webhook channel', {
  ...told,
  type: z.literal('webhook'),
  url: value.secret,
  secret: value.secret,
});

const slack = value.keys('a Slack channel', { ...told, type: z.literal('slack'), url: value.secret });

const ntfy = value.keys('an ntfy channel', {
  ...told,
  type: z.literal('ntfy'),
  url: value.secret,
  token: value.secret.optional(),
});

const pagerduty = value.keys('a PagerDuty channel', {
  ...told,
  type: z.literal('pagerduty'),
  routingKey: value.secret,
  endpoint: value.httpUrl.optional(),
});

const healthchecks = value.keys('a healthchecks channel', {
  ...common,
  type: z.literal('healthchecks'),
  url: value.secret,
});

const channel = z.discriminatedUnion('type', [smtp, webhook, slack, ntfy, pagerduty, healthchecks], {
  error: (issue: RawIssue) =>
    issue.code === 'invalid_type' ? expects('a channel', '{ name: ops, type: smtp, … }')(issue) : undefined,
});

export const notifications = value.list(channel, 'a list of channels', '[{ name: ops, type: smtp, … }]');
export type WrittenNotification = z.output<typeof channel>;
