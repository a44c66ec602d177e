import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { samplePoint, sampleHistory, sampleJob } from '../api/services-double.ts';
import { openSite, type Site } from './command-line.ts';

describe('holds, removals and the audit on the command line', function () {
  this.timeout(60_000);
  let site: Site;
  before(async () => {
    site = await openSite();
  });
  after(() => site.close());
  beforeEach(() => {
    site.services.points.splice(0, Infinity, samplePoint('point-1'));
    site.services.histories = [];
    site.services.calls.splice(0);
  });
  const called = (name: string) => site.services.calls.filter((call) => call.name === name);

  it('hold and release say who holds a point and why', async () => {
    const held = await site.run('points', 'hold', 'point-1', '--reason', 'case 117', '--owner', 'legal');
    assert.equal(held.code, 0, held.stderr);
    assert.match(held.stdout, /point-1 is held\n {2}for legal since 2026-11-20T10:00:00.000Z: case 117/);
    assert.match((await site.run('points', 'list')).stdout, /proven, held|stored, held|verified, held/);
    assert.match((await site.run('points', 'show', 'point-1')).stdout, /held +for legal since/);
    const released = await site.run('points', 'release', 'point-1', '--reason', 'closed');
    assert.match(released.stdout, /point-1 is not held/);
  });

  it('nothing is held, released or deleted without a reason', async () => {
    for (const verb of ['hold', 'release', 'delete']) {
      const { code, json } = await site.run('points', verb, 'point-1', '--json');
      assert.deepEqual([code, json.error?.code], [2, 'usage'], verb);
    }
    const empty = await site.run('points', 'hold', 'point-1', '--reason', ' ', '--json');
    assert.equal(empty.json.error?.code, 'usage');
  });

  it('delete shows what would go and is 22; with --confirm it goes', async () => {
    const asked = await site.run('points', 'delete', 'point-1', '--reason', 'mistaken');
    assert.equal(asked.code, 22);
    assert.match(asked.stdout, /would go for good\n {2}from .*\n {2}mind: it is the newest point/s);
    assert.match(asked.stderr, /--confirm/);
    assert.equal(site.services.points.length, 1);
    const done = await site.run('points', 'delete', 'point-1', '--reason', 'mistaken', '--confirm');
    assert.equal(done.code, 0, done.stderr);
    assert.match(done.stdout, /is gone from .*; the space comes back with the next retention run/);
    assert.deepEqual(called('removePoint').at(-1)?.arguments[2], {
      reason: 'mistaken',
      repository: null,
      confirm: true,
    });
  });

  it('delete of a held point is 11, whoever confirms', async () => {
    await site.run('points', 'hold', 'point-1', '--reason', 'case 117', '--owner', 'legal');
    const { code, json } = await site.run('points', 'delete', 'point-1', '--reason', 'mistaken', '--json');
    assert.deepEqual([code, json.error?.code], [11, 'request.conflict']);
    assert.match(json.error?.cause ?? '', /held for legal: case 117/);
  });

  it('lists orphaned points alone', async () => {
    assert.equal((await site.run('points', 'list', '--orphaned')).code, 0);
    assert.deepEqual(called('listPoints').at(-1)?.arguments[0], { asset: null, kind: null, orphaned: true });
  });

  it('audit list hands on its filters, times as UTC', async () => {
    const words = ['--actor', 'anna', '--action', 'point.', '--subject', 'point/1', '--since', '2026-11-01'];
    const { code, stderr } = await site.run('audit', 'list', ...words, '--until', '2026-11-20T03:00');
    assert.equal(code, 0, stderr);
    assert.deepEqual(called('listAudit').at(-1)?.arguments[0], {
      ...{ actor: 'anna', action: 'point.', subject: 'point/1' },
      since: '2026-11-01T00:00:00.000Z',
      until: '2026-11-20T03:00:00.000Z',
    });
    assert.equal((await site.run('audit', 'list', '--since', 'yesterday')).code, 2);
  });

  it('a history that does not fit the chain is 20', async () => {
    site.services.jobs.set('job-1', sampleJob('job-1'));
    assert.equal((await site.run('jobs', 'history', 'job-1')).code, 0);
    assert.equal((await site.run('audit', 'verify', '--histories')).code, 0);
    site.services.histories = [sampleHistory('job/7f3a', { state: 'altered' })];
    const { code, json } = await site.run('audit', 'verify', '--histories', '--json');
    assert.deepEqual([code, json.ok], [20, false]);
    assert.match(json.error?.cause ?? '', /job\/7f3a: .* is altered/);
  });

  it('an export that is not whole is not left under the name asked for', async () => {
    const path = join(site.folder, 'audit.ndjson');
    await writeFile(path, 'the export of before');
    const { code } = await site.run('audit', 'export', '--output', path, '--json');
    assert.equal(code, 20, 'the digest of the sample is made up');
    const { readdir, readFile } = await import('node:fs/promises');
    assert.equal(await readFile(path, 'utf8'), 'the export of before');
    assert.deepEqual(
      (await readdir(site.folder)).filter((name) => name.endsWith('.part')),
      [],
    );
  });

  it('prints the public key as PEM', async () => {
    assert.match((await site.run('audit', 'key')).stdout, /^-----BEGIN PUBLIC KEY-----\nAAAA\n-----END/);
    const rotated = await site.run('audit', 'rotate-key', '--reason', 'yearly');
    assert.match(rotated.stdout, /signed with key k2/);
  });
});
