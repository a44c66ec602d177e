import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Deployment } from '../../activities/deployment.ts';
import { endDrill } from '../../activities/drills/drill-control.ts';
import { createEvidenceSteps } from '../../activities/drills/evidence-steps.ts';
import { sendMessage } from '../../activities/notify/send.ts';
import { openAuditKey } from '../../api/wiring/audit-key.ts';
import { openCatalog } from '../../catalog/index.ts';
import { drillServices } from '../../api/wiring/drills.ts';
import type { Parts } from '../../api/wiring/parts.ts';
import type { Drill } from '../../domain/configuration/drill-types.ts';
import type { DrillRecord } from '../../domain/evidence/record.ts';
import { watchIncidents } from '../../workers/watch-incidents.ts';
import {
  ntfyService,
  pagerDutyService,
  slackService,
  startReceiver,
  webhookService,
  type Alerts,
  type Receiver,
} from '../activities/notify/fake-receiver.ts';
import { aConfiguration, aJob, aPoint, withCatalog } from '../catalog/fixture.ts';
import { drilledAsset, drillRecordOf } from '../domain/evidence/evidence-fixture.ts';
import { startMailServer, subjectsOf, type MailServer } from '../fixtures/mail-server.ts';

const KEY = 'a-routing-key-of-32-characters-ab';
const told = { on: ['failure', 'drill', 'channel', 'recovery'] as const, severity: 'warning' as const };
const quarterly: Drill = {
  ...{ name: 'quarterly', scenario: 'siteLoss', policies: ['critical'], assets: [], classes: [] },
  ...{ from: 'offsite', select: { rule: 'latest' }, start: null, smoke: [], smokeSeconds: 300 },
  ...{ cadence: null, objectives: { rtoSeconds: null, rpoSeconds: null }, owner: 'anna', fourEyes: true },
};

describe('telling how a drill ended', () => {
  const fixture = withCatalog();
  const alerts: Alerts = { open: new Map() };
  let dataDir: string;
  let mail: MailServer;
  let receivers: { pager: Receiver; hook: Receiver; chat: Receiver; phone: Receiver };
  let now = new Date();
  let digest: string;
  const pointId = randomUUID();
  const shut: (() => Promise<unknown>)[] = [];
  const deployment = () => ({ catalog: fixture.catalog, dataDir, clock: () => now }) as Deployment;
  const drills = () => drillServices({ catalog: fixture.catalog, clock: () => now } as unknown as Parts);

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'holdfast-tell-'));
    await openAuditKey(dataDir, fixture.catalog);
    mail = await startMailServer();
    receivers = {
      pager: await startReceiver(pagerDutyService(KEY, alerts)),
      hook: await startReceiver(webhookService(KEY, () => now.getTime())),
      chat: await startReceiver(slackService('/services/drills')),
      phone: await startReceiver(ntfyService('drills', KEY)),
    };
    shut.push(mail.close, ...Object.values(receivers).map(({ close }) => close));
    const secret = (name: string, value: string) => {
      process.env[`TELL_${name}`] = value;
      return { kind: 'env' as const, name: `TELL_${name}` };
    };
    const base = { ...told, on: [...told.on], policies: [], remindEverySeconds: null };
    const { hook, chat, phone, pager } = receivers;
    const { configurations } = fixture.catalog;
    await configurations.apply(
      aConfiguration({
        drills: [quarterly],
        notifications: [
          {
            ...{ ...base, name: 'mail', type: 'smtp', from: 'holdfast@example.org' },
            ...{ to: ['ops@example.org'], url: secret('MAIL', mail.url) },
          },
          {
            ...{ ...base, name: 'hook', type: 'webhook', url: secret('HOOK', `${hook.url}/hooks`) },
            secret: secret('KEY', KEY),
          },
          { ...base, name: 'chat', type: 'slack', url: secret('CHAT', `${chat.url}/services/drills`) },
          {
            ...{ ...base, name: 'phone', type: 'ntfy', url: secret('PHONE', `${phone.url}/drills`) },
            token: secret('KEY', KEY),
          },
          {
            ...{ ...base, name: 'pager', on: ['page'], type: 'pagerduty', endpoint: pager.url },
            routingKey: secret('KEY', KEY),
          },
        ],
      }),
    );
    digest = (await configurations.current())?.digest ?? '';
    const takenAt = now.toISOString();
    await fixture.catalog.points.record(aPoint({ id: pointId, asset: 'uploads', takenAt }), null);
  });
  after(async () => {
    for (const close of shut) await close();
    await rm(dataDir, { recursive: true, force: true });
  });

  /** Its steps from the beginning to the end, the last one as often as said. Returns the drill's id. */
  async function hold(changes: Partial<DrillRecord> = {}, ends = 1): Promise<string> {
    now = new Date(now.getTime() + 60_000);
    const { catalog } = fixture;
    const id = randomUUID();
    const at = now.toISOString();
    await catalog.drills.begin({
      job: aJob({ id, workflowId: `drill/${id}`, type: 'drill', startedAt: at, assets: ['uploads'] }),
      ...{ drill: 'quarterly', scenario: 'siteLoss', repository: 'offsite' },
    });
    const retests = await catalog.drills.openActions('quarterly');
    const planned = drilledAsset();
    const assets = [{ ...planned, point: { ...planned.point!, id: pointId } }];
    const facts = { ...drillRecordOf({ assets }), startedAt: at, endedAt: at, operator: 'ben', ...changes };
    const drill = { ...facts.drill, id, retests, owner: 'anna' };
    const record = { ...facts, drill, configuration: { digest, policies: ['critical'] } };
    const ending = { record, actor: 'schedule' };
    const evidence = await createEvidenceSteps(deployment()).recordEvidence({ ...ending, folder: null });
    for (let end = 0; end < ends; end += 1)
      await endDrill(deployment(), { ...ending, drillId: id, evidence, error: null });
    return id;
  }

  async function look(secondsLater = 0): Promise<void> {
    now = new Date(now.getTime() + secondsLater * 1000);
    const { catalog } = fixture;
    await watchIncidents({ catalog, send: sendMessage, now: () => now, random: () => 0.5 });
  }

  const bodies = ({ received }: Receiver) =>
    received.splice(0).map(({ body }) => JSON.parse(body) as Record<string, never>);
  const emptied = () => {
    mail.mails.length = 0;
    for (const receiver of Object.values(receivers)) receiver.received.length = 0;
  };
  const tooSlow = { measured: { rtoSeconds: 20_000, rpoSeconds: 3600 } };
  let failedId: string;

  it('is one message to each channel that asks for drills, however often the drill is ended', async () => {
    const id = await hold({}, 3);
    await look();
    await look(15);
    assert.deepEqual(subjectsOf(mail.mails), [
      'drill quarterly passed: 1 of 1 assets back in 3 m 50 s (RTO 4h), newest data 1 h old (RPO 2h)',
    ]);
    const [text = ''] = mail.mails;
    assert.match(text, /filename=000001-quarterly-[0-9-]+\.json/);
    assert.match(text, /filename=000001-quarterly-[0-9-]+\.html/);
    const [hook, ...more] = bodies(receivers.hook);
    assert.equal(more.length, 0);
    assert.deepEqual([hook?.['type'], hook?.['incidents']], ['drill', []]);
    const { drill } = hook as unknown as { drill: Record<string, unknown> };
    assert.deepEqual([drill['id'], drill['outcome']], [id, 'passed']);
    const [chat] = bodies(receivers.chat);
    assert.match(String(chat?.['text']), /^\*drill quarterly passed: .*\*\n/);
    const [phone] = bodies(receivers.phone);
    assert.deepEqual([phone?.['priority'], phone?.['tags']], [3, ['white_check_mark']]);
    assert.equal(receivers.pager.received.length, 0);
  });

  it('and one page when it missed, which no channel with the result is told a second time', async () => {
    emptied();
    failedId = await hold(tooSlow);
    await look();
    await look(15);
    assert.deepEqual(
      [...alerts.open.values()],
      ['page: drill quarterly brought everything back, and missed an objective'],
    );
    assert.deepEqual(
      subjectsOf(mail.mails).map((subject) => subject.split(':')[0]),
      ['drill quarterly missed an objective'],
    );
    for (const receiver of Object.values(receivers)) assert.equal(receiver.received.length, 1);
    assert.equal(bodies(receivers.phone)[0]?.['priority'], 5);
  });

  it('until a drill of that name passes, which tests again what was to be set right', async () => {
    emptied();
    const id = await hold();
    await look(15);
    await look(400);
    assert.deepEqual([...alerts.open], []);
    assert.equal(mail.mails.length, 1);
    const { getDrill } = drills();
    const [failed, passed] = [await getDrill(failedId), await getDrill(id)];
    assert.deepEqual(
      failed.actions.map(({ id: action, owner }) => [action, owner]),
      [['a1', 'anna']],
    );
    assert.deepEqual(passed.retests, [{ drill: failedId, action: 'a1' }]);
    assert.deepEqual(failed.retestedBy, [{ drill: id, sequence: 3, outcome: 'passed' }]);
    assert.deepEqual(await fixture.catalog.drills.openActions('quarterly'), []);
  });

  it('waits for mail and pager that are down, and stands without them', async () => {
    emptied();
    mail.busy = true;
    receivers.pager.answer = (_, response) => void response.writeHead(503).end('oops');
    const id = await hold(tooSlow);
    for (const seconds of [0, 20, 40, 70]) await look(seconds);
    const held = await drills().getDrill(id);
    assert.deepEqual([held.outcome, held.status], ['missed', 'warning']);
    const open = (await fixture.catalog.incidents.list()).items.map(({ key }) => key).sort();
    assert.deepEqual(open, ['channel/mail', 'channel/pager', 'drill/quarterly']);
    assert.deepEqual(mail.mails, []);
    mail.busy = false;
    receivers.pager.answer = null;
    await look(600);
    await look(600);
    assert.deepEqual(
      subjectsOf(mail.mails)
        .filter((subject) => subject.startsWith('drill'))
        .map((subject) => subject.split(':')[0]),
      ['drill quarterly missed an objective'],
    );
    assert.equal(alerts.open.size, 1);
  });

  it('tells the incident instead where a result was refused for good', async () => {
    await hold();
    for (const seconds of [0, 400]) await look(seconds);
    emptied();
    receivers.hook.answer = ({ body }, response) =>
      void response.writeHead(body.includes('"type":"drill"') ? 422 : 204).end();
    await hold(tooSlow);
    for (const seconds of [0, 15, 15]) await look(seconds);
    receivers.hook.answer = null;
    const sent = bodies(receivers.hook).map(({ type, incidents }) => [type, ...keysOf(incidents)]);
    assert.deepEqual(sent[0], ['drill']);
    assert.equal(sent.filter((one) => one.includes('drill/quarterly')).length, 1);
    assert.equal(mail.mails.filter((text) => text.includes('drill/quarterly')).length, 0);
  });

  const keysOf = (incidents: unknown) => (incidents as { key: string }[]).map(({ key }) => key);

  it('says that one was due and not held, also after another configuration, until one is', async () => {
    // What was applied when is told by the catalogue's clock.
    const timed = await openCatalog({ url: fixture.applicationUrl, clock: () => now });
    shut.unshift(() => timed.close());
    const { configurations } = timed;
    const { configuration } = (await configurations.current())!;
    const often: Drill = { ...quarterly, cadence: { kind: 'every', seconds: 7200 } };
    const notHeld = async () =>
      (await fixture.catalog.incidents.list({ limit: 100 })).items.filter(({ key }) =>
        key.endsWith('/notHeld'),
      );
    await configurations.apply({ ...configuration, drills: [often, { ...often, name: 'canary' }] });
    await look();
    assert.deepEqual(await notHeld(), [], 'nothing was due before there was a cadence');
    await look(5 * 3600);
    assert.equal((await notHeld()).length, 2);
    assert.match((await notHeld())[0]?.reason ?? '', /none has begun since/);
    await configurations.apply({ ...configuration, drills: [{ ...often, owner: 'eve' }] });
    await look(600);
    assert.deepEqual(
      (await notHeld()).map(({ key }) => key),
      ['drill/quarterly/notHeld'],
    );
    await hold();
    await look(15);
    await look(400);
    assert.deepEqual(await notHeld(), []);
  });

  it('and its evidence is signed off once, by somebody who did not run it', async () => {
    const { approveDrill } = drills();
    const anna = { name: 'anna', role: 'operator' as const };
    const ben = { ...anna, name: 'ben' };
    await assert.rejects(approveDrill(ben, failedId, ''), { code: 'confirmation.missing' });
    const { approval } = await approveDrill(anna, failedId, 'seen');
    assert.deepEqual([approval?.by, approval?.note], ['anna', 'seen']);
    assert.deepEqual((await approveDrill(anna, failedId, 'again')).approval, approval);
    await assert.rejects(approveDrill({ ...anna, name: 'eve' }, failedId, ''), { code: 'request.conflict' });
    const { items } = await fixture.catalog.audit.list({ action: 'evidence.approved' });
    assert.deepEqual(
      items.map(({ actor, subject }) => [actor, subject]),
      [['anna', `drill/${failedId}`]],
    );
    const listed = (await fixture.catalog.evidence.list()).items;
    assert.deepEqual(
      listed.map((one) => one.approval?.by ?? null),
      [null, null, null, null, null, 'anna', null],
    );
    const change = "update evidence_approvals set approved_by = 'eve'";
    await assert.rejects(fixture.sql(change), /only ever added/);
  });
});
