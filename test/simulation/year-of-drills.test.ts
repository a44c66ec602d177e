import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { sendMessage } from '../../activities/notify/send.ts';
import { openAuditKey, type AuditKey } from '../../api/wiring/audit-key.ts';
import { drillServices } from '../../api/wiring/drills.ts';
import { evidenceServices } from '../../api/wiring/evidence.ts';
import { migrateCatalog } from '../../catalog/index.ts';
import { signatures } from '../../cli/audit-file.ts';
import { verify } from '../../cli/evidence-verify.ts';
import { nextRun } from '../../domain/cadence/next-run.ts';
import { drillRunOf, scheduledRunsOf } from '../../domain/cadence/scheduled-runs.ts';
import type { EvidenceFile } from '../../domain/evidence/check.ts';
import { checkEvidenceSet } from '../../domain/evidence/check-set.ts';
import { markdownOf } from '../../domain/evidence/document.ts';
import { statementIn } from '../../domain/evidence/files.ts';
import { reportDocument } from '../../domain/evidence/render-report.ts';
import { watchIncidents } from '../../workers/watch-incidents.ts';
import {
  pagerDutyService,
  startReceiver,
  type Alerts,
  type Receiver,
} from '../activities/notify/fake-receiver.ts';
import { partsOf } from '../api/parts.ts';
import { APPLICATION_PASSWORD, newDatabase } from '../catalog/fixture.ts';
import { startMailServer, subjectsOf, type MailServer } from '../fixtures/mail-server.ts';
import { seeded } from '../fixtures/seeded.ts';
import { simulatedEstate, type Estate } from './simulated-estate.ts';

// A year in which a drill comes due each quarter by its own cadence, and one of the four is made to fail. The tests
// are the chapters of one story.

const FROM = new Date('2040-01-01T00:00:00Z');
const TO = new Date('2041-01-01T00:00:00Z');
const DUE = ['2040-01-01', '2040-04-01', '2040-07-01', '2040-10-01'].map((day) => `${day}T03:00:00.000Z`);
const SECOND = new Date(DUE[1]!);
const THIRD = new Date(DUE[2]!);
const ROUTING_KEY = 'routing-key-of-the-simulated-year';
const seed = Number(process.env['HOLDFAST_SIMULATION_SEED'] ?? 4);

const CONFIGURATION = `
version: 1
# Its loop is not among those played here.
controlPlane: { repositories: [] }
repositories:
  - { name: near, type: restic, url: "s3:https://near.example.org/near", password: "file:./near.key" }
  - { name: far, type: restic, url: "s3:https://far.example.org/far", password: "file:./far.key" }
assets:
  - { name: ledger, type: directory, path: /srv/ledger, class: critical, owner: bookkeeping }
  - { name: tree, type: directory, path: /srv/tree }
policies:
  - name: critical
    assets: [ledger, tree]
    cron: "30 2 1 */3 *"
    repository: near
    copies: [far]
    objectives: { rpo: 100d }
drills:
  - name: quarterly
    owner: platform team
    policies: [critical]
    from: far
    scenario: siteLoss
    cron: "0 3 1 */3 *"
    objectives: { rto: 4h, rpo: 1h }
    smoke: [{ command: ["true"] }]
notifications:
  - { name: ops, type: smtp, url: "env:YEAR_MAIL", to: [ops@example.org], remindEvery: 52w }
  - { name: pager, type: pagerduty, routingKey: "env:YEAR_KEY", endpoint: "PAGER" }
`;

describe(`a year of drills (HOLDFAST_SIMULATION_SEED=${seed})`, function () {
  this.timeout(10 * 60_000);
  const alerts: Alerts = { open: new Map() };
  let mail: MailServer;
  let pager: Receiver;
  let estate: Estate;
  let auditKey: AuditKey;
  let publicKey: string;
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-year-'));
    mail = await startMailServer();
    pager = await startReceiver(pagerDutyService(ROUTING_KEY, alerts));
    Object.assign(process.env, { YEAR_MAIL: mail.url, YEAR_KEY: ROUTING_KEY });
    const { url } = await migrateCatalog(await newDatabase(), { applicationPassword: APPLICATION_PASSWORD });
    estate = await simulatedEstate({
      catalogUrl: url,
      configuration: CONFIGURATION.replace('PAGER', pager.url),
      from: FROM,
      weather: () => undefined,
      fortune: {
        isMissing: () => false,
        // What the drill of April restores is not what was backed up.
        isWrong: (asset, now) => asset === 'ledger' && now >= SECOND && now < THIRD,
      },
      hostClockAhead: () => 0,
    });
    auditKey = await openAuditKey(estate.dataDir, estate.catalog);
    publicKey = join(folder, 'first.pub');
    const pem = `-----BEGIN PUBLIC KEY-----\n${auditKey.shown().publicKey}\n-----END PUBLIC KEY-----\n`;
    await writeFile(publicKey, pem);
  });
  after(async () => {
    await estate?.close();
    await pager?.close();
    await mail?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const parts = () => {
    const clock = () => estate.now();
    return { ...partsOf(estate.catalog, estate.environment.client), auditKey, clock };
  };
  const drills = async () => (await estate.catalog.drills.list({ limit: 100 })).items.toReversed();
  const pages = () =>
    pager.received.map(({ body }) => JSON.parse(body) as { event_action: string; dedup_key: string });

  async function look(secondsLater: number): Promise<void> {
    await estate.goTo(new Date(estate.now().getTime() + secondsLater * 1000));
    const now = estate.now();
    await watchIncidents({ catalog: estate.catalog, send: sendMessage, now: () => now, random: () => 0.5 });
  }

  it('holds four drills, each when its cadence says', async () => {
    const { configuration } = estate;
    const runs = [
      ...configuration.policies.flatMap(scheduledRunsOf),
      ...(configuration.drills ?? []).flatMap((drill) => drillRunOf(drill) ?? []),
    ];
    const begun: string[] = [];
    for (let last = FROM; ;) {
      const [run, at] = runs
        .map((one) => [one, nextRun(one, last)] as const)
        .reduce((first, other) => (other[1] < first[1] ? other : first));
      if (at > TO) break;
      await estate.goTo(at);
      if (run.kind === 'drill') begun.push(at.toISOString());
      await estate.run(run, at);
      await look(15);
      await look(600);
      last = at;
    }
    await estate.goTo(TO);
    assert.deepEqual(begun, DUE);
    const held = await drills();
    assert.deepEqual(
      held.map(({ record }) => record?.drill.dueAt),
      DUE,
    );
    assert.deepEqual(
      held.map(({ outcome }) => outcome),
      ['passed', 'failed', 'passed', 'passed'],
    );
  });

  it('mails each result once, and nothing else', () => {
    // How long a step takes is the machine's; a backup's point is as old as the drill is later.
    const figures = / in [\dms ]+ \(RTO 4h\), newest data [\dms ]+ old \(RPO 1h\)$/;
    const subjects = subjectsOf(mail.mails);
    for (const subject of subjects) assert.match(subject, figures);
    assert.deepEqual(
      subjects.map((subject) => subject.replace(figures, '')),
      [
        'drill quarterly passed: 2 of 2 assets back',
        'drill quarterly FAILED: 1 of 2 assets back',
        'drill quarterly passed: 2 of 2 assets back',
        'drill quarterly passed: 2 of 2 assets back',
      ],
    );
  });

  it('pages once for the one that failed, until the next one passes', async () => {
    assert.deepEqual(
      pages().map(({ event_action: action }) => action),
      ['trigger', 'resolve'],
    );
    assert.equal(new Set(pages().map(({ dedup_key: key }) => key)).size, 1);
    assert.deepEqual([...alerts.open], []);
    const [incident, ...others] = (await estate.catalog.incidents.list({ all: true })).items;
    assert.equal(others.length, 0);
    assert.equal(incident?.key, 'drill/quarterly');
    assert.equal(incident?.openedAt.slice(0, 10), '2040-04-01');
    assert.equal(incident?.resolvedAt?.slice(0, 10), '2040-07-01');
  });

  it('links the retest to what it tests again, in the signed evidence', async () => {
    const [, failed, retest, last] = await drills();
    const record = async (id: string) =>
      statementIn((await estate.catalog.evidence.find(id)).envelope).predicate.record;
    const { actions, assets } = await record(failed!.id);
    assert.ok(actions.length > 0);
    for (const { owner, retestBy } of actions)
      assert.deepEqual([owner, retestBy], ['platform team', 'quarterly']);
    assert.equal(assets[0]?.owner, 'bookkeeping');
    assert.deepEqual(
      (await record(retest!.id)).drill.retests,
      actions.map(({ id }) => ({ drill: failed!.id, action: id })),
    );
    assert.deepEqual((await record(last!.id)).drill.retests, []);
    assert.deepEqual(failed!.retestedBy, [{ drill: retest!.id, sequence: 3, outcome: 'passed' }]);
  });

  async function exported(): Promise<EvidenceFile[]> {
    const files: EvidenceFile[] = [];
    const auditor = { name: 'auditor', role: 'viewer' } as const;
    const everything = { from: null, to: null };
    for await (const file of evidenceServices(parts()).exportEvidence(auditor, everything)) files.push(file);
    return files;
  }

  it('leaves evidence that verifies offline with the public key alone', async () => {
    const at = join(folder, 'exported.d');
    await mkdir(at);
    const files = await exported();
    for (const { name, text } of files) await writeFile(join(at, name), text);
    assert.equal(files.length, 4 * 3 + 1);
    const outcome = await verify([at], { publicKey });
    assert.equal(outcome.error, undefined, JSON.stringify(outcome.error));
    for (const { evidence } of await drills()) {
      assert.equal(dirname(evidence!), join(estate.dataDir, 'evidence'));
      assert.ok(files.some(({ name }) => name === basename(evidence!)));
    }
  });

  it('of which every altered copy is found', async () => {
    const files = await exported();
    const trusted = auditKey.shown().publicKey;
    const isFound = (altered: EvidenceFile[]) =>
      !checkEvidenceSet({ files: altered, whole: true }, signatures, { trusted, audit: null }).ok;
    assert.ok(!isFound(files), 'unaltered');
    const random = seeded(seed);
    const any = (below: number) => Math.floor(random() * below);
    const replaced = (index: number, text: string) =>
      files.map((file, place) => (place === index ? { ...file, text } : file));
    for (const [index, { name, text }] of files.entries()) {
      for (let count = 0; count < 6; count += 1) {
        const at = any(text.length);
        const other = text[at] === 'x' ? 'y' : 'x';
        const altered = `${text.slice(0, at)}${other}${text.slice(at + 1)}`;
        assert.ok(isFound(replaced(index, altered)), `${name}: ${text[at]} at ${at} made ${other}`);
      }
      assert.ok(isFound(replaced(index, text.slice(0, any(text.length)))), `${name} cut short`);
      const isManifest = index === files.length - 1;
      assert.ok(
        isFound(files.toSpliced(index, 1)),
        `${name} taken out${isManifest ? ': nothing bounds it' : ''}`,
      );
      const next = (index + 3) % (files.length - 1);
      if (!isManifest)
        assert.ok(isFound(replaced(index, files[next]!.text)), `${name} replaced by ${files[next]!.name}`);
    }
  });

  it('and a report of the year that shows the miss as one, its retest, and who signed it off', async () => {
    const [, failed] = await drills();
    const anna = { name: 'anna', role: 'operator' } as const;
    await drillServices(parts()).approveDrill(anna, failed!.id, 'the array was replaced');
    const period = { from: FROM.toISOString(), to: TO.toISOString() };
    const report = await evidenceServices(parts()).reportEvidence(period);
    assert.equal(report.drills.length, 4);
    assert.deepEqual([report.notHeld, report.openActions], [[], []]);
    assert.deepEqual(
      report.drills.map(({ retestedBy, approval }) => [retestedBy, approval?.by ?? null]),
      [
        [null, null],
        [3, 'anna'],
        [null, null],
        [null, null],
      ],
    );
    const [cis] = report.controls;
    assert.equal(cis?.state, 'missed');
    assert.match(cis?.misses.join() ?? '', /number 2, quarterly: failed .*retested and passed in number 3/);
    assert.match(cis?.misses.join() ?? '', /no drill passed in 2040-Q2/);
    const text = markdownOf(reportDocument(report));
    assert.match(
      text,
      /\| 2 \| quarterly \(siteLoss from far\) .*FAILED.*\| number 3: passed \| anna on 2041-01-01/,
    );
  });
});
