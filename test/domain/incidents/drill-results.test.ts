import assert from 'node:assert/strict';
import type { NotificationChannel } from '../../../domain/configuration/notification-types.ts';
import { withCorrectiveActions } from '../../../domain/drills/corrective-actions.ts';
import { verdictOf } from '../../../domain/evidence/outcome.ts';
import type { DrillRecord } from '../../../domain/evidence/record.ts';
import type { Condition } from '../../../domain/incidents/condition.ts';
import { drillSummary } from '../../../domain/incidents/drill-summary.ts';
import { planIncidents, type OpenIncident } from '../../../domain/incidents/plan.ts';
import { takesDrillResult } from '../../../domain/incidents/routing.ts';
import { subjectOf, textOf } from '../../../domain/incidents/words.ts';
import { drilledAsset, drillRecordOf } from '../evidence/evidence-fixture.ts';
import { aChannel, aCondition, applied } from './incident-fixture.ts';

const at = (second: number) => new Date(Date.parse('2026-11-20T03:00:00Z') + second * 1000);
const failure = {
  ...{ asset: 'uploads', phase: 'restore', code: 'tool.failed', message: 'restic gave up' },
  ...{ cause: 'Fatal: wrong\npack', hint: 'run `holdfast verify run critical`' },
};
const unmeasured = { rtoSeconds: null, rpoSeconds: null };
const lost = drilledAsset({ restored: false, integrity: null });

describe('the result of a drill', () => {
  const messageOf = (record: DrillRecord) => ({
    ...{ kind: 'drill' as const, id: 'm', createdAt: record.endedAt, files: [] },
    result: drillSummary(record, verdictOf(record), {
      ...{ sequence: 4, digest: 'd'.repeat(64), path: '/evidence/000004.json' },
    }),
  });

  it('says in its subject what came back, how fast and how old', () => {
    assert.equal(
      subjectOf(messageOf(drillRecordOf())),
      'drill quarterly passed: 1 of 1 assets back in 3 m 50 s (RTO 4h), newest data 1 h old (RPO 2h)',
    );
    const text = textOf(messageOf(drillRecordOf()));
    for (const words of ['siteLoss', 'offsite', 'uploads: back', 'phases: restore', 'd'.repeat(64)])
      assert.ok(text.includes(words), words);
    assert.match(text, /holdfast evidence verify \/evidence\/000004\.json/);
  });

  it('says what failed, why and what to do, and who has to', () => {
    const drill = { ...drillRecordOf().drill, owner: 'anna', retests: [{ drill: 'drill-0', action: 'a1' }] };
    const record = withCorrectiveActions(
      drillRecordOf({ drill, assets: [lost], failures: [failure], measured: unmeasured }),
    );
    const message = messageOf(record);
    assert.equal(subjectOf(message), 'drill quarterly FAILED: 0 of 1 assets back');
    const text = textOf(message);
    assert.match(
      text,
      /failed: uploads, restore: restic gave up\n {2}cause: Fatal: wrong\n {9}pack\n {2}next: /,
    );
    assert.match(text, /a1 \(anna\): uploads: run `holdfast verify run critical`/);
    assert.match(text, /It tested again: a1 of drill drill-0/);
  });

  it('says whether it took the service itself down', () => {
    const drill = { ...drillRecordOf().drill, trigger: 'gameDay' as const };
    const of = (changes: Partial<DrillRecord>) => textOf(messageOf(drillRecordOf(changes)));
    assert.match(
      of({ drill }),
      /was to rebuild everything from offsite alone\. It took the service itself down\./,
    );
    assert.match(of({ drill, measured: unmeasured }), /to take the service itself down, and did not\./);
    assert.doesNotMatch(of({}), /the service itself/);
  });

  it('goes to who asks for drills: to PagerDuty as an incident only, to the grave ones only when it is grave', () => {
    const takes = (channel: NotificationChannel) =>
      (['passed', 'inconclusive', 'missed', 'failed'] as const).filter((outcome) =>
        takesDrillResult(channel, outcome, ['daily']),
      );
    assert.equal(takes(aChannel('ops')).length, 4);
    assert.equal(takes(aChannel('ops', { policies: ['daily'] })).length, 4);
    assert.deepEqual(takes(aChannel('ops', { severity: 'critical' })), ['missed', 'failed']);
    assert.deepEqual(takes(aChannel('ops', { on: ['failure', 'page'] })), []);
    assert.deepEqual(takes(aChannel('ops', { policies: ['other'] })), []);
    const pager = { ...aChannel('pager'), type: 'pagerduty', endpoint: '', routingKey: { kind: 'env' } };
    assert.deepEqual(takes(pager as unknown as NotificationChannel), []);
  });
});

describe('the incident of a drill whose result was told', () => {
  const failed = aCondition('drill/q', { topic: 'drill', severity: 'page' });
  const unclear = aCondition('drill/q', { topic: 'drill', severity: 'warning' });
  const mail = aChannel('mail', { remindEverySeconds: 86_400 });
  const page = aChannel('page', { on: ['page', 'recovery'] });
  type Look = [second: number, conditions: Condition[], toldAt: number | null];

  function told(looks: Look[]): string[] {
    let known: OpenIncident[] = [];
    return looks.flatMap(([second, conditions, toldAt]) => {
      const sent = {
        at: at(toldAt ?? 0).toISOString(),
        thread: `m${toldAt}`,
        delivered: second - 2 > toldAt!,
      };
      const results = toldAt === null ? {} : { mail: sent };
      const beside = [{ key: 'drill/q', told: results }];
      const plan = planIncidents(known, conditions, [mail, page], at(second), beside);
      known = applied(known, plan, at(second));
      return plan.messages.flatMap(({ channel, items }) =>
        items.map(({ kind }) => `${second} ${channel}: ${kind}`),
      );
    });
  }

  it('is not told the same channel again, neither its beginning nor its end', () => {
    assert.deepEqual(
      told([
        [5, [failed], 0],
        [20, [failed], 0],
        [7000, [], 6990],
        [8000, [], 6990],
      ]),
      ['5 page: opened', '7000 page: resolved'],
    );
  });

  it('is reminded of where that is asked for, from the result on', () => {
    assert.deepEqual(
      told([
        [5, [failed], 0],
        [86_399, [failed], 0],
        [86_400, [failed], 0],
        [86_500, [failed], 0],
      ]).filter((line) => line.includes('mail')),
      ['86400 mail: reminder'],
    );
  });

  it('that got worse with another drill is told by that one', () => {
    const looks: Look[] = [
      [5, [unclear], 0],
      [105, [failed], 100],
    ];
    assert.deepEqual(told(looks), ['105 page: opened']);
  });

  it('is told by itself where the result was refused in the end', () => {
    const looks: Look[] = [
      [1, [failed], 0],
      [2, [failed], 0],
      [15, [failed], null],
    ];
    assert.deepEqual(told(looks), ['1 page: opened', '15 mail: opened']);
  });

  it('is told to a channel that got no result, and its end to it when the drill was taken out', () => {
    assert.deepEqual(told([[5, [failed], null]]), ['5 mail: opened', '5 page: opened']);
    const gone = told([
      [5, [failed], 0],
      [600, [], null],
    ]);
    assert.deepEqual(gone, ['5 page: opened', '600 mail: resolved', '600 page: resolved']);
  });
});
