import assert from 'node:assert/strict';
import type { RecordEvidence } from '../../activities/contract.ts';
import { failWith, QUEUE, untilCancelled, type Script } from './steps-double.ts';
import { play, until } from './time-skipping.ts';

const input = { drill: 'outage', drillId: 'drill-1', actor: 'ada' };
const now = () => new Date().toISOString();

async function played(script: Script) {
  const playing = await play('gameDay', input, script);
  const ending = await playing.ending<{ status: string }>();
  const signed = playing.of('recordEvidence')[0]?.input as RecordEvidence | undefined;
  return { playing, ending, record: signed?.record };
}
const failures = ({ record }: Awaited<ReturnType<typeof played>>) =>
  record?.failures.map(({ phase, code }) => `${phase} ${code}`);

describe('a game day', () => {
  let watched = 0;

  it('keeps what is there before it takes anything down, and brings it back through a restore', async () => {
    const { playing, ending, record } = await played({});
    assert.deepEqual(ending, { drillId: 'drill-1', status: 'success' });
    assert.deepEqual(playing.steps(), [
      'beginDrill',
      'watchService',
      'takeGameDayPoint',
      'takeDown',
      'watchService',
      'orderRestore',
      'watchService',
      'recordEvidence',
      'endDrill',
    ]);
    assert.deepEqual(
      playing.of('watchService').map(({ input: { until, seconds } }) => [until, seconds]),
      [
        ['well', 0],
        ['away', 60],
        ['well', 60],
      ],
    );
    assert.deepEqual(record?.failures, []);
    assert.equal(record?.assets[0]?.restored, true);
    assert.equal(record?.measured.rtoSeconds !== null, true);
  });

  it('leaves a restore it has begun to its end, whoever terminates it, on the host that took it down', async () => {
    const { playing } = await played({});
    const { events } = await playing.handle.fetchHistory();
    const begun = events?.flatMap((event) => event.startChildWorkflowExecutionInitiatedEventAttributes ?? []);
    // 2 is ABANDON in Temporal's protocol.
    assert.deepEqual(
      begun?.map(({ parentClosePolicy }) => parentClosePolicy),
      [2],
    );
    const [order] = begun?.[0]?.input?.payloads ?? [];
    const { hostQueue } = JSON.parse(Buffer.from(order?.data ?? []).toString()) as { hostQueue?: string };
    assert.equal(hostQueue, QUEUE);
  });

  it('of a service that is not well beforehand takes nothing down', async () => {
    const game = await played({ watchService: async () => ({ seen: false, at: now(), words: 'it is ill' }) });
    assert.deepEqual(failures(game), ['prepare health.failed']);
    for (const step of ['takeDown', 'takeGameDayPoint', 'orderRestore'] as const)
      assert.equal(game.playing.of(step).length, 0, step);
  });

  it('without its safety points takes nothing down', async () => {
    const game = await played({ takeGameDayPoint: async () => failWith('source.partial') });
    assert.deepEqual(failures(game), ['prepare source.partial']);
    assert.equal(game.playing.of('takeDown').length, 0);
    const nothing = await played({ takeGameDayPoint: async () => null });
    assert.deepEqual(failures(nothing), ['prepare source.missing']);
    assert.equal(nothing.playing.of('takeDown').length, 0);
  });

  it('that nobody notices has failed, and everything is brought back all the same', async () => {
    const game = await played({
      watchService: async ({ until }) => ({ seen: until === 'well', at: now(), words: 'it is well' }),
    });
    assert.deepEqual(failures(game), ['notice health.failed']);
    assert.equal(game.playing.of('orderRestore').length, 1);
    assert.match(game.record?.failures[0]?.hint ?? '', /restore prepare --asset uploads --point/);
  });

  it('whose commands failed half-way is brought back where the service is gone', async () => {
    const game = await played({
      takeDown: async () => failWith('hook.failed'),
      watchService: async ({ until }) => ({
        // Well beforehand and in the end, and gone in between.
        seen: until === 'away' || (watched += 1) !== 2,
        ...{ at: now(), words: 'as scripted' },
      }),
    });
    assert.deepEqual(failures(game), ['takeDown hook.failed']);
    assert.equal(game.playing.of('orderRestore').length, 1);
  });

  it('whose commands failed is believed to be well only where none of them went through', async () => {
    const failing = (exits: (number | null)[], interrupted = false) =>
      played({
        takeDown: async () => ({
          failure: { code: 'hook.failed', message: 'it failed', cause: 'as scripted', hint: 'none' },
          ...{ interrupted, endedAt: now(), tools: [] },
          commands: exits.map((exitCode) => ({
            ...{ asset: null, tool: 'sh', arguments: ['…'], exitCode, seconds: 1 },
          })),
        }),
      });
    const untouched = await failing([3]);
    assert.equal(untouched.playing.of('orderRestore').length, 0);
    assert.match(
      JSON.stringify(untouched.record?.production),
      /its take-down failed and the watch found the service well/,
    );
    for (const half of [await failing([0, 3]), await failing([3], true)])
      assert.equal(half.playing.of('orderRestore').length, 1);
  });

  it('counts from when the take-down was first asked for, also where a worker died over it', async () => {
    let attempts = 0;
    const game = await played({
      takeDown: async () => {
        if ((attempts += 1) === 1) failWith('catalog.unreachable');
        return { failure: null, interrupted: true, endedAt: now(), commands: [], tools: [] };
      },
    });
    const [first, second] = game.playing.of('takeDown');
    const phase = game.record?.phases.find(({ name }) => name === 'takeDown');
    const at = game.record?.production.map((one) => ('why' in one ? one.why : ''))[0] ?? '';
    assert.ok(second && first);
    assert.ok(at.startsWith(`taken down at ${phase?.startedAt} by`), at);
  });

  it('goes on to the watch where a restore could not be begun', async () => {
    const game = await played({ orderRestore: async () => failWith('restore.state') });
    assert.deepEqual(failures(game), ['restore restore.state']);
    assert.equal(game.playing.of('watchService').length, 3);
    assert.equal(game.record?.assets[0]?.restored, false);
  });

  it('is cancelled before the take-down, and not any more after it', async () => {
    const before = await play('gameDay', input, { takeGameDayPoint: untilCancelled });
    await until('it keeps what is there', () => before.of('takeGameDayPoint').length > 0);
    await before.cancel();
    assert.equal(await before.ending(), 'cancelled');
    assert.equal(before.of('takeDown').length, 0);
    let cancelled = false;
    const after = await play('gameDay', input, {
      takeDown: async () => {
        await until('somebody cancelled it', () => cancelled);
        return { failure: null, interrupted: false, endedAt: now(), commands: [], tools: [] };
      },
    });
    await until('it is taken down', () => after.of('takeDown').length > 0);
    await after.cancel();
    cancelled = true;
    assert.deepEqual(await after.ending(), { drillId: 'drill-1', status: 'success' });
    assert.equal(after.of('orderRestore').length, 1);
  });
});
