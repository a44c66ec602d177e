import assert from 'node:assert/strict';
import { literalPatternLine } from '../../../activities/repositories/restic-arguments.ts';
import { failureOf } from '../../../activities/repositories/restic-failures.ts';
import { lastWord, readProgress, readRetry } from '../../../activities/repositories/restic-messages.ts';

describe('what restic says', () => {
  const failure = (exitCode: number, words: string, writesTo: 'repository' | 'target' = 'repository') =>
    failureOf({ operation: 'backup', repository: 'depot', url: '/srv/depot', exitCode, words, writesTo });

  const cases: [number, string, string][] = [
    [10, 'Fatal: repository does not exist: unable to open config file: stat /x/config', 'repository.absent'],
    [12, 'Fatal: wrong password or no key found', 'repository.wrongPassword'],
    [11, 'unable to create lock in backend: repository is already locked', 'repository.locked'],
    [1, 'Fatal: unable to open config file: open /x/config: permission denied', 'repository.forbidden'],
    [1, 'Fatal: unable to open config file: Stat: Access Denied.', 'repository.forbidden'],
    [1, 'Fatal: unable to save snapshot: write /r/data/a-tmp-1: no space left on device', 'repository.full'],
    [1, 'write /tmp/restic-temp-pack-1: no space left on device', 'staging.full'],
    [1, 'dial tcp 10.0.0.1:443: i/o timeout', 'repository.unreachable'],
    [1, 'no matching ID found for prefix "abc"', 'point.unknown'],
    [1, 'unexpected HTTP response (401): 401 Unauthorized', 'repository.credentialsRefused'],
    [1, 'client.PutObject: The provided token has expired. ExpiredToken', 'repository.credentialsRefused'],
    [1, 'subprocess ssh: root@h: Permission denied (publickey).', 'repository.credentialsRefused'],
    [1, 'subprocess ssh: Host key verification failed.', 'repository.untrusted'],
    [3, 'Remove(<snapshot/66a2>) failed: unexpected HTTP response (403): 403', 'repository.appendOnly'],
    [1, 'Remove(<lock/66a2>) failed: unexpected HTTP response (403): 403', 'repository.forbidden'],
    [1, 'Fatal: repository contains errors', 'repository.damaged'],
    [1, 'something new', 'tool.failed'],
  ];
  for (const [exitCode, words, code] of cases) {
    it(`exit ${exitCode}, "${words.slice(0, 60)}" is ${code}`, () => {
      const error = failure(exitCode, words);
      assert.deepEqual([error.code, error.cause], [code, words]);
    });
  }

  it('a full disk while restoring is the target’s', () => {
    assert.equal(failure(1, 'write /t/x: no space left on device', 'target').code, 'staging.full');
  });

  it('errors counted while restoring are no damage unless one of them says so', () => {
    const counted = 'lchown /t/x: operation not permitted\nFatal: There were 1 errors';
    assert.equal(failure(1, counted, 'target').code, 'tool.failed');
    assert.equal(failure(1, counted).code, 'repository.damaged');
    assert.equal(
      failure(1, `ciphertext verification failed\n${counted}`, 'target').code,
      'repository.damaged',
    );
  });

  it('says who holds a lock', () => {
    const words =
      'unable to create lock in backend: repository is already locked exclusively by PID 77 on db1 by root (UID 0, GID 0)\nlock was created at 2026-11-21 11:02:40 (40.2s ago)\nstorage ID 28e2f581';
    assert.match(failure(11, words).hint, /^held by PID 77 on db1 by root since 2026-11-21 11:02:40 UTC; /);
  });

  it('is read line by line', () => {
    const line =
      '{"message_type":"status","seconds_elapsed":2,"percent_done":0.5,"total_bytes":100,"bytes_done":50}';
    assert.deepEqual(readProgress('storing', line), {
      phase: 'storing',
      bytesDone: 50,
      bytesTotal: 100,
      filesDone: 0,
      filesTotal: null,
      bytesPerSecond: 25,
      etaSeconds: null,
    });
    const retry = 'Stat(<config/>) returned error, retrying after 1.1s: connection refused';
    assert.deepEqual(readRetry(retry), { request: 'Stat(<config/>)', failing: true });
    assert.deepEqual(readRetry('Stat(<config/>) operation successful after 1 retries'), {
      request: 'Stat(<config/>)',
      failing: false,
    });
    assert.equal(lastWord('a\n{"message_type":"exit_error","code":1,"message":"Fatal: b"}\nc'), 'Fatal: b');
    const counted = '{"message_type":"exit_error","code":1,"message":"Fatal: There were 1 errors"}';
    assert.equal(
      lastWord(`a: no space left on device\n${counted}`),
      'a: no space left on device\nFatal: There were 1 errors',
    );
  });

  it('takes a path literally in a pattern file', () => {
    assert.equal(literalPatternLine('a*b/[c]$d '), '/a\\*b/\\[c\\]$$d[ ]');
    assert.equal(literalPatternLine('line\nbreak'), null);
  });
});
