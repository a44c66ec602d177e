import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localProcesses } from '../../../activities/drills/local-processes.ts';
import type { Used } from '../../../activities/drills/environment.ts';
import { accountFor, enterRoom, reachOf } from '../../../activities/drills/room-account.ts';
import { createProcessFence } from '../../../activities/hosts/process-fence.ts';
import type { Drill } from '../../../domain/configuration/drill-types.ts';
import type { HoldfastError } from '../../../domain/errors.ts';
import { skipBecause } from '../../skip.ts';
import { commandLineOf } from '../repositories/repository-fixtures.ts';
import { makeStep } from '../sources/source-fixture.ts';

describe('the clean room of local processes', function () {
  this.timeout(60_000);
  let origin: string;
  let dataDir: string;
  beforeEach(async () => {
    origin = await mkdtemp(join(tmpdir(), 'holdfast-room-'));
    await chmod(origin, 0o755);
    dataDir = join(origin, '.holdfast');
    await mkdir(join(dataDir, 'keys'), { recursive: true, mode: 0o700 });
    await writeFile(join(dataDir, 'keys', 'audit.key'), 'the key of the chain', { mode: 0o600 });
    await writeFile(join(origin, 'orders.csv'), 'production', { mode: 0o600 });
  });
  afterEach(() => rm(origin, { recursive: true, force: true }));
  const { HTTPS_PROXY } = process.env;
  after(() => {
    if (HTTPS_PROXY === undefined) delete process.env['HTTPS_PROXY'];
    else process.env['HTTPS_PROXY'] = HTTPS_PROXY;
  });

  const room = () => localProcesses({ dataDir, processes: createProcessFence(dataDir) }, 'drill-1');

  /** Runs shell scripts as smoke tests beside one asset that came back. */
  async function using(...scripts: string[]): Promise<Used> {
    return usingFor(30, ...scripts);
  }

  async function usingFor(smokeSeconds: number, ...scripts: string[]): Promise<Used> {
    const environment = room();
    await environment.prepare(1000, 'drill q');
    const { restored } = await environment.placeFor('orders');
    await mkdir(restored, { mode: 0o700 });
    await writeFile(join(restored, 'orders.csv'), 'restored', { mode: 0o600 });
    const drill = {
      start: null,
      smoke: scripts.map((script) => ({ kind: 'command', command: ['sh', '-c', script] })),
      smokeSeconds,
    } as unknown as Drill;
    const placed = [{ asset: 'orders', place: { kind: 'path', path: restored } as const }];
    try {
      return await environment.use(drill, { folder: origin, placed }, makeStep());
    } finally {
      await environment.tearDown();
    }
  }

  it('lets what runs there read and write the room, and neither production nor a key, as root', async function () {
    if (process.getuid?.() !== 0)
      skipBecause(this, 'only root can give what runs there an account of its own');
    process.env['HTTPS_PROXY'] = 'http://user:word@proxy.example.org';
    const { checks, reach } = await using(
      'test "$(cat "$HOLDFAST_DRILL_ORDERS_PATH/orders.csv")" = restored',
      'echo more > "$HOLDFAST_DRILL_ORDERS_PATH/new" && echo log > "$HOLDFAST_DRILL_DIR/log"',
      'cat orders.csv',
      'cat .holdfast/keys/audit.key',
      'ls .holdfast',
      'ls .holdfast/scratch',
      'id -u; test "$(id -u)" -ge 2000000000 && test "$(id -G)" = "$(id -g)"',
      'test "$(sed -n "s/^NoNewPrivs:.//p" /proc/self/status)" = 1',
      '! env | grep -qi _proxy=',
    );
    const seen = checks.map(({ ok, detail }) => (ok ? 'ok' : /denied/i.test(detail) ? 'denied' : detail));
    assert.deepEqual(seen, ['ok', 'ok', 'denied', 'denied', 'denied', 'denied', 'ok', 'ok', 'ok']);
    assert.match(checks[2]!.detail, /it ran as uid 2\d{9}/);
    assert.match(reach, /as uid 2\d{9} of its own/);
    assert.match(reach, /the network of this host, loopback included, was open to it$/);
    const { mode } = await stat(dataDir);
    assert.equal(mode & 0o007, 0, 'the data directory was opened to everybody');
  });

  it('says so where an account of its own could not reach it, and that it was not apart', async function () {
    if (process.getuid?.() !== 0)
      skipBecause(this, 'only root can give what runs there an account of its own');
    await chmod(origin, 0o700);
    const { checks, reach } = await using('test "$(id -u)" = 0');
    assert.deepEqual(
      checks.map(({ name, ok }) => [name, ok]),
      [
        ['sh', true],
        ['the clean room is apart', null],
      ],
    );
    assert.match(checks[1]!.detail, /cannot be reached by an account of its own/);
    assert.match(reach, /ran as root, because .+ cannot be reached/);
  });

  it('gives the highest numbers there are, and never says of `nobody` that it is its own', () => {
    const all = accountFor('drill-1', '0 0 4294967295', '0 0 4294967295');
    const few = accountFor('drill-1', '0 100000 65536', '0 100000 65536');
    const one = accountFor('drill-1', '0 1000 1', '0 1000 1');
    assert.ok(all.uid > 2_000_000_000 && all.gid === 2_000_000_000);
    assert.ok(few.uid >= 60_578 && few.uid < 61_178 && few.gid === 61_183);
    assert.deepEqual(one, { uid: 65_534, gid: 65_534 });
    const said = [all, few, one].map((account) => reachOf({ account, because: null }));
    assert.deepEqual(
      said.map((words) => /of its own/.test(words)),
      [true, true, false],
    );
  });

  it('leaves nothing running, neither what became a daemon nor what it holds open, as root', async function () {
    if (process.getuid?.() !== 0)
      skipBecause(this, 'only root can give what runs there an account of its own');
    const marks = ['391', '392'].map((mark) => `${mark}.${process.pid}`);
    const daemon = (mark: string | undefined) => `setsid -f sh -c 'sleep ${mark}; true'`;
    const { checks } = await usingFor(
      1,
      `${daemon(marks[0])} > /dev/null 2>&1 < /dev/null`,
      // Its output stays open, so the test itself does not end.
      daemon(marks[1]),
    );
    assert.deepEqual(
      checks.map(({ ok }) => ok),
      [true, false],
    );
    assert.match(checks[1]!.detail, /still running after 1 s/);
    const commands = await Promise.all(
      (await readdir('/proc')).filter(Number).map(Number).map(commandLineOf),
    );
    assert.deepEqual(
      commands.filter((line) => marks.some((mark) => line.includes(mark))),
      [],
    );
  });

  it('ends what an attempt that was killed has left running, before the next begins', async function () {
    if (process.getuid?.() !== 0)
      skipBecause(this, 'only root can give what runs there an account of its own');
    const environment = room();
    await environment.prepare(1000, 'drill q');
    await enterRoom(
      { dataDir, drillId: 'drill-1', folder: join(dataDir, 'scratch', 'drill-1.drill'), origin, paths: [] },
      makeStep(),
    );
    const { uid, gid } = await stat(join(dataDir, 'scratch', 'drill-1.drill'));
    const left = spawn('sleep', ['393'], { uid, gid, stdio: 'ignore' });
    const stranger = spawn('sleep', ['394'], { uid: 65_534, gid: 65_534, stdio: 'ignore' });
    try {
      const end = new Promise((resolve) => left.once('exit', (_code, signal) => resolve(signal)));
      await room().endProcesses();
      assert.equal(await end, 'SIGKILL');
      assert.equal(stranger.exitCode ?? stranger.signalCode, null);
    } finally {
      for (const child of [left, stranger]) child.kill('SIGKILL');
      await room().tearDown();
    }
  });

  it('says nothing of accounts where nothing of the user’s own is run', async () => {
    assert.equal((await using()).reach, 'nothing of the user’s own ran there');
  });

  it('that is too small is refused with what it needs and what there is, and leaves nothing', async () => {
    const environment = room();
    await assert.rejects(environment.prepare(2 ** 60, 'drill q'), (error: HoldfastError) => {
      assert.equal(error.code, 'staging.full');
      assert.match(error.message, /^drill q was not begun: the clean room has no room for it/);
      assert.match(error.cause, /needed 1048576 TiB/);
      assert.match(error.cause, /free/);
      return true;
    });
    await environment.tearDown();
    assert.ok(!existsSync(join(dataDir, 'scratch', 'drill-1.drill')));
  });
});
