import assert from 'node:assert/strict';
import { htmlOf, markdownOf } from '../../../domain/evidence/document.ts';
import { duesNotHeld } from '../../../domain/evidence/due.ts';
import { evidenceFiles, statementIn } from '../../../domain/evidence/files.ts';
import type { DrillRecord } from '../../../domain/evidence/record.ts';
import { reportDocument } from '../../../domain/evidence/render-report.ts';
import { controlReport } from '../../../domain/evidence/report.ts';
import { drilledAsset, drillRecordOf, newSigner, nth, series, sha256 } from './evidence-fixture.ts';

const signer = newSigner();
const statements = (...records: DrillRecord[]) =>
  series(records.map((record) => ({ record, signer }))).map(statementIn);
const now = new Date('2027-02-01T00:00:00Z');
const period = { from: '2026-10-01T00:00:00Z', to: '2027-01-01T00:00:00Z' };

describe('the report of a period', () => {
  const report = (records: DrillRecord[], due: { drill: string; dueAt: string }[] | null = null) =>
    controlReport({ period, statements: statements(...records), due }, now);
  const states = (...given: Parameters<typeof report>) =>
    Object.fromEntries(report(...given).controls.map(({ control, state }) => [control, state]));
  const missedDrill = nth(1, { measured: { rtoSeconds: 20_000, rpoSeconds: 1 } });

  it('shows each control by the drills that passed', () => {
    const { controls } = report([nth(1), nth(2)], [{ drill: 'quarterly', dueAt: '2026-11-01T03:00:00Z' }]);
    assert.equal(controls.length, 5);
    for (const { control, state, by, misses } of controls)
      assert.deepEqual([state, by, misses], ['shown', [1, 2], []], control);
  });

  it('shows nothing where no drill was held, and says that no schedule is known', () => {
    assert.deepEqual(new Set(Object.values(states([]))), new Set(['notShown']));
    const text = markdownOf(reportDocument(report([])));
    assert.match(text, /No schedule of drills is known/);
  });

  it('keeps a miss a miss, also after the retest that passed', () => {
    const retest = nth(5);
    retest.drill.retests = [{ drill: 'drill-1', action: 'a-1' }];
    const action = {
      id: 'a-1',
      what: 'faster line',
      owner: 'anna',
      dueAt: '2026-12-01T00:00:00Z',
      retestBy: 'quarterly',
    };
    const failing = { ...missedDrill, actions: [action] };
    const open = report([failing]);
    assert.deepEqual(
      open.openActions.map(({ action: id }) => id),
      ['a-1'],
    );
    assert.match(open.controls[1]?.misses.join() ?? '', /a-1 \(faster line\) was due/);
    const tested = report([failing, retest]);
    assert.deepEqual(tested.openActions, []);
    const [cis] = tested.controls;
    assert.equal(cis?.state, 'missed');
    assert.match(cis?.misses.join() ?? '', /number 1, quarterly: missed .*retested and passed in number 2/);
  });

  it('never counts what was inconclusive', () => {
    const unclear = nth(1, { assets: [drilledAsset({ integrity: null })] });
    assert.deepEqual(new Set(Object.values(states([unclear]))), new Set(['missed']));
    assert.deepEqual(report([unclear]).controls[0]?.by, []);
  });

  it('shows drills that were due and not held, and quarters without a pass', () => {
    const due = ['2026-10-05', '2026-11-01', '2026-12-05'].map((day) => ({
      ...{ drill: 'quarterly', dueAt: `${day}T03:00:00.000Z` },
    }));
    const { notHeld, controls } = report([nth(1)], due);
    assert.deepEqual(
      notHeld?.map(({ dueAt }) => dueAt.slice(0, 10)),
      ['2026-10-05', '2026-12-05'],
    );
    assert.match(controls[0]?.misses.join() ?? '', /quarterly was due 2026-10-05T03:00:00.000Z and not held/);
    assert.match(report([missedDrill]).controls[0]?.misses.join() ?? '', /no drill passed in 2026-Q4/);
  });

  it('takes a late drill for the one that was due, and nothing to come for a miss', () => {
    const late = nth(3);
    late.drill.dueAt = null;
    const due = [
      { drill: 'quarterly', dueAt: '2026-11-02T03:00:00.000Z' },
      { drill: 'quarterly', dueAt: '2026-11-09T03:00:00.000Z' },
    ];
    assert.deepEqual(duesNotHeld(due, statements(late), new Date('2026-11-09T04:00:00Z')), []);
    assert.deepEqual(duesNotHeld(due, statements(late), now), [due[1]]);
  });
});

describe('rendered evidence', () => {
  const [text = ''] = series([{ record: nth(1), signer }]);
  const [markdown, html] = evidenceFiles(text, sha256(text)).map((file) => file.text);

  it('reads the same from the same statement, and says what an auditor asks', () => {
    assert.equal(evidenceFiles(text, sha256(text))[0]?.text, markdown);
    for (const words of [
      '# Evidence 1: drill quarterly, 2026-11-01',
      '**PASSED: everything came back as it was, within its objectives**',
      '| RTO | 4 h (14400 s) | 3 m 50 s (230 s) |',
      '| uploads | noted | 12 | 4096 (4 KiB) | - | - | dddd',
      '| offsite | file:/media/escrow/offsite.key | escrow |',
      `SHA-256 ${sha256(text)}`,
    ]) {
      assert.ok(markdown?.includes(words), words);
    }
  });

  it('lets nothing of a record be markup, in neither form', () => {
    const nasty = '<script>alert(1)</script> | **bold** [a](javascript:x) `c`\n# head \u202egpj';
    const record = drillRecordOf({ operator: nasty, smoke: [{ name: nasty, ok: true, detail: nasty }] });
    const [envelope = ''] = series([{ record, signer }]);
    const [md = '', page = ''] = evidenceFiles(envelope, sha256(envelope)).map((file) => file.text);
    assert.ok(!page.includes('<script>') && page.includes('&lt;script&gt;'));
    assert.ok(!md.includes('<script>') && !md.includes('**bold**') && !md.includes('[a]('));
    assert.ok(!/^# head/m.test(md) && !md.includes('\u202e') && !page.includes('\u202e'));
    const rows = md.split('\n').filter((line) => line.startsWith('| operator'));
    assert.deepEqual(
      rows.map((row) => row.match(/(?<!\\)\|/g)?.length),
      [3],
    );
  });

  it('never shows what is no pass as one', () => {
    const record = drillRecordOf({ assets: [drilledAsset({ integrity: null })], production: [] });
    const [envelope = ''] = series([{ record, signer }]);
    const [md = '', page = ''] = evidenceFiles(envelope, sha256(envelope)).map((file) => file.text);
    assert.ok(!md.includes('PASSED') && md.includes('INCONCLUSIVE') && md.includes('NOT COMPARED'));
    assert.ok(!page.includes('class="verdict good"') && html?.includes('class="verdict good"'));
    assert.ok(htmlOf({ title: 't', blocks: [] }).includes("default-src 'none'"));
  });
});
