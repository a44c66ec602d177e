import assert from 'node:assert/strict';
import type { IncidentMessage, MessageItem } from '../../../domain/incidents/message.ts';
import { isGivenUp, pauseAfter } from '../../../domain/incidents/retry.ts';
import { subjectOf, textOf } from '../../../domain/incidents/words.ts';
import { aCondition } from './incident-fixture.ts';

const item = (change: Partial<MessageItem> = {}): MessageItem => ({
  ...aCondition('asset/orders/rpo', { severity: 'critical', title: 'orders misses its objective' }),
  id: 'i-12',
  openedAt: '2026-11-20T02:00:00.000Z',
  lastSeenAt: '2026-11-20T02:00:00.000Z',
  resolvedAt: null,
  event: 'opened',
  thread: 't',
  endsThread: false,
  ...change,
});
const message = (...items: MessageItem[]): IncidentMessage => ({
  kind: 'incidents',
  id: 'm',
  createdAt: '2026-11-20T02:00:00.000Z',
  items,
});

describe('the words of a message', () => {
  it('say first what, on what and since when, then the cause and the next step', () => {
    const one = message(item({ reason: 'disk full\non /srv', next: '`holdfast backup run daily`' }));
    assert.equal(subjectOf(one), 'critical: orders misses its objective');
    assert.equal(
      textOf(one),
      `critical: orders misses its objective, since 2026-11-20 02:00:00Z (i-12)
  cause: disk full
         on /srv
  next:  \`holdfast backup run daily\`

See all: \`holdfast incidents list\`, \`holdfast status\``,
    );
  });

  it('say of what is over how long it lasted', () => {
    const over = message(item({ event: 'resolved', resolvedAt: '2026-11-20T05:10:00.000Z' }));
    assert.match(
      textOf(over),
      /^resolved: orders misses its objective, over at 2026-11-20 05:10:00Z after 3 h 10 m/,
    );
  });

  it('list many, and count what is too many to list', () => {
    const many = message(
      ...Array.from({ length: 30 }, (_, n) => item({ id: `i-${n}` })),
      item({ event: 'resolved' }),
    );
    assert.equal(subjectOf(many), 'Holdfast: 30 opened (30 critical), 1 resolved');
    assert.match(textOf(many), /i-19\)[\s\S]*and 11 more/);
    assert.doesNotMatch(textOf(many), /i-20\)/);
  });

  it('keep the subject on one line, whatever a tool printed', () => {
    const subject = subjectOf(message(item({ title: `evil\r\nBcc: x@y.z ${'x'.repeat(300)}` })));
    assert.doesNotMatch(subject, /[\r\n]/);
    assert.ok(subject.length <= 120);
  });
});

describe('trying again', () => {
  it('pauses longer each time, up to half an hour, each its own', () => {
    assert.deepEqual(
      [1, 2, 3, 20].map((attempts) => pauseAfter(attempts, 0.5)),
      [15, 30, 60, 1800],
    );
    assert.notEqual(pauseAfter(3, 0), pauseAfter(3, 1));
  });
  it('goes on for days, not for ever', () => {
    const created = '2026-11-20T00:00:00Z';
    assert.equal(isGivenUp(created, new Date('2026-11-22T23:00:00Z')), false);
    assert.equal(isGivenUp(created, new Date('2026-11-23T01:00:00Z')), true);
  });
});
