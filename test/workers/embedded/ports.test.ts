import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { HoldfastError } from '../../../domain/errors.ts';
import { choosePort, onFreePorts } from '../../../workers/embedded/ports.ts';

const failed = (cause: string) =>
  new HoldfastError({ code: 'service.failed', message: 'it could not be started', cause, hint: '' });

describe('the ports of the embedded servers', () => {
  it('are chosen anew when one was taken between the look and its use', async () => {
    const started: number[] = [];
    const start = async (port: number) => {
      started.push(port);
      if (started.length === 1) throw failed('it ended with exit code 1');
    };
    assert.equal(await onFreePorts(1, async () => 2, start), 2);
    assert.deepEqual(started, [1, 2]);
  });

  it('are chosen once: what cannot be started on others either says so', async () => {
    let starts = 0;
    const start = async () => {
      starts += 1;
      throw failed(`it ended with exit code ${starts}`);
    };
    await assert.rejects(
      onFreePorts(1, async () => 2, start),
      { cause: 'it ended with exit code 2' },
    );
  });

  it('are not chosen anew for a server that is slow: it may still be at its files', async () => {
    let starts = 0;
    const start = async () => {
      starts += 1;
      throw failed('it did not get ready in time');
    };
    await assert.rejects(
      onFreePorts(1, async () => 2, start),
      { code: 'service.failed' },
    );
    assert.equal(starts, 1);
  });

  it('are those of the last time where they are free, and never others than the configuration names', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const taken = (server.address() as { port: number }).port;
    try {
      assert.notEqual(await choosePort(null, taken), taken);
      assert.equal(await choosePort(taken, undefined), taken);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
    assert.equal(await choosePort(null, taken), taken);
  });
});
