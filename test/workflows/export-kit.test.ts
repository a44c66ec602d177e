import assert from 'node:assert/strict';
import { failUndecided, failWith } from './steps-double.ts';
import { play } from './time-skipping.ts';

describe('exportKit', () => {
  const input = {
    ...{ kitId: 'kit-1', folder: '/kit', recipients: [], passphraseFile: null, asked: true, actor: 'tester' },
  };

  it('is written on the host that reaches the repositories, and says what was written', async () => {
    const run = await play('exportKit', input, {});
    assert.equal(((await run.ending()) as { id: string }).id, 'kit-1');
    assert.deepEqual(
      run.calls.map(({ name }) => name),
      ['hostOf', 'writeKit'],
    );
    assert.deepEqual(run.of('writeKit')[0]!.input, input);
  });

  it('is tried twice, and a key that does not resolve only once', async () => {
    const away = await play('exportKit', input, {
      writeKit: async () => failUndecided('catalog.unreachable'),
    });
    await assert.rejects(away.ending());
    assert.equal(away.of('writeKit').length, 2);
    const keyless = await play('exportKit', input, { writeKit: async () => failWith('secret.unresolved') });
    await assert.rejects(keyless.ending());
    assert.equal(keyless.of('writeKit').length, 1);
  });
});
