import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Deployment } from '../../activities/deployment.ts';
import { createEvidenceSteps } from '../../activities/drills/evidence-steps.ts';
import { openAuditKey } from '../../api/wiring/audit-key.ts';
import { evidenceServices } from '../../api/wiring/evidence.ts';
import type { Parts } from '../../api/wiring/parts.ts';
import { checkEvidenceSet } from '../../domain/evidence/check-set.ts';
import type { EvidenceFile } from '../../domain/evidence/check.ts';
import type { DrillRecord } from '../../domain/evidence/record.ts';
import { nth, signatures } from '../domain/evidence/evidence-fixture.ts';
import { runSql, withCatalog } from './fixture.ts';

describe('evidence in the catalogue', () => {
  const fixture = withCatalog();
  let dataDir: string;
  let firstKey: string;
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'holdfast-evidence-'));
  });
  after(() => rm(dataDir, { recursive: true }));

  const steps = (from = dataDir) =>
    createEvidenceSteps({
      ...({ catalog: fixture.catalog, dataDir: from } as Deployment),
      clock: () => new Date('2026-11-21T04:00:00Z'),
    });
  const record = (of: DrillRecord) => steps().recordEvidence({ record: of, folder: null, actor: 'worker' });
  const events = async () =>
    (await fixture.catalog.audit.list({ action: 'evidence.recorded' })).items.reverse();
  const all = async () => (await fixture.catalog.evidence.list()).items.reverse();

  async function exported(): Promise<EvidenceFile[]> {
    const parts = { catalog: fixture.catalog, auditKey: await openAuditKey(dataDir, fixture.catalog) };
    const { exportEvidence } = evidenceServices(parts as unknown as Parts);
    const files: EvidenceFile[] = [];
    for await (const file of exportEvidence({ name: 'anna', role: 'viewer' }, { from: null, to: null }))
      files.push(file);
    return files;
  }

  it('is not made where the key is not, and the words say so', async () => {
    await assert.rejects(record(nth(1)), /signing the evidence of a drill failed/);
    assert.deepEqual(await all(), []);
    firstKey = (await openAuditKey(dataDir, fixture.catalog)).shown().publicKey;
  });

  it('is signed, recorded once with its event, and written as files', async () => {
    const made = await record(nth(1));
    assert.deepEqual([made.sequence, made.outcome], [1, 'passed']);
    assert.deepEqual(await record(nth(1)), made, 'a second time');
    const [event] = await events();
    assert.equal((await events()).length, 1);
    assert.deepEqual(
      [event?.actor, event?.subject, event?.details['digest'], event?.details['outcome']],
      ['worker', 'drill/drill-1', made.digest, 'passed'],
    );
    const names = ['000001-quarterly-2026-11-01'].flatMap((name) => [
      `${name}.html`,
      `${name}.json`,
      `${name}.md`,
    ]);
    assert.deepEqual((await readdir(join(dataDir, 'evidence'))).sort(), names);
    const text = await readFile(made.path, 'utf8');
    assert.equal(signatures.sha256(text), made.digest);
    assert.equal((await fixture.catalog.evidence.find('drill-1')).envelope, text);
    assert.equal((await fixture.catalog.evidence.find('1')).drillId, 'drill-1');
    await assert.rejects(fixture.catalog.evidence.find('drill-9'), { code: 'notFound' });
  });

  it('follows one another, also when several are recorded at once and over a rotation', async () => {
    await Promise.all([
      record(nth(2)),
      record(nth(3)),
      record(nth(4, { smoke: [{ name: 'x', ok: null, detail: '' }] })),
    ]);
    await (await openAuditKey(dataDir, fixture.catalog)).rotate('anna', 'yearly');
    await record(nth(5));
    const entries = await all();
    assert.deepEqual(
      entries.map(({ sequence }) => sequence),
      [1, 2, 3, 4, 5],
    );
    for (const [index, { previous }] of entries.entries())
      assert.equal(previous, entries[index - 1]?.digest ?? '0'.repeat(64));
    assert.equal(new Set(entries.map(({ keyId }) => keyId)).size, 2);
    assert.equal(entries.find(({ drillId }) => drillId === 'drill-4')?.outcome, 'inconclusive');
    assert.equal((await fixture.catalog.audit.verify()).ok, true);
  });

  it('leaves as an export that the first public key is enough for, and the chain knows', async () => {
    const files = await exported();
    const audit = [];
    for await (const event of fixture.catalog.audit.stream()) audit.push(event);
    const report = checkEvidenceSet({ files, whole: true }, signatures, { trusted: firstKey, audit });
    assert.deepEqual([report.problems, report.items.length], [[], 5]);
    assert.deepEqual(new Set(report.items.map(({ keyKnown }) => keyKnown)), new Set(['given']));
  });

  it('is found by drill and period, in pages', async () => {
    const { evidence } = fixture.catalog;
    const period = { from: '2026-11-02T00:00:00Z', to: '2026-11-04T00:00:00Z' };
    const found = (await evidence.list(period)).items.map(({ endedAt }) => endedAt.slice(0, 10));
    assert.deepEqual(found.sort(), ['2026-11-02', '2026-11-03']);
    assert.deepEqual((await evidence.list({ drill: 'canary' })).items, []);
    const page = await evidence.list({ limit: 2 });
    assert.deepEqual(
      page.items.map(({ sequence }) => sequence),
      [5, 4],
    );
    const next = await evidence.list({ limit: 2, cursor: page.next });
    assert.deepEqual(
      next.items.map(({ sequence }) => sequence),
      [3, 2],
    );
  });

  it('cannot be changed or removed, not even by the owner, nor put in between', async () => {
    const change = ["update evidence set outcome = 'passed'", 'delete from evidence', 'truncate evidence'];
    for (const url of [fixture.applicationUrl, fixture.ownerUrl])
      for (const text of change)
        await assert.rejects(runSql(url, text), /refused|permission denied|foreign key/, text);
    const copy = `insert into evidence select 9, 'x', drill, scenario, outcome, started_at, ended_at, recorded_at,
      'p', 'd', key_id, envelope from evidence where sequence = 1`;
    await assert.rejects(runSql(fixture.applicationUrl, copy), /does not follow/);
    assert.equal((await all()).length, 5);
  });

  it('is refused when it names another end, or a key not in force', async () => {
    const { envelope } = await fixture.catalog.evidence.find('3');
    const again = envelope.replace('}', '} ');
    await assert.rejects(fixture.catalog.evidence.record(again), { code: 'internal' });
    const elsewhere = await mkdtemp(join(tmpdir(), 'holdfast-evidence-'));
    const silent = Object.create(fixture.catalog, {
      audit: { value: { ...fixture.catalog.audit, append: async () => undefined } },
    }) as typeof fixture.catalog;
    await openAuditKey(elsewhere, silent);
    const stale = steps(elsewhere).recordEvidence({ record: nth(6), folder: null, actor: 'worker' });
    await assert.rejects(stale, /the evidence was not recorded/);
    assert.equal((await all()).length, 5);
    await rm(elsewhere, { recursive: true });
  });
});
