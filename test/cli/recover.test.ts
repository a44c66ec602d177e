import assert from 'node:assert/strict';
import { join } from 'node:path';
import { requestFrom } from '../../cli/recover-request.ts';
import { recoveryOutcome } from '../../cli/recover-text.ts';
import { HoldfastError } from '../../domain/errors.ts';
import type { Report } from '../../workers/recover/report.ts';

describe('what recover was given', () => {
  const given = { repository: './depot', password: 'file:./far.key' };
  const refused = (flags: Partial<Parameters<typeof requestFrom>[0]>, words: RegExp) =>
    assert.throws(
      () => requestFrom({ ...given, ...flags }, undefined),
      (error) => {
        assert.ok(error instanceof HoldfastError);
        assert.equal(error.code, 'usage');
        assert.match(`${error.message}: ${error.cause}`, words);
        assert.doesNotMatch(JSON.stringify(error.toContract()), /hunter2/);
        return true;
      },
    );

  it('begins at the working folder, as nothing else is there', () => {
    const { repository, configurationFile, dataDir } = requestFrom(
      { ...given, env: ['AWS_ACCESS_KEY_ID=env:ID', 'AWS_SECRET_ACCESS_KEY=file:secret'], dataDir: 'data' },
      'etc/holdfast.yaml',
    );
    const here = (path: string) => join(process.cwd(), path);
    assert.equal(repository.url, here('depot'));
    assert.deepEqual(repository.password, { kind: 'file', path: here('far.key') });
    assert.deepEqual(repository.env['AWS_SECRET_ACCESS_KEY'], { kind: 'file', path: here('secret') });
    assert.deepEqual([configurationFile, dataDir], [here('etc/holdfast.yaml'), here('data')]);
  });

  it('is refused without repeating a secret that is written out', () => {
    refused({ password: 'hunter2' }, /a secret is written out/);
    refused({ env: ['AWS_SECRET_ACCESS_KEY=hunter2'] }, /a secret is written out/);
    refused({ env: ['hunter2'] }, /no NAME=REFERENCE/);
    refused({ repository: 's3:http://example.org/bucket' }, /nothing leaves|plain http/);
    refused({ repository: 'rest:https://me:hunter2@host/' }, /has a secret written out/);
  });
});

describe('what recover says at its end', () => {
  const request = requestFrom({ repository: '/mnt/depot', password: 'env:KEY' }, '/etc/holdfast.yaml');
  const report: Report = {
    from: {
      ...{ id: 'point-1', takenAt: '2026-11-20T02:00:00.000Z', ageSeconds: 60, snapshot: 'ab'.repeat(32) },
      ...{ repository: 'far', host: 'old-host', holdfast: '0.1.0', of: 7 },
    },
    dataDir: '/var/lib/holdfast',
    configuration: { path: '/etc/holdfast.yaml', written: true, notes: [] },
    warnings: [],
    ...{ assets: ['orders'], policies: ['daily'], drills: [] },
    catalogue: { place: '/var/lib/holdfast/catalog', migrated: [] },
    audit: {
      events: 12,
      head: { sequence: 12, hash: 'cd'.repeat(32) },
      key: { keyId: '0123456789abcdef', state: 'inForce' },
    },
    ...{
      evidence: 2,
      histories: 9,
      points: ['far', 'near'].map((repository) => ({ repository, points: 4 })),
    },
    recorded: [{ asset: 'orders', points: 2 }],
    missing: [{ asset: 'orders', point: 'point-2', takenAt: '2026-11-19T02:00:00.000Z' }],
    ...{ running: ['backup/daily-1'], pausedPolicies: ['daily'] },
    repositories: [
      { repository: 'near', url: '/near', error: { code: 'repository.absent', message: 'gone', cause: '' } },
      { repository: 'far', url: '/mnt/depot', error: null },
    ],
    unresolved: [
      {
        ...{ reference: 'file:/near.key', path: 'repositories[0].password', usedBy: 'repository near' },
        ...{ line: 4, cause: 'ENOENT' },
      },
    ],
    toChange: ['/etc/holdfast.yaml:9: write password: env:KEY'],
  };

  it('is what is back, what is not, and what to type next', async () => {
    const { text, exitCode } = recoveryOutcome({ kind: 'recovered', report }, request);
    assert.equal(exitCode, undefined);
    const lines = (await text?.()) ?? '';
    for (const line of [
      /^control plane of old-host out of far$/m,
      /^ {2}points +4 in far$/m,
      /^ {2}audit chain +unbroken, 12 events, head cdcdcdcdcdcdcdcd$/m,
      /^ {2}orders: 2 newer points were taken over from far$/m,
      /^ {2}orders: point point-2 .* is not in far any more; its copy there counts as damaged$/m,
      /^ {2}near was not compared: `holdfast points import --asset ASSET --repository near` /m,
      /^ {2}backup\/daily-1 was running/m,
      /^ {2}repository near \(\/near\): gone$/m,
      /^ {2}secret file:\/near\.key of repository near \(line 4\): ENOENT$/m,
      /^ {2}\/etc\/holdfast\.yaml:9: write password: env:KEY$/m,
      /^ {2}holdfast --config \/etc\/holdfast\.yaml restore prepare --asset orders --from far$/m,
    ])
      assert.match(lines, line);
  });

  it('is done in part where nobody could start the service', async () => {
    const configuration = { ...report.configuration, written: false, notes: ['its text was not kept'] };
    const { text, exitCode } = recoveryOutcome(
      { kind: 'recovered', report: { ...report, configuration } },
      request,
    );
    assert.equal(exitCode, 3);
    assert.match((await text?.()) ?? '', /WAS NOT WRITTEN\n +its text was not kept/);
  });

  it('says nothing of what there is nothing of', async () => {
    const quiet = {
      recorded: [],
      missing: [],
      points: [{ repository: 'far', points: 4 }],
      running: [],
      pausedPolicies: [],
      unresolved: [],
      toChange: [],
    };
    const { text } = recoveryOutcome(
      { kind: 'recovered', report: { ...report, ...quiet, repositories: [] } },
      request,
    );
    const lines = (await text?.()) ?? '';
    assert.doesNotMatch(lines, /since|not to be reached|to be changed/);
  });
});
