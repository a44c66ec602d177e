import assert from 'node:assert/strict';
import type { FailureCode } from '../../domain/errors.ts';
import {
  asHoldfastError,
  exitCodeOf,
  failureCodes,
  formatError,
  HoldfastError,
  isFailureCode,
  isRetryable,
  nonRetryableCodes,
  wordsOf,
} from '../../domain/errors.ts';

describe('failure codes', () => {
  const exitCodes: [FailureCode, number][] = [
    ['usage', 2],
    ['configuration.invalid', 2],
    ['repository.absent', 10],
    ['repository.locked', 11],
    ['request.conflict', 11],
    ['restore.state', 11],
    ['repository.wrongPassword', 12],
    ['repository.damaged', 20],
    ['proof.failed', 20],
    ['objective.breached', 21],
    ['confirmation.missing', 22],
    ['cancelled', 130],
    ['repository.full', 1],
    ['internal', 1],
  ];
  for (const [code, exitCode] of exitCodes) {
    it(`${code} exits ${exitCode}`, () => assert.equal(exitCodeOf(code), exitCode));
  }

  it('every code exits as the contract lists, and never 0 or 3', () => {
    for (const code of failureCodes)
      assert.ok([1, 2, 10, 11, 12, 20, 21, 22, 130].includes(exitCodeOf(code)), code);
  });

  it('retries what can pass by itself, and nothing else', () => {
    assert.deepEqual(failureCodes.filter(isRetryable).sort(), [
      'catalog.unreachable',
      'channel.unreachable',
      'rateLimited',
      'repository.locked',
      'repository.unreachable',
      'service.unreachable',
      'source.unreachable',
      'tool.failed',
      'tool.stalled',
    ]);
    assert.deepEqual(
      new Set([...nonRetryableCodes, ...failureCodes.filter(isRetryable)]),
      new Set(failureCodes),
    );
  });

  it('knows its own codes from other texts', () => {
    assert.ok(isFailureCode('source.missing'));
    for (const other of ['', 'source', 'toString', '__proto__', 7, null]) assert.ok(!isFailureCode(other));
  });
});

describe('HoldfastError', () => {
  const error = new HoldfastError({
    code: 'source.unreadable',
    message: 'backup of app-db failed in snapshot',
    cause: 'sqlite3 said: "unable to open database file"',
    hint: 'grant backup read access',
  });

  it('has the contract shape and nothing more', () => {
    assert.deepEqual(error.toContract(), {
      code: 'source.unreadable',
      message: 'backup of app-db failed in snapshot',
      cause: 'sqlite3 said: "unable to open database file"',
      hint: 'grant backup read access',
    });
  });

  it('takes retryable and exit code from its code, unless this occurrence differs', () => {
    assert.equal(error.retryable, false);
    assert.equal(error.exitCode, 1);
    const once = new HoldfastError({ code: 'tool.failed', message: 'm', hint: 'h', retryable: false });
    assert.equal(once.retryable, false);
  });

  it('reads as the design lays an error out', () => {
    assert.equal(
      formatError(error.toContract(), ['job 7f3a…']),
      [
        'error: backup of app-db failed in snapshot',
        '  cause: sqlite3 said: "unable to open database file"',
        '  next:  grant backup read access',
        '  job 7f3a…',
      ].join('\n'),
    );
  });

  it('indents further lines of a cause under its first, and leaves out an empty one', () => {
    assert.equal(
      formatError({ message: 'm', cause: 'one\ntwo\n', hint: 'h' }),
      'error: m\n  cause: one\n         two\n  next:  h',
    );
    assert.equal(formatError({ message: 'm', cause: '', hint: 'h' }), 'error: m\n  next:  h');
  });
});

describe('asHoldfastError', () => {
  it('passes a HoldfastError through', () => {
    const error = new HoldfastError({ code: 'notFound', message: 'm', hint: 'h' });
    assert.equal(asHoldfastError(error), error);
  });

  it('keeps the words of anything else that was thrown', () => {
    const error = asHoldfastError(new TypeError('x is not a function'), 'recording the point');
    assert.deepEqual(
      [error.code, error.message, error.cause],
      ['internal', 'recording the point', 'x is not a function'],
    );
    assert.equal(asHoldfastError('plain text').cause, 'plain text');
  });

  it('finds words where an error has none of its own', () => {
    assert.equal(wordsOf(new AggregateError([new Error('a'), new Error('b')])), 'a; b');
    assert.equal(wordsOf(new RangeError()), 'RangeError');
  });
});
