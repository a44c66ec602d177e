import assert from 'node:assert/strict';
import { outdatedKit } from '../../../domain/incidents/outdated-kit.ts';

describe('an outdated recovery kit', () => {
  const kit = { writtenAt: '2026-11-20T02:00:00Z', folder: '/kit', confirmed: true, outdatedAt: null };
  const after = (days: number) => new Date(Date.parse(kit.writtenAt) + days * 86_400_000);

  it('is nothing wrong where there is none, or the newest was confirmed', () => {
    assert.deepEqual(outdatedKit(null, after(9)), []);
    assert.deepEqual(outdatedKit(kit, after(9)), []);
  });

  it('is told where one is configured and the first was not written within moments', () => {
    const never = { writtenAt: null, configuredAt: kit.writtenAt };
    assert.deepEqual(outdatedKit(never, after(0)), []);
    const [young] = outdatedKit(never, after(0.1));
    const [old] = outdatedKit(never, after(3));
    assert.deepEqual([young?.severity, old?.severity], ['info', 'warning']);
    assert.equal(young?.key, 'kit/outdated');
    assert.match(`${young?.title} ${young?.next}`, /never written.*kit export/);
  });

  it('is told until the new copies are confirmed, and more gravely after three days', () => {
    const [young] = outdatedKit({ ...kit, confirmed: false }, after(1));
    const [old] = outdatedKit({ ...kit, confirmed: false }, after(3));
    assert.deepEqual([young?.severity, old?.severity], ['info', 'warning']);
    assert.equal(young?.key, old?.key);
    assert.match(young?.next ?? '', /\/kit.*kit confirm/);
  });

  it('is told although it was confirmed once what it says is not true any more', () => {
    const [told] = outdatedKit({ ...kit, outdatedAt: '2026-11-21T02:00:00Z' }, after(2));
    assert.equal(told?.severity, 'info');
    assert.match(told?.next ?? '', /kit export/);
  });
});
