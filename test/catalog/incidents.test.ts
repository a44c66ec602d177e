import assert from 'node:assert/strict';
import type { IncidentMessage } from '../../domain/incidents/message.ts';
import { planIncidents } from '../../domain/incidents/plan.ts';
import type { Condition } from '../../domain/incidents/condition.ts';
import { aChannel, aCondition } from '../domain/incidents/incident-fixture.ts';
import { withCatalog } from './fixture.ts';

const START = Date.parse('2026-11-20T02:00:00.000Z');

describe('incidents in the catalogue', () => {
  const fixture = withCatalog();
  const ops = aChannel('ops');
  const at = (second: number) => new Date(START + second * 1000);
  const see = (second: number, ...conditions: Condition[]) =>
    fixture.catalog.incidents.update(at(second), (known) =>
      planIncidents(known, conditions, [ops], at(second)),
    );
  const contents = async () =>
    (
      await fixture.sql<{ content: IncidentMessage }>(
        'select content from notification_messages order by sequence',
      )
    ).map(({ content }) => content);

  beforeEach(() =>
    fixture.sql('truncate incidents, notification_messages, notification_channels restart identity cascade'),
  );

  it('a message holds what was so when it was written, and the thread it goes on with', async () => {
    await see(0, aCondition('a'), aCondition('b'));
    await see(15, aCondition('a', { severity: 'critical' }), aCondition('b'));
    await see(600, aCondition('b'));
    const [opened, worse, over] = await contents();
    const thread = opened?.id;
    assert.deepEqual(
      [opened, worse, over].map((content) =>
        content?.items.map(({ id, event, severity }) => `${id} ${event} ${severity}`),
      ),
      [['i-1 opened warning', 'i-2 opened warning'], ['i-1 escalated critical'], ['i-1 resolved critical']],
    );
    for (const content of [opened, worse, over]) assert.equal(content?.items[0]?.thread, thread);
    assert.equal(over?.items[0]?.resolvedAt, at(600).toISOString());
    const { items } = await fixture.catalog.audit.list({ subject: 'incident/i-1' });
    assert.deepEqual(
      items.map(({ action }) => action),
      ['incident.resolved', 'incident.escalated', 'incident.opened'],
    );
  });

  it('seen without change writes nothing but, once a minute, that it was seen', async () => {
    const versions = () => fixture.sql('select xmin::text from incidents');
    await see(0, aCondition('a'));
    const first = await versions();
    await see(15, aCondition('a'));
    assert.deepEqual(await versions(), first);
    await see(75, aCondition('a'));
    assert.notDeepEqual(await versions(), first);
    assert.equal((await contents()).length, 1);
  });

  it('an incident whose message cannot be written was not opened', async () => {
    await fixture.sql('alter table notification_messages add constraint broken check (false) not valid');
    try {
      await assert.rejects(see(0, aCondition('a')));
    } finally {
      await fixture.sql('alter table notification_messages drop constraint broken');
    }
    assert.deepEqual(await fixture.catalog.incidents.count(), { open: 0, critical: 0 });
    await see(15, aCondition('a'));
    assert.equal((await contents()).length, 1);
  });

  it('lists newest first, in pages', async () => {
    const all = ['a', 'b', 'c'].map((key) => aCondition(key));
    for (const count of [1, 2, 3]) await see(count, ...all.slice(0, count));
    const { incidents } = fixture.catalog;
    const first = await incidents.list({ limit: 2 });
    assert.deepEqual(
      first.items.map(({ key }) => key),
      ['c', 'b'],
    );
    const second = await incidents.list({ limit: 2, cursor: first.next });
    assert.deepEqual(
      second.items.map(({ key }) => key),
      ['a'],
    );
    assert.equal(second.next, null);
  });

  it("a message is one worker's at a time, and comes back when that one dies", async () => {
    await see(0, aCondition('a'));
    const { notifications } = fixture.catalog;
    const claims = await Promise.all([1, 2, 3].map(() => notifications.claim('ops', at(1), at(301))));
    assert.equal(claims.filter(Boolean).length, 1);
    assert.equal(await notifications.claim('ops', at(300), at(600)), null);
    const again = await notifications.claim('ops', at(301), at(601));
    assert.equal(again?.attempts, 2);
    assert.equal(again?.content.id, claims.find(Boolean)?.content.id);
  });
});
