import assert from 'node:assert/strict';
import { Context } from '@temporalio/activity';
import { budgetDay, decideBudget } from '../../domain/guards/budget.ts';
import type { AssetOutcome, GuardInput } from '../../activities/contract.ts';
import { failWith, planned, type Script } from './steps-double.ts';
import { freshClock, play, timeSkippingServer, until, type Run } from './time-skipping.ts';

const input = { policy: 'critical', jobId: 'job-1', trigger: 'manual', actor: 'tester' } as const;
const backUp = (script: Script) => play('backup', input, script);
const statusOf = async (run: Run) => {
  const ending = await run.ending<{ status: string }>();
  return ending === 'cancelled' ? ending : ending.status;
};
const outcomeOf = (run: Run, asset: string) =>
  run.of('endAsset').find((call) => call.input.asset === asset)?.input.outcome as AssetOutcome;
const DAY = 86_400_000;
const later = (milliseconds: number) =>
  new Date(Context.current().info.currentAttemptScheduledTimestampMs + milliseconds).toISOString();
const statusLabel = async (run: Run) => (await run.handle.describe()).searchAttributes.HoldfastStatus?.[0];

/** Waits once, for so long, wherever the condition holds. */
function waitsOnce(
  wait: (send: GuardInput) => boolean,
  milliseconds: number,
): NonNullable<Script['guardUpload']> {
  const waited = new Set<string>();
  return async (send) => {
    const key = `${send.asset} ${send.repository}`;
    const goesOnAt = waited.has(key) || !wait(send) ? null : later(milliseconds);
    if (wait(send)) waited.add(key);
    return { goesOnAt };
  };
}

describe('backup within a daily upload budget', () => {
  before(freshClock);

  it('goes on by itself after the reset', async () => {
    const run = await backUp({ guardUpload: waitsOnce(() => true, 10 * 3600_000) });
    assert.equal(await statusOf(run), 'success');
    const [asked, again] = run.of('guardUpload');
    assert.ok(again!.askedAt - asked!.askedAt >= 10 * 3600_000, 'it did not wait');
    assert.ok(run.of('snapshotAsset')[0]!.askedAt >= again!.askedAt);
  });

  it('keeps to the budget of each day, and drops nothing', async () => {
    // Five assets of 40 and a budget of 100: two a day.
    const budget = { bytes: 100, resetSeconds: 0 };
    const { currentTimeMs } = await timeSkippingServer();
    const begun = await currentTimeMs.call(await timeSkippingServer());
    const sent = new Map<string, number>();
    const days = () => [...sent.values()];
    const assets = ['a', 'b', 'c', 'd', 'e'];
    const since = new Map<string, string>();
    const promised = new Set<string>();
    const run = await backUp({
      beginJob: planned({ assets }),
      guardUpload: async ({ asset }) => {
        const now = new Date(Context.current().info.currentAttemptScheduledTimestampMs);
        const { startsAt } = budgetDay(now, 0);
        if (promised.has(asset)) return { goesOnAt: null };
        const facts = { budget, sent: sent.get(startsAt) ?? 0, promised: 0, expected: 40 };
        const decision = decideBudget({ ...facts, waitingSince: since.get(asset) ?? null }, now);
        if (!decision.go) {
          since.set(asset, since.get(asset) ?? now.toISOString());
          return { goesOnAt: decision.until };
        }
        promised.add(asset);
        sent.set(startsAt, (sent.get(startsAt) ?? 0) + 40);
        return { goesOnAt: null };
      },
    });
    assert.equal(await statusOf(run), 'success');
    assert.deepEqual(days(), [80, 80, 40]);
    assert.deepEqual(
      run
        .of('snapshotAsset')
        .map((call) => call.input.asset)
        .sort(),
      assets,
    );
    const last = run.of('snapshotAsset').at(-1)!;
    assert.ok(last.askedAt - begun > DAY, 'the third day was not waited for');
  });

  it('lets the other assets store and copy while one waits for the budget of a copy', async () => {
    const run = await backUp({
      beginJob: planned({ assets: ['orders', 'uploads'], copies: ['offsite'] }),
      guardUpload: waitsOnce(
        ({ asset, repository }) => asset === 'orders' && repository === 'offsite',
        3600_000,
      ),
    });
    assert.equal(await statusOf(run), 'success');
    const order = run
      .steps()
      .filter((step) => /^(snapshotAsset|copyPoint|endAsset)/.test(step))
      .join(', ');
    assert.equal(
      order,
      'snapshotAsset, snapshotAsset, copyPoint offsite, endAsset uploads success, copyPoint offsite, endAsset orders success',
    );
  });

  it('makes the copies that need not wait first', async () => {
    const run = await backUp({
      beginJob: planned({ copies: ['offsite', 'cold'] }),
      guardUpload: waitsOnce(({ repository }) => repository === 'offsite', 3600_000),
    });
    assert.equal(await statusOf(run), 'success');
    assert.deepEqual(
      run.of('copyPoint').map((call) => call.input.to),
      // Waited for within `readyFirst` already: asked again, it goes.
      ['cold', 'offsite'],
    );
  });

  it('is labelled as waiting, and cancelled while it waits', async () => {
    const run = await backUp({
      beginJob: planned({ assets: ['orders', 'uploads'] }),
      guardUpload: async () => ({ goesOnAt: later(DAY) }),
    });
    await until('both wait', () => run.of('guardUpload').length === 2);
    await until('it says so', async () => (await statusLabel(run)) === 'waiting');
    await run.cancel();
    assert.equal(await statusOf(run), 'cancelled');
    assert.equal(run.of('snapshotAsset').length, 0);
    assert.equal(run.steps().at(-1), 'endJob cancelled');
  });

  it('ends a job whose other asset cannot be begun without waiting for the reset', async () => {
    const run = await backUp({
      beginJob: planned({ assets: ['orders', 'uploads'] }),
      guardUpload: async () => ({ goesOnAt: later(30 * DAY) }),
      beginAsset: async ({ asset }) => (asset === 'uploads' ? failWith('internal') : undefined),
    });
    await assert.rejects(run.ending());
    assert.equal(run.of('guardUpload').length, 1);
    assert.equal(run.steps().at(-1), 'endJob failed');
  });
});

describe('backup to a repository without room', () => {
  before(freshClock);

  it('fails the asset with the reason, before its hooks run, and does its siblings', async () => {
    const run = await backUp({
      beginJob: planned({ assets: ['orders', 'uploads'] }),
      guardUpload: async ({ asset }) =>
        asset === 'orders' ? failWith('repository.full') : { goesOnAt: null },
    });
    assert.equal(await statusOf(run), 'warning');
    assert.equal(outcomeOf(run, 'orders').error?.code, 'repository.full');
    assert.equal(outcomeOf(run, 'uploads').status, 'success');
    assert.equal(run.of('guardUpload').filter(({ input: { asset } }) => asset === 'orders').length, 1);
    assert.deepEqual(
      run.of('runHooks').map((call) => call.input.asset),
      ['uploads', 'uploads'],
    );
  });

  it('keeps the point when only a copy has no room, and makes the other copies', async () => {
    const run = await backUp({
      beginJob: planned({ copies: ['offsite', 'cold'] }),
      guardUpload: async ({ repository }) =>
        repository === 'offsite' ? failWith('repository.full') : { goesOnAt: null },
    });
    assert.equal(await statusOf(run), 'failed');
    assert.deepEqual(
      run.of('copyPoint').map((call) => call.input.to),
      ['cold'],
    );
    assert.ok(outcomeOf(run, 'orders').recoveryPointId);
  });
});
