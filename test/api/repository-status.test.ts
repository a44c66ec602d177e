import assert from 'node:assert/strict';
import { repositoryStatus } from '../../api/wiring/repository-status.ts';
import { createControlSteps } from '../../activities/control-steps.ts';
import type { Deployment } from '../../activities/deployment.ts';
import { repositoryNotes } from '../../cli/repository-text.ts';
import type { Configuration } from '../../domain/configuration/types.ts';
import { aConfiguration, aJob, withCatalog } from '../catalog/fixture.ts';

describe('the status of a repository', () => {
  const fixture = withCatalog();
  const now = new Date('2026-11-20T20:00:00Z');
  const MiB = 2 ** 20;
  let configuration: Configuration;
  before(async () => {
    const { repositories, ...rest } = aConfiguration();
    configuration = {
      ...rest,
      repositories: repositories.map((repository) => ({
        ...repository,
        limits: { uploadBytesPerSecond: null, dailyUpload: { bytes: 100 * MiB, resetSeconds: 7200 } },
        headroom: { highPercent: 90, lowPercent: 80, capacityBytes: null },
      })),
    };
    await fixture.catalog.configurations.apply(configuration);
    await fixture.catalog.repositories.markInitialised('local', now.toISOString());
  });
  const look = async (name: string) => {
    const found = (await repositoryStatus(fixture.catalog, configuration, new Map(), now)).find(
      (one) => one.name === name,
    );
    assert.ok(found);
    return found;
  };
  const measured = (percent: number, watermark: 'normal' | 'high') =>
    fixture.catalog.rooms.note(
      'local',
      { usedBytes: percent * MiB, capacityBytes: 100 * MiB, freeBytes: (100 - percent) * MiB, watermark },
      now.toISOString(),
    );

  it('has no figures before anything was measured', async () => {
    assert.deepEqual(await look('offsite'), {
      name: 'offsite',
      type: 'restic',
      health: 'unknown',
      oldestUnread: null,
      reason: 'nothing was stored in it yet',
      usedBytes: null,
      capacityBytes: null,
      freeBytes: null,
      watermark: 'normal',
      uploadedToday: 0,
      dailyUpload: 100 * MiB,
      resetsAt: '2026-11-21T02:00:00.000Z',
      waiting: [],
    });
  });

  it('is critical above the high watermark, with the reason', async () => {
    await measured(85, 'normal');
    const well = await look('local');
    assert.deepEqual([well.health, well.usedBytes, well.freeBytes], ['ok', 85 * MiB, 15 * MiB]);
    assert.deepEqual(repositoryNotes([well], now), ['local is 85 % (85 MiB of 100 MiB) full']);
    await measured(92, 'high');
    const full = await look('local');
    assert.deepEqual([full.health, full.watermark], ['critical', 'high']);
    assert.match(full.reason, /above its high watermark, 92 % used .* until it is below 80 %/);
    assert.deepEqual(repositoryNotes([full], now), []);
    await measured(50, 'normal');
    assert.deepEqual(repositoryNotes([await look('local')], now), []);
  });

  it('says who waits for its budget, and the log of the waiting job which run it kept from beginning', async () => {
    const { jobs, uploads, jobEvents } = fixture.catalog;
    const sender = await jobs.begin(aJob());
    const attempt = {
      run: sender.id,
      asset: 'orders',
      repository: 'local',
      step: 'store',
      attempt: 1,
    } as const;
    const at = '2026-11-20T10:00:00.000Z';
    await uploads.begin(attempt, at);
    await uploads.end(attempt, { bytes: 95 * MiB, measured: 'sent', at });
    const waiter = await jobs.begin(aJob({ policy: 'critical' }));
    await jobs.setAsset(waiter.id, 'orders', { status: 'running' });
    const wanted = { budget: { bytes: 100 * MiB, resetSeconds: 7200 }, expected: 10 * MiB };
    await uploads.reserve({ jobId: waiter.id, asset: 'orders', repository: 'local' }, wanted, now);

    const local = await look('local');
    assert.equal(local.health, 'warning');
    assert.equal(
      local.reason,
      'orders wait for its upload budget, 95 MiB of 100 MiB were sent today; they go on at 2026-11-21T02:00:00.000Z',
    );
    const until = '2026-11-21T02:00:00.000Z';
    assert.deepEqual(local.waiting, [{ jobId: waiter.id, asset: 'orders', expectedBytes: 10 * MiB, until }]);
    assert.match(
      repositoryNotes([local], now).join(),
      /was sent 95 % \(95 MiB of 100 MiB\) of its daily upload/,
    );

    const steps = createControlSteps({
      catalog: fixture.catalog,
      hostQueue: 'host',
      clock: () => now,
    } as Deployment);
    const plan = await steps.beginJob({
      jobId: '6f5b1ae0-0000-4000-8000-000000000001',
      workflowId: 'backup/critical-later',
      type: 'backup',
      policy: 'critical',
      trigger: 'schedule',
      actor: 'schedule',
      assets: [],
    });
    assert.equal(plan.refused?.code, 'request.conflict');
    const { items } = await jobEvents.list(waiter.id);
    assert.equal(
      items.at(-1)?.message,
      'the next run (backup/critical-later) was skipped: this job is still waiting',
    );
  });
});
