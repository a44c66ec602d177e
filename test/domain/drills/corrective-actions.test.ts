import assert from 'node:assert/strict';
import { withCorrectiveActions } from '../../../domain/drills/corrective-actions.ts';
import type { DrillRecord } from '../../../domain/evidence/record.ts';
import { drillRecord } from '../../../domain/evidence/record-schema.ts';
import { drilledAsset, drillRecordOf } from '../evidence/evidence-fixture.ts';

const lost = drilledAsset({ restored: false, integrity: null });
const failure = {
  ...{ asset: 'uploads', phase: 'restore', code: 'tool.failed', message: 'restic gave up', cause: '' },
  hint: 'mend it',
};
const actionsAfter = (changes: Partial<DrillRecord>) => {
  const whole = withCorrectiveActions(drillRecordOf(changes));
  assert.deepEqual(withCorrectiveActions(whole), whole, 'the same however often');
  return drillRecord.parse(whole).actions.map(({ id, what, owner }) => `${id} ${owner}: ${what}`);
};

describe('corrective actions', () => {
  it('are none after a drill that passed', () => {
    assert.deepEqual(actionsAfter({}), []);
  });

  it('are one for each failure, with its next step, and none for what only followed from it', () => {
    const smoke = [{ name: 'GET /health', ok: null, detail: 'uploads did not come back' }];
    const room = { ...failure, asset: null, phase: 'tearDown', hint: '', message: 'the room stayed' };
    assert.deepEqual(actionsAfter({ assets: [lost], failures: [failure, room], smoke }), [
      'a1 schedule: uploads: mend it',
      'a2 schedule: set right: the room stayed',
    ]);
  });

  it('belong to the owner of the drill, and are tested again by its name', () => {
    const drill = { ...drillRecordOf().drill, owner: 'anna' };
    const measured = { rtoSeconds: 20_000, rpoSeconds: 3600 };
    assert.match(actionsAfter({ drill, measured }).join(), /^a1 anna: come within the objective: RTO 5 h/);
    const { actions } = withCorrectiveActions(drillRecordOf({ drill, measured }));
    assert.equal(actions[0]?.retestBy, 'quarterly');
  });

  it('ask for what was not shown, where nothing failed', () => {
    const smoke = [{ name: 'GET /health', ok: null, detail: 'no time' }];
    assert.deepEqual(actionsAfter({ smoke }), [
      'a1 schedule: have it shown: not carried out: GET /health: no time',
    ]);
  });
});
