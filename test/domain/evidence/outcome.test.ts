import assert from 'node:assert/strict';
import { verdictOf } from '../../../domain/evidence/outcome.ts';
import type { DrilledAsset, DrillRecord } from '../../../domain/evidence/record.ts';
import { drilledAsset, drillRecordOf } from './evidence-fixture.ts';

describe('the verdict on a drill', () => {
  const outcome = (changes: Partial<DrillRecord>) => verdictOf(drillRecordOf(changes)).outcome;
  const ofAsset = (changes: Partial<DrilledAsset>) => outcome({ assets: [drilledAsset(changes)] });
  const { integrity } = drilledAsset();
  const figures = integrity!.expected;

  it('is passed when all came back, was compared, and is within its objectives', () => {
    assert.deepEqual(verdictOf(drillRecordOf()), { outcome: 'passed', reasons: [] });
    assert.equal(outcome({ measured: { rtoSeconds: 14_400, rpoSeconds: 7200 } }), 'passed', 'to the second');
    const isolated = { asset: 'uploads', method: 'notAccessible' as const, why: 'another network' };
    assert.equal(outcome({ production: [isolated] }), 'passed');
  });

  it('is missed when an objective is, by however little, and says both figures', () => {
    const { outcome: missed, reasons } = verdictOf(
      drillRecordOf({ measured: { rtoSeconds: 14_401, rpoSeconds: 3600 } }),
    );
    assert.equal(missed, 'missed');
    assert.deepEqual(
      reasons.map(({ what }) => what),
      ['RTO 4 h (14401 s), objective 4 h (14400 s)'],
    );
    assert.equal(ofAsset({ rpo: { objectiveSeconds: 60, achievedSeconds: 61 } }), 'missed');
  });

  it('is inconclusive when anything was not measured, compared or carried out', () => {
    const cases: [string, string][] = [
      ['no asset', outcome({ assets: [] })],
      ['no RTO', outcome({ measured: { rtoSeconds: null, rpoSeconds: 1 } })],
      ['no comparison', ofAsset({ integrity: null })],
      ['nothing noted', ofAsset({ integrity: { expected: NONE, restored: figures, differences: [] } })],
      ['nothing counted', ofAsset({ integrity: { expected: figures, restored: NONE, differences: [] } })],
      ['a check left out', ofAsset({ checks: [{ name: 'sql', ok: null, detail: '' }] })],
      ['a smoke test left out', outcome({ smoke: [{ name: 'http', ok: null, detail: '' }] })],
      ['production not looked at', outcome({ production: [] })],
    ];
    for (const [what, is] of cases) assert.equal(is, 'inconclusive', what);
  });

  it('is failed when something did not come back as it was, whatever else holds', () => {
    const failure = { asset: null, phase: 'restore', code: 'x', message: 'broke', cause: '', hint: '' };
    const digests = { asset: 'uploads', method: 'digests' as const, before: 'a', after: 'b' };
    const cases: [string, string][] = [
      ['a failure', outcome({ failures: [failure], measured: { rtoSeconds: null, rpoSeconds: null } })],
      ['no point', ofAsset({ point: null })],
      ['not restored', ofAsset({ restored: false })],
      [
        'rows lost',
        ofAsset({ integrity: { expected: figures, restored: { ...figures, files: 11 }, differences: [] } }),
      ],
      [
        'a difference',
        ofAsset({ integrity: { expected: figures, restored: figures, differences: ['a.txt'] } }),
      ],
      ['a failed check', ofAsset({ checks: [{ name: 'sql', ok: false, detail: '0 rows' }] })],
      ['production touched', outcome({ production: [digests] })],
    ];
    for (const [what, is] of cases) assert.equal(is, 'failed', what);
  });
});

const NONE = { files: null, bytes: null, digest: null, tables: null, rows: null };
