import assert from 'node:assert/strict';
import { assertRefused, errorOf, read, written } from './written.ts';

const channels = (...items: string[]) =>
  written({ notifications: ['notifications:', ...items.map((item) => `  - { ${item} }`)].join('\n') });
const slack = (more: string) => channels(`name: ops, type: slack, url: env:SLACK${more}`);

describe('notifications', () => {
  it('take the two channels of the design', () => {
    const { configuration, warnings } = read(
      channels(
        'name: ops, type: smtp, url: env:SMTP_URL, to: [ops@example.org], on: [failure, objective, recovery, drill]',
        'name: pager, type: pagerduty, routingKey: env:PAGER_KEY, on: [page]',
      ),
    );
    assert.deepEqual(warnings, []);
    assert.deepEqual(configuration.notifications, [
      {
        name: 'ops',
        type: 'smtp',
        url: { kind: 'env', name: 'SMTP_URL' },
        from: 'holdfast@example.org',
        to: ['ops@example.org'],
        on: ['failure', 'objective', 'recovery', 'drill'],
        severity: 'warning',
        policies: [],
        remindEverySeconds: 86_400,
      },
      {
        name: 'pager',
        type: 'pagerduty',
        routingKey: { kind: 'env', name: 'PAGER_KEY' },
        endpoint: 'https://events.pagerduty.com',
        on: ['page'],
        severity: 'warning',
        policies: [],
        remindEverySeconds: null,
      },
    ]);
  });

  it('read secrets in files from the folder of the configuration', () => {
    const { configuration } = read(
      channels('name: hook, type: webhook, url: file:./hook, secret: file:/etc/s, remindEvery: 2h'),
    );
    const [hook] = configuration.notifications ?? [];
    assert.ok(hook?.type === 'webhook');
    assert.deepEqual(hook.url, { kind: 'file', path: '/etc/holdfast/hook' });
    assert.equal(hook.remindEverySeconds, 7200);
  });

  const refusals: [what: string, text: string, says: RegExp][] = [
    ['an unknown policy', slack(', policies: [§weekly]'), /no policy has this name/],
    ['an unknown topic', slack(', on: [§everything]'), /not known here/],
    ['a channel that is told nothing', slack(', on: §[]'), /told nothing/],
    ['an unknown type', channels('name: ops, type: §pigeon'), /not known here/],
    ['a key of another type', slack(', §to: [a@b.c]'), /unknown key/],
    ['a mail to nobody', channels('name: m, type: smtp, url: env:U, to: §[]'), /goes to nobody/],
    [
      'a line break smuggled into an address',
      channels('name: m, type: smtp, url: env:U, to: [§"a@b.c\\nBcc: x@y.z"]'),
      /not a mail address/,
    ],
    [
      'an unsigned webhook',
      channels('name: w, type: webhook, url: env:U').replace('{ name: w', '§{ name: w'),
      /missing: a secret/,
    ],
  ];
  for (const [what, text, says] of refusals) {
    it(`refuse ${what}`, () => assertRefused(text, { says }));
  }

  it('refuse two channels of one name', () => {
    const item = 'name: §ops, type: slack, url: env:U';
    assertRefused(channels(item.replace('§', ''), item), { says: /another channel has this name/ });
  });

  it('refuse one check for several policies', () => {
    const two = written({
      policies: `policies:
  - { name: daily, assets: [orders], every: 24h, repository: local, copies: [offsite] }
  - { name: hourly, assets: [uploads], every: 1h, repository: local }`,
      notifications: `notifications:
  - { name: ops, type: slack, url: env:U }
  - { name: dead-man, type: healthchecks, url: env:U }`,
    });
    assert.match(errorOf(two).cause, /one check cannot stand for several policies/);
    assert.equal(read(two.replace('healthchecks,', 'healthchecks, policies: [daily],')).warnings.length, 0);
  });

  it('never show an address that was written out: it is a secret', () => {
    const address = 'https://hooks.slack.com/services/T0/B0/abc';
    const { cause, problems } = errorOf(slack('').replace('env:SLACK', `"${address}"`));
    assert.equal(problems[0]?.path, 'notifications[0].url');
    assert.ok(!cause.includes('hooks.slack'), cause);
  });

  describe('what is told, not refused', () => {
    const warningsOf = (text: string) => read(text).warnings.map(({ message }) => message);
    it('that nobody is told of anything', () => {
      assert.deepEqual(warningsOf(written({ notifications: '' })), [
        'nobody is told when a backup fails or an objective is missed',
      ]);
      const check = channels('name: c, type: healthchecks, url: env:U');
      assert.match(warningsOf(check).join(), /nobody is told/);
    });
    it('that nobody is told of missed objectives', () => {
      assert.deepEqual(warningsOf(slack(', on: [failure]')), [
        "no channel is told of every policy's missed objectives",
      ]);
    });
  });
});
