import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { LeaseState } from '../../domain/lease.ts';
import {
  askForLease,
  commit,
  leaseHolders,
  leaseWorkflowId,
  type RestoreInput,
} from '../../workflows/messages.ts';
import { failWith, gate, planned, QUEUE, type Script } from './steps-double.ts';
import { freshClock, play, playsLeases, timeSkippingServer, until, type Run } from './time-skipping.ts';

describe('leases on repositories, between workflows', function () {
  this.timeout(180_000);
  beforeEach(freshClock);

  /** Jobs that ask the real queue of one repository, which nobody else uses. */
  function repository() {
    const name = `depot-${randomUUID().slice(0, 8)}`;
    const queue = playsLeases(name);
    const asking: Script = {
      beginJob: planned({ repository: name }),
      askForLease: async ({ repository: at, ...request }) => {
        const { client } = await timeSkippingServer();
        await client.workflow.signalWithStart('lease', {
          workflowId: leaseWorkflowId(at),
          taskQueue: QUEUE,
          args: [{ repository: at }],
          signal: askForLease,
          signalArgs: [request],
        });
      },
    };
    const job = { policy: 'critical', actor: 'tester' };
    const order: RestoreInput = {
      ...{
        restoreId: 'r-1',
        asset: 'orders',
        point: 'latest',
        time: null,
        include: [],
        to: null,
        from: null,
      },
      ...{ actor: 'tester', expirySeconds: 3600 },
    };
    const beginRestore: Script['beginRestore'] = async ({ restoreId, asset, include, to }) => ({
      ...{ restoreId, configuration: 'digest', asset, point: 'point-1', include, to, bytes: 1 },
      ...{ repository: name, safetyRepository: name, hostQueue: QUEUE },
    });
    return {
      name,
      queue,
      backup: (script: Script = {}) => play('backup', job, { ...asking, ...script }),
      retention: (script: Script = {}) => play('retention', job, { ...asking, ...script }),
      restore: (script: Script = {}) => play('restore', order, { ...asking, beginRestore, ...script }),
      async holders(): Promise<LeaseState> {
        const { client } = await timeSkippingServer();
        return client.workflow.getHandle(leaseWorkflowId(name)).query(leaseHolders);
      },
    };
  }
  const storing = (run: Run) => until('it stores', () => run.of('snapshotAsset').length > 0);
  const wentIn = (run: Run) =>
    run.calls.some(({ name }) => name === 'planRetention' || name === 'snapshotAsset');

  it('a prune waits for a backup, a later backup for the prune, and each says for whom', async () => {
    const depot = repository();
    const [first, prune] = [gate(), gate()];
    const stored = { bytes: 1, addedBytes: 1, partial: null };
    const one = await depot.backup({ snapshotAsset: () => first.wait().then(() => stored) });
    await storing(one);
    const retention = await depot.retention({
      pruneRepository: () => prune.wait().then(() => ({ freedBytes: 1, remainingBytes: 1 })),
    });
    await until('the prune waits', async () => (await depot.holders()).waiting.length === 1);
    const two = await depot.backup();
    await until('the second backup waits', async () => (await depot.holders()).waiting.length === 2);
    await until('it knows for whom', async () => (await two.phase()).includes(retention.handle.workflowId));
    assert.equal(await retention.phase(), `waiting for ${depot.name}, which ${one.handle.workflowId} has`);
    assert.equal(wentIn(retention) || wentIn(two), false);

    first.open();
    await until('the prune has it', () => retention.of('pruneRepository').length > 0);
    assert.equal(wentIn(two), false, 'a backup went in beside the prune');
    prune.open();
    const fences = (run: Run) => run.of('snapshotAsset')[0]?.input.fences;
    for (const run of [one, retention, two]) {
      assert.equal((await run.ending<{ status: string }>()) === 'cancelled', false);
    }
    assert.deepEqual(
      depot.queue.of('recordLease').map(({ input }) => input.after),
      [0, 1, 2],
    );
    assert.deepEqual(
      [fences(one), fences(two)],
      [1, 3].map((fence) => [{ repository: depot.name, fence }]),
      'what they show before they take anything away',
    );
    assert.deepEqual((await depot.holders()).held, []);
  });

  it('a restore goes past a prune that waits for a backup, and the next one not, once the backup is done', async () => {
    const depot = repository();
    const [stores, stages] = [gate(), gate()];
    const backup = await depot.backup({
      snapshotAsset: () => stores.wait().then(() => ({ bytes: 1, addedBytes: 1, partial: null })),
    });
    await storing(backup);
    const retention = await depot.retention();
    await until('the prune waits', async () => (await depot.holders()).waiting.length === 1);
    const first = await depot.restore({ stageRestore: () => stages.wait().then(() => undefined) });
    await until('it stages', () => first.of('stageRestore').length > 0);
    const { held, waiting } = await depot.holders();
    assert.deepEqual([held.length, waiting.length, wentIn(retention)], [2, 1, false]);
    const own = held.find(({ holder }) => holder === first.handle.workflowId);
    assert.deepEqual(first.of('stageRestore')[0]?.input.fences, [
      { repository: depot.name, fence: own?.fence },
    ]);

    stores.open();
    await until('the backup is done', async () => (await depot.holders()).held.length === 1);
    const second = await depot.restore();
    await until('the second waits', async () => (await depot.holders()).waiting.length === 2);
    assert.equal(second.of('stageRestore').length, 0, 'the prune is put off for ever');
    stages.open();
    await until('the second stages', () => second.of('stageRestore').length > 0);
    assert.ok(retention.of('checkRepository').length > 0, 'the prune came first');
    for (const run of [backup, retention]) await run.ending();
    for (const run of [first, second]) {
      await run.cancel();
      await run.ending();
    }
  });

  it('a commit waits for a prune before it stops anything, and has the lease until its safety point is taken', async () => {
    const depot = repository();
    const [prunes, keeps] = [gate(), gate()];
    const restore = await depot.restore({ takeSafetyPoint: () => keeps.wait().then(() => 'point-2') });
    await until('it is prepared', async () => (await restore.phase()) === 'prepared');
    const retention = await depot.retention({
      pruneRepository: () => prunes.wait().then(() => ({ freedBytes: 1, remainingBytes: 1 })),
    });
    await until('it prunes', () => retention.of('pruneRepository').length > 0);
    await restore.handle.executeUpdate(commit);
    const words = `committing, waiting for ${depot.name}, which ${retention.handle.workflowId} has`;
    await until('the commit waits', async () => (await restore.phase()) === words);
    assert.equal(restore.of('runRestoreCommands').length, 0, 'the services stand still behind a prune');

    prunes.open();
    await until('it takes the safety point', () => restore.of('takeSafetyPoint').length > 0);
    const { held } = await depot.holders();
    assert.deepEqual(
      held.map(({ holder, mode }) => [holder, mode]),
      [[restore.handle.workflowId, 'shared']],
    );
    assert.deepEqual(restore.of('takeSafetyPoint')[0]?.input.fences, [
      { repository: depot.name, fence: held[0]?.fence },
    ]);
    keeps.open();
    await restore.ending();
    assert.deepEqual((await depot.holders()).held, []);
    await retention.ending();
  });

  it('a job that waits long is shown as waiting, and as running again', async () => {
    const depot = repository();
    const first = gate();
    const one = await depot.retention({ forgetPlanned: () => first.wait().then(() => undefined) });
    await until('it has the lease', () => one.of('forgetPlanned').length > 0);
    const two = await depot.backup();
    await until('the backup waits', async () => (await depot.holders()).waiting.length === 1);
    await until('it is shown', () => two.of('jobWaits').length === 1);
    first.open();
    await two.ending();
    assert.deepEqual(
      two.of('jobWaits').map(({ input }) => [input.waits, input.repository]),
      [
        [true, depot.name],
        [false, depot.name],
      ],
    );
  });

  it('gives the lease back when the work fails, and when it is cancelled', async () => {
    const depot = repository();
    const failed = await depot.retention({ planRetention: async () => failWith('retention.dropsTooMuch') });
    assert.deepEqual(
      await failed.ending<{ status: string }>().then((end) => end !== 'cancelled' && end.status),
      'failed',
    );
    const first = gate();
    const holding = await depot.retention({ forgetPlanned: () => first.wait().then(() => undefined) });
    await until('it has the lease', () => holding.of('forgetPlanned').length > 0);
    const waiting = await depot.retention();
    await until('another waits', async () => (await depot.holders()).waiting.length === 1);
    await waiting.cancel();
    await waiting.ending();
    await until('nobody waits', async () => (await depot.holders()).waiting.length === 0);
    first.open();
    await holding.ending();
  });

  it('takes the lease from a holder that was terminated, and leaves it to one that runs on', async () => {
    const depot = repository();
    let runs = true;
    depot.queue.script.leaseHolderRuns = async () => runs;
    const environment = await timeSkippingServer();
    const { workflow } = environment.client;
    // Any workflow between two steps, for which see `freshClock`.
    const lost = await workflow.start('lease', {
      workflowId: `lost/${depot.name}`,
      taskQueue: QUEUE,
      args: [{ repository: 'elsewhere' }],
    });
    const request = { key: 'lost', holder: lost.workflowId, mode: 'exclusive' as const };
    await workflow.signalWithStart('lease', {
      workflowId: leaseWorkflowId(depot.name),
      taskQueue: QUEUE,
      args: [{ repository: depot.name }],
      signal: askForLease,
      signalArgs: [request],
    });
    await until('it has the lease', async () => (await depot.holders()).held.length === 1);
    await until('it took note of its lease', async () => {
      const events = (await lost.fetchHistory()).events ?? [];
      const told = events.findIndex((event) => event.workflowExecutionSignaledEventAttributes);
      return told >= 0 && events.slice(told).some((event) => event.workflowTaskCompletedEventAttributes);
    });
    await lost.terminate('as an operator would');
    const next = await depot.retention();
    await until('the next waits', async () => (await depot.holders()).waiting.length === 1);
    await environment.sleep('16 min');
    await until('it was asked after', () => depot.queue.of('leaseHolderRuns').length > 0);
    assert.equal(wentIn(next), false, 'a lease was taken from a holder that runs');
    runs = false;
    await next.ending();
    assert.ok(wentIn(next));
    assert.equal(depot.queue.of('leaseWithdrawn')[0]?.input.holder, lost.workflowId);
  });
});
