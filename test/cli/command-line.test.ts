import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sampleJob, samplePoint, sampleRestore } from '../api/services-double.ts';
import { sampleFigures, sampleStatus } from '../api/sample-status.ts';
import { canary, openSite } from './command-line.ts';
import type { Site } from './command-line.ts';

const failure = (code: string) => ({
  code,
  message: 'backup of uploads failed',
  cause: 'seen',
  hint: 'mend it',
});

const failedAsset = (code: string, asset = 'uploads') => ({
  asset,
  status: 'failed' as const,
  recoveryPointId: null,
  proof: null,
  error: failure(code),
  notes: [],
  progress: null,
});

const uploadsStatus = {
  asset: 'uploads',
  policy: 'critical',
  health: 'critical' as const,
  rpo: { objectiveSeconds: 60, actualSeconds: 3600, verifiedSeconds: null },
  rto: { objectiveSeconds: null, measuredSeconds: null },
  protectedUntil: '2026-11-20T10:00:00.000Z',
  provenUntil: null,
  damagedNewest: null,
  lastProvenAt: null,
  lastJob: null,
  nextRunAt: null,
  breaches: ['rpo' as const],
  reason: 'its newest verified recovery point is 1 h old, and the objective is 1 m',
  next: '`holdfast backup run critical --asset uploads`',
  backups: { succeeded: 1, failed: 0 },
  copies: [],
  paused: null,
  ...sampleFigures(),
};

describe('holdfast, the command line', function () {
  this.timeout(180_000);
  let site: Site;

  before(async () => {
    site = await openSite();
  });
  after(() => site.close());
  beforeEach(() => {
    site.services.jobs.clear();
    site.services.restores.clear();
    site.services.points.splice(0, Infinity, samplePoint('point-1'));
    site.services.ending = { after: 2, job: { status: 'success' } };
    site.services.auditOk = true;
  });

  describe('--json prints one object of the contract', () => {
    const keys = (object: object) => Object.keys(object).sort();

    it('for every list', async () => {
      site.services.jobs.set('job-1', sampleJob('job-1'));
      site.services.restores.set('r-1', sampleRestore('r-1'));
      for (const words of [
        'jobs list',
        'points list',
        'restore list',
        'incidents list',
        'audit list',
        'audit export',
        'token list',
      ]) {
        const { code, json, stderr } = await site.run(...words.split(' '), '--json');
        assert.equal(code, 0, words + stderr);
        assert.deepEqual(keys(json), ['items', 'next'], words);
        assert.equal(json.items.length, 1, words);
        assert.equal(json.next, null);
      }
    });

    it('for one thing', async () => {
      site.services.jobs.set('job-1', sampleJob('job-1'));
      site.services.restores.set('r-1', sampleRestore('r-1'));
      assert.equal((await site.run('jobs', 'show', 'job-1', '--json')).json.assets[0]?.asset, 'uploads');
      assert.equal(
        (await site.run('points', 'show', 'point-1', '--json')).json.copies[0]?.repository,
        'local',
      );
      assert.equal(
        (await site.run('points', 'ls', 'point-1', 'x', '--json')).json.items[0]?.path,
        'x/a file',
      );
      assert.equal((await site.run('restore', 'show', 'r-1', '--json')).json.impact.files?.added.count, 1204);
      assert.deepEqual(keys((await site.run('status', '--json')).json), [
        'assets',
        'channels',
        'incidents',
        'repositories',
        'sites',
      ]);
      assert.equal((await site.run('audit', 'verify', '--json')).json.ok, true);
    });

    it('for a backup: the job, with its log on standard error', async () => {
      const { code, json, stderr } = await site.run('backup', 'run', 'critical', '--json');
      assert.equal(code, 0, stderr);
      assert.equal(json.status, 'success');
      assert.equal(json.assets[0]?.recoveryPointId, 'point-1');
      assert.match(stderr, /10:00:01Z {2}uploads {2}verify {2}verify of uploads done/);
      assert.equal(json.error, null);
    });

    it('for a restore, prepared, committed, shown', async () => {
      const prepared = await site.run(
        'restore',
        'prepare',
        '--asset',
        'uploads',
        '--include',
        'a b',
        '-x',
        '--json',
      );
      assert.equal(prepared.code, 2, 'an unknown option is no path');
      const { code, json } = await site.run(
        'restore',
        'prepare',
        '--asset',
        'uploads',
        '--include',
        'a b',
        '--json',
      );
      assert.equal(code, 0);
      assert.deepEqual([json.status, json.include], ['prepared', ['a b']]);
      const committed = await site.run('restore', 'commit', json.id, '--json');
      assert.deepEqual([committed.code, committed.json.status], [0, 'completed']);
      assert.equal(committed.json.safetyPointId, 'safety-1');
      const cancelled = await site.run('restore', 'cancel', json.id, '--json');
      assert.deepEqual([cancelled.code, cancelled.json.status], [0, 'cancelled']);
    });

    it('for bad usage too', async () => {
      for (const words of [['jobs'], ['jobs', 'shw'], ['restore', 'prepare', '--nope'], ['drill', 'run']]) {
        const { code, json } = await site.run(...words, '--json');
        assert.equal(code, 2, words.join(' '));
        assert.deepEqual(keys(json), ['error']);
        assert.equal(json.error?.code, 'usage');
        assert.ok(json.error?.hint);
      }
    });

    it('for what the service refuses', async () => {
      const { code, json } = await site.run('backup', 'run', 'absent', '--json');
      assert.equal(code, 1);
      assert.equal(json.error?.code, 'notFound');
    });
  });

  describe('exit codes', () => {
    it('a job that failed exits by its gravest failure, with the error beside the job', async () => {
      const assets = [failedAsset('source.missing'), failedAsset('repository.wrongPassword', 'b')];
      site.services.ending = { after: 1, job: { status: 'failed', assets } };
      const { code, json } = await site.run('backup', 'run', 'critical', '--json');
      assert.equal(code, 12);
      assert.deepEqual([json.status, json.error?.code], ['failed', 'repository.wrongPassword']);
    });

    it('a job done in part is 3', async () => {
      const assets = [failedAsset('source.missing'), ...sampleJob('x').assets];
      site.services.ending = { after: 1, job: { status: 'warning', assets } };
      const { code, json } = await site.run('backup', 'run', 'critical', '--json');
      assert.deepEqual([code, json.status, json.error?.code], [3, 'warning', 'source.missing']);
    });

    it('status --check is 21 when an objective is breached, and says of what', async () => {
      site.services.report = { ...sampleStatus(), assets: [uploadsStatus], repositories: [] };
      assert.equal((await site.run('status')).code, 0);
      const { code, stdout, stderr } = await site.run('status', '--check');
      assert.equal(code, 21);
      assert.match(
        stdout,
        /^ASSET +HEALTH +PROTECTED UNTIL +PROVEN UNTIL +RPO 1m +RTO +NEXT RUN\nuploads +critical /,
      );
      assert.match(stdout, /1 h \/ unknown/);
      assert.match(stdout, /\n {2}next: `holdfast backup run/);
      assert.match(stderr, /an objective is breached: uploads/);
      site.services.report = {
        assets: [],
        sites: [],
        repositories: [],
        channels: [],
        incidents: { open: 0, critical: 0 },
      };
      assert.equal((await site.run('status', '--check')).code, 0);
    });

    it('status of one asset has every figure, and of all only what wants attention', async () => {
      site.services.report = sampleStatus();
      const all = await site.run('status');
      assert.doesNotMatch(all.stdout, /validations|offsite: /);
      assert.match(all.stdout, /\nlocal will be full .*at the pace of the last 90 days \(1 GiB a day\)/);
      const { stdout, code } = await site.run('status', 'uploads');
      assert.equal(code, 0);
      assert.match(
        stdout,
        /\n {2}backups {6}7 d 85\.7 % of 7 \(1 missed\), 30 d 96\.6 % of 30 \(1 missed\), 90 d unknown\n/,
      );
      assert.match(
        stdout,
        /\n {2}budget {7}0\.5 of 1\.5 runs left for 95 % in 30 d, 1 used; burning at 2\.86 times/,
      );
      assert.match(stdout, /\n {2}stored {7}7 d \+1 GiB, 30 d \+4 GiB, 90 d unknown\n/);
      assert.match(stdout, /\n {2}took {9}backup 30 s \(10 s before\), slower; rehearsal unknown\n/);
      assert.match(stdout, /\nlocal: 90 GiB of 100 GiB stored; 7 d \+7 GiB, /);
      assert.match(stdout, /\noffsite: its size is unknown/);
      assert.equal((await site.run('status', '--wide')).stdout, stdout);
      const absent = await site.run('status', 'orders', '--json');
      assert.deepEqual([absent.code, absent.json.error?.code], [1, 'notFound']);
    });

    it('a broken audit chain is 20', async () => {
      site.services.auditOk = false;
      const { code, json } = await site.run('audit', 'verify', '--json');
      assert.equal(code, 20);
      assert.equal(json.problem.sequence, 1);
      assert.equal(json.error?.code, 'proof.failed');
    });

    it('an exported chain is checked without a service', async () => {
      const path = join(site.folder, 'audit.ndjson');
      await writeFile(path, (await site.run('audit', 'export')).stdout);
      const { code, json } = await site.run('audit', 'verify', '--file', path, '--json');
      assert.equal(code, 20, 'the digest of the sample is made up');
      assert.match(json.problem.what, /edited/);
    });
  });

  it('the same idempotency key gets the same job, another request 11', async () => {
    const first = await site.run('backup', 'run', 'a', '--idempotency-key', 'k', '--detach', '--json');
    const second = await site.run('backup', 'run', 'a', '--idempotency-key', 'k', '--detach', '--json');
    assert.equal(first.code, 0, first.stderr);
    assert.equal(second.json.id, first.json.id);
    const other = await site.run('backup', 'run', 'b', '--idempotency-key', 'k', '--json');
    assert.deepEqual([other.code, other.json.error?.code], [11, 'request.conflict']);
  });

  it('--detach returns while the job runs, and says how to follow it', async () => {
    site.services.ending.after = Infinity;
    const { code, stdout } = await site.run('backup', 'run', 'critical', '--detach');
    assert.equal(code, 0);
    assert.match(
      stdout,
      /backup of critical is running: job job-1\nfollow it with `holdfast jobs logs job-1 --follow`/,
    );
  });

  it('Ctrl-C stops the watching and not the job: exit 130', async () => {
    site.services.ending.after = Infinity;
    const started = site.start(['backup', 'run', 'critical', '--json']);
    await until(() => started.stderr().includes('verify of uploads done'));
    started.child.kill('SIGINT');
    const { code, json } = await started.ended;
    assert.equal(code, 130);
    assert.deepEqual([json.id, json.status, json.error?.code], ['job-1', 'running', 'cancelled']);
    assert.match(json.error?.hint ?? '', /holdfast jobs logs job-1 --follow.*holdfast jobs cancel job-1/);
    assert.ok(!site.services.calls.some(({ name }) => name === 'cancelJob'));
  });

  it('waits for a service that is started again elsewhere', async () => {
    site.services.ending.after = Infinity;
    const started = site.start(['backup', 'run', 'critical', '--json']);
    await until(() => started.stderr().includes('verify of uploads done'));
    await site.stopServing();
    await until(() => started.stderr().includes('does not answer'));
    site.services.ending.after = 0;
    await site.serveAgain();
    const { code, json, stderr } = await started.ended;
    assert.equal(code, 0, stderr);
    assert.equal(json.status, 'success');
    assert.equal(stderr.split('does not answer').length, 2, 'said once');
  });

  it('says what is to be done when nothing runs', async () => {
    const lonely = await openSite();
    try {
      await lonely.stopServing();
      const stale = await lonely.run('status', '--json');
      assert.deepEqual([stale.code, stale.json.error?.code], [1, 'service.unreachable']);
      assert.match(stale.json.error?.cause ?? '', /ECONNREFUSED/);
      assert.match(stale.json.error?.hint ?? '', /holdfast up/);
      const elsewhere = await lonely.start(['status', '--json', '--config', 'absent.yaml']).ended;
      assert.deepEqual([elsewhere.code, elsewhere.json.error?.code], [2, 'configuration.invalid']);
      const environment = { HOLDFAST_URL: 'http://127.0.0.1:9' };
      const untold = await lonely.start(['status', '--json'], environment).ended;
      assert.deepEqual([untold.code, untold.json.error?.code], [2, 'usage']);
      await lonely.serveAgain();
    } finally {
      await lonely.close();
    }
  });

  it('prefers the environment to the file, and works from any folder', async () => {
    const nobody = await site.start(['status', '--json'], { HOLDFAST_TOKEN: 'someone-else' }).ended;
    assert.equal(nobody.json.error?.code, 'unauthorized');
    const { startHoldfast } = await import('./command-line.ts');
    const config = join(site.folder, 'holdfast.yaml');
    assert.equal((await startHoldfast(['status'], '/', { HOLDFAST_CONFIG: config }).ended).code, 0);
    assert.equal((await startHoldfast(['status', '--config', config], '/').ended).code, 0);
  });

  it('reads like the design says', async () => {
    const { stdout } = await site.run('restore', 'prepare', '--asset', 'uploads');
    assert.match(
      stdout,
      /^restore r-1 of uploads to 2026-11-20 10:00:02Z is prepared\n {2}from +local, recovery point point-1/,
    );
    assert.match(
      stdout,
      / {2}changes +1,204 files back, 31 overwritten, 12 not in the recovery point set aside \(1\.9 GiB in all\)/,
    );
    assert.match(
      stdout,
      /commit with `holdfast restore commit r-1`, drop with `holdfast restore cancel r-1`/,
    );
    site.services.ending = { after: 1, job: { status: 'failed', assets: [failedAsset('source.missing')] } };
    const { stderr } = await site.run('backup', 'run', 'critical');
    assert.match(
      stderr,
      /error: backup of policy critical failed\n {2}cause: uploads: backup of uploads failed: seen\n {2}next: {2}mend it\n {2}job job-1 · `holdfast jobs logs job-1`/,
    );
  });

  it('never sends a control character of a name to the terminal', async () => {
    site.services.points.push(samplePoint('point-2', { asset: 'bad\u001b[2Jname\nline' }));
    const { stdout } = await site.run('points', 'list');
    assert.ok(!stdout.includes('\u001b'));
    assert.match(stdout, /bad\\u001b\[2Jname\\nline/);
  });

  it('verifies one point, and not all of them', async () => {
    const run = await site.run('verify', 'run', 'critical', '--point', 'point-1');
    assert.equal(run.code, 0, run.stderr);
  });

  it('pauses a policy with a reason, and says so', async () => {
    assert.equal((await site.run('policy', 'pause', 'critical')).code, 2, 'a reason is wanted');
    const { code, stdout } = await site.run('policy', 'pause', 'critical', '--reason', 'a new disk');
    assert.equal(code, 0);
    assert.match(stdout, /critical +orders +backup +paused +since .*: a new disk/);
    const resumed = await site.run('policy', 'resume', 'critical', '--reason', 'it is in');
    assert.match(resumed.stdout, /critical +orders +backup +(in|\d)/);
  });

  it('gives a backup its tags, and shows those of a point', async () => {
    site.services.calls.splice(0);
    const { code } = await site.run(
      'backup',
      'run',
      '--tag',
      'release',
      'critical',
      '--tag',
      'v2.1',
      '--detach',
    );
    assert.equal(code, 0);
    const [started] = site.services.calls.filter(({ name }) => name === 'startBackup');
    assert.deepEqual((started?.arguments[1] as { tags: string[] }).tags, ['release', 'v2.1']);
    assert.equal((await site.run('backup', 'run', 'critical', '--tag', 'a,b')).code, 2);
    site.services.points.push(samplePoint('point-tagged', { tags: ['release', 'v2.1'] }));
    assert.match((await site.run('points', 'list')).stdout, / TAGS +KEPT IN[^]*release, v2\.1/);
    assert.match((await site.run('points', 'show', 'point-tagged')).stdout, /tags +release, v2\.1/);
  });

  it('runs what is due, and not points beside it', async () => {
    site.services.calls.splice(0);
    assert.equal((await site.run('verify', 'run', 'critical', '--due')).code, 0);
    const [started] = site.services.calls.filter(({ name }) => name === 'startVerification');
    assert.equal((started?.arguments[1] as { due: boolean }).due, true);
    assert.equal((await site.run('verify', 'run', 'critical', '--due', '--latest')).code, 2);
  });

  it('shows what a verification would read and rehearse, and why', async () => {
    const { stdout, code } = await site.run('verify', 'plan', 'critical');
    assert.equal(code, 0);
    assert.match(stdout, /^local: 2 of 20 groups due; oldest unread 2026-11-01 02:00:00Z \(19 d ago\)/);
    assert.match(stdout, /\n {2}group 3: its time is over, not read since /);
    assert.match(stdout, /\noffsite: nothing is stored in it yet\n/);
    assert.match(stdout, /\nrehearse orders: never proven yet, asked for every 7 d\n/);
    const { json } = await site.run('verify', 'plan', 'critical', '--json');
    assert.equal(json.repositories[0]?.due[0]?.reason, 'late');
  });

  it('shows the oldest unread of each repository', async () => {
    const since = new Date(Date.now() - 12.5 * 86_400_000).toISOString();
    const oldestUnread = { since, seconds: 12.5 * 86_400, limitSeconds: 30 * 86_400 };
    const place = {
      ...sampleStatus().repositories[0]!,
      name: 'offsite',
      health: 'ok' as const,
      reason: '',
      fillsAt: null,
      oldestUnread,
    };
    site.services.report = { ...sampleStatus(), assets: [uploadsStatus], repositories: [place] };
    const { stdout } = await site.run('status');
    assert.match(stdout, /\noffsite: oldest unread .* \(12 d ago\), to be read within 30 d/);
  });

  it('shows what a partial point lacks', async () => {
    const partial = '2 of its files could not be read';
    site.services.points.splice(0, 1, samplePoint('point-1', { proof: 'stored', partial }));
    assert.match((await site.run('points', 'list')).stdout, /stored, partial/);
    assert.match((await site.run('points', 'show', 'point-1')).stdout, /partial +2 of its files could not/);
  });

  it('never prints the token it was let in with', async () => {
    const said = await Promise.all([
      site.run('status'),
      site.run('jobs', 'show', 'absent'),
      site.run('jobs', 'show', 'absent', '--json'),
      site.run('token', 'list'),
    ]);
    for (const { stdout, stderr } of said) assert.ok(!(stdout + stderr).includes(canary));
  });

  it('knows only what is built', async () => {
    const { stdout, code } = await site.run('--help');
    assert.equal(code, 0);
    assert.match(stdout, /^ {2}recover\b/m);
    assert.doesNotMatch(stdout, /^ {2}site\b/m);
    assert.match((await site.run('--version')).stdout, /^\d+\.\d+\.\d+\n$/);
  });
});

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('the condition did not come true');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
