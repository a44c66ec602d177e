import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import type { Drill } from '../../domain/configuration/drill-types.ts';
import type { Policy } from '../../domain/configuration/types.ts';
import { nextRun } from '../../domain/cadence/next-run.ts';
import { drillRunOf, scheduledRunsOf } from '../../domain/cadence/scheduled-runs.ts';
import { bringSchedulesInLine, mendSchedules } from '../../schedules/bring-in-line.ts';
import { withCatalog } from '../catalog/fixture.ts';
import { policy, read } from '../domain/configuration/written.ts';
import { startTemporal, type TestTemporal } from '../fixtures/temporal-server.ts';
import { until } from '../fixtures/until.ts';

// A real Temporal server with nobody at work on the queue: what a Schedule starts stays as it is.

const QUEUE = 'nobody';

describe('Schedules', function () {
  this.timeout(240_000);
  const fixture = withCatalog();
  let temporal: TestTemporal;
  before(async () => {
    temporal = await startTemporal();
  });
  after(() => temporal.dispose());

  const policyOf = (name: string, more: string): Policy => ({
    ...read(policy(`repository: local, ${more}`)).configuration.policies[0]!,
    name,
  });
  const bring = (policies: Policy[]) =>
    bringSchedulesInLine(temporal.client, QUEUE, { policies }, fixture.catalog);
  const describeOf = (id: string) => temporal.client.schedule.getHandle(id).describe();
  const startedOf = async (id: string) =>
    (await describeOf(id)).info.recentActions.map(({ scheduledAt }) => scheduledAt);

  it('are made, changed in place, and deleted; the same again changes nothing', async () => {
    const daily = policyOf('daily', 'every: 24h, retention: { keepLast: 3 }');
    assert.deepEqual(await bring([daily]), {
      added: ['backup/daily', 'retention/daily'],
      changed: [],
      removed: [],
    });
    assert.deepEqual(await bring([daily]), { added: [], changed: [], removed: [] });
    const { info } = await describeOf('backup/daily');

    const often = policyOf('daily', 'cron: "15 * * * *"');
    assert.deepEqual(await bring([often]), {
      added: [],
      changed: ['backup/daily'],
      removed: ['retention/daily'],
    });
    const changed = await describeOf('backup/daily');
    assert.deepEqual(changed.info.createdAt, info.createdAt, 'its past stays');
    assert.equal(changed.info.nextActionTimes[0]?.getUTCMinutes(), 15);
    assert.deepEqual(await bring([]), { added: [], changed: [], removed: ['backup/daily'] });
    await assert.rejects(describeOf('backup/daily'), /not found/i);
    const { items } = await fixture.catalog.audit.list({ subject: 'schedule/backup/daily' });
    assert.deepEqual(
      items.map(({ action }) => action),
      ['schedule.removed', 'schedule.changed', 'schedule.created'],
    );
  });

  it('of drills begin exactly when the house says, and go with their drill', async () => {
    const drill: Drill = {
      ...{ name: 'quarterly', scenario: 'siteLoss', policies: [], assets: [], classes: ['critical'] },
      ...{ from: 'offsite', select: { rule: 'latest' }, start: null, smoke: [], smokeSeconds: 300 },
      cadence: { kind: 'cron', expression: '0 3 1 */3 *' },
      objectives: { rtoSeconds: null, rpoSeconds: null },
    };
    const withDrills = (drills: Drill[]) =>
      bringSchedulesInLine(temporal.client, QUEUE, { policies: [], drills }, fixture.catalog);
    assert.deepEqual((await withDrills([drill])).added, ['drill/quarterly']);
    const { action, info, spec } = await describeOf('drill/quarterly');
    assert.equal(action.workflowType, 'drill');
    assert.equal((action.args?.[0] as { drill: string }).drill, 'quarterly');
    assert.ok(!spec.jitter, 'an auditor expects it at that time');
    const expected: Date[] = [];
    for (let at = new Date(); expected.length < 4; expected.push(at)) at = nextRun(drillRunOf(drill)!, at);
    assert.deepEqual(info.nextActionTimes.slice(0, 4), expected);
    assert.deepEqual((await withDrills([{ ...drill, cadence: null }])).removed, ['drill/quarterly']);
  });

  it('stand still while their policy is paused, with the reason', async () => {
    const hourly = policyOf('hourly', 'every: 1h');
    await bring([hourly]);
    await fixture.catalog.policyPauses.pause('hourly', 'the disk is full', '2026-11-21T10:00:00.000Z');
    assert.deepEqual((await bring([hourly])).changed, ['backup/hourly']);
    const { state } = await describeOf('backup/hourly');
    assert.equal(state.paused, true);
    assert.equal(state.note, 'the disk is full');
    await fixture.catalog.policyPauses.resume('hourly', 'a new disk', '2026-11-21T11:00:00.000Z');
    await bring([hourly]);
    assert.equal((await describeOf('backup/hourly')).state.paused, false);
    await bring([]);
  });

  it('come back when somebody deleted them in Temporal', async () => {
    const lost = policyOf('lost', 'every: 1h');
    await bring([lost]);
    await temporal.client.schedule.getHandle('backup/lost').delete();
    assert.deepEqual((await bring([lost])).added, [], 'the catalogue does not know');
    assert.deepEqual(await mendSchedules(temporal.client, QUEUE, { policies: [lost] }, fixture.catalog), [
      'backup/lost',
    ]);
    assert.equal((await describeOf('backup/lost')).action.workflowType, 'backup');
    assert.deepEqual(await mendSchedules(temporal.client, QUEUE, { policies: [lost] }, fixture.catalog), []);
    const { items } = await fixture.catalog.audit.list({ action: 'schedule.mended' });
    assert.deepEqual(
      items.map(({ subject }) => subject),
      ['schedule/backup/lost'],
    );
    await bring([]);
  });

  it('are put right once by workers that mend them at the same time (law 3)', async () => {
    const names = ['one', 'two', 'three', 'four', 'five', 'six'];
    const policies = names.map((name) => policyOf(`mended-${name}`, 'every: 1h, retention: { keepLast: 3 }'));
    const [edited, lost, ...untouched] = policies as [Policy, Policy, ...Policy[]];
    const unwanted = untouched.pop()!;
    await bring(policies);
    const ids = (some: Policy[]) => some.flatMap(({ name }) => [`backup/${name}`, `retention/${name}`]);
    const mend = (wanted: Policy[]) =>
      mendSchedules(temporal.client, QUEUE, { policies: wanted }, fixture.catalog);
    for (let round = 0; round < 5; round += 1) {
      const before = (await fixture.catalog.audit.list({ limit: 1 })).items[0]!.sequence;
      for (const id of ids([lost])) await temporal.client.schedule.getHandle(id).delete();
      for (const id of ids([edited]))
        await temporal.client.schedule
          .getHandle(id)
          .update(({ memo: _, ...schedule }) => ({ ...schedule, action: { ...schedule.action, memo: {} } }));
      const wanted = round === 0 ? [edited, lost, ...untouched] : policies;
      await Promise.all([mend(wanted), mend(wanted), mend(wanted)]);
      assert.deepEqual(await mend(wanted), [], 'they are as they were made');
      for (const id of ids(wanted)) assert.equal((await describeOf(id)).action.workflowType.length > 0, true);
      const { items } = await fixture.catalog.audit.list({ limit: 50 });
      const said = items.filter(({ sequence }) => sequence > before);
      const [mended, changed] = [true, false].map((mends) =>
        said
          .filter(({ action }) => (action === 'schedule.mended') === mends)
          .map(({ action, subject }) => `${action} ${subject}`)
          .sort(),
      );
      const moved = ids([unwanted]).map((id) => `schedule/${id}`);
      const expected = [
        moved.map((subject) => `schedule.removed ${subject}`),
        moved.map((subject) => `schedule.created ${subject}`),
      ];
      assert.deepEqual(changed, expected[round] ?? []);
      // Each worker that found it so says that it put it right.
      const bent = ids([edited, lost]).map((id) => `schedule.mended schedule/${id}`);
      assert.deepEqual([...new Set(mended)], bent.sort());
    }
    await bring([]);
  });

  it('come due when the next-run function says, whatever the cadence', async () => {
    const number = (max: number, min = 0) => fc.integer({ min, max }).map(String);
    const field = (max: number, min = 0) =>
      fc.oneof(
        fc.constant('*'),
        number(max, min),
        fc.integer({ min: 2, max: 7 }).map((step) => `*/${step}`),
        fc.uniqueArray(number(max, min), { minLength: 2, maxLength: 3 }).map((all) => all.join(',')),
      );
    const minutes = field(59);
    const hours = field(23);
    const cron = fc.oneof(
      fc.tuple(minutes, hours, field(28, 1)).map((fields) => `${fields.join(' ')} * *`),
      fc.tuple(minutes, hours, number(12, 1)).map(([m, h, month]) => `${m} ${h} 1 ${month} *`),
      fc.tuple(minutes, hours, field(6)).map(([m, h, day]) => `${m} ${h} * * ${day}`),
      fc.constantFrom('@hourly', '@daily', '@weekly', '@monthly', '@yearly'),
    );
    const cadences = [
      ...fc.sample(cron, { numRuns: 25, seed: 4 }).map((one) => `cron: "${one}"`),
      ...['1m', '7m', '90m', '24h', '7d', '3h17m'].map((one) => `every: ${one}`),
    ];
    const policies = cadences.map((cadence, index) => policyOf(`p${index}`, cadence));
    policies.push(
      policyOf('kept', 'every: 1h, window: { from: "03:30", to: "05:00" }, retention: { keepLast: 1 }'),
    );
    await bring(policies);
    for (const run of policies.flatMap(scheduledRunsOf)) {
      const { info } = await describeOf(run.id);
      const [first] = info.nextActionTimes;
      assert.ok(first, `${run.id} comes due`);
      let due = new Date(first.getTime() - 1000);
      for (const expected of info.nextActionTimes) {
        due = nextRun(run, due);
        assert.deepEqual(due, expected, JSON.stringify(run.cadence));
      }
    }
    await bring([]);
  });

  it('make up for one run after an outage across several due times, and go on', async () => {
    const busy: Policy = { ...policyOf('busy', 'every: 1m'), cadence: { kind: 'every', seconds: 4 } };
    await bring([busy]);
    await until('it ran', async () => (await startedOf('backup/busy')).length > 0);
    // Nobody works on the queue: the first run goes on, and what comes due meanwhile is left out.
    const [first] = (await describeOf('backup/busy')).info.runningActions;
    await temporal.client.workflow.getHandle(first!.workflow.workflowId).terminate();
    await temporal.stop();
    const stopped = Date.now();
    await pause(17_000);
    await temporal.startAgain();
    const began = Date.now();
    const since = async () =>
      (await startedOf('backup/busy')).filter((at) => at.getTime() > stopped && at.getTime() < began);
    await until('the missed run was made up for', async () => (await since()).length > 0);
    await until('it skipped what came after', async () => {
      const { info } = await describeOf('backup/busy');
      return info.numActionsSkippedOverlap > 0;
    });
    assert.equal((await since()).length, 1, 'one make-up run');
    await bring([]);
  });
});
