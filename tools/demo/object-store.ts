import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { execa } from 'execa';
import { freePort, newPassword } from '../../activities/hosts/postgres-cluster.ts';
import { resolveTool } from '../resolve.ts';

export interface ObjectStore {
  url: string;
  accessKey: string;
  secretKey: string;
  stop(): Promise<void>;
}

/** A real S3 server on loopback with one bucket, `holdfast`, kept in a folder. It dies with this process. */
export async function startObjectStore(folder: string): Promise<ObjectStore> {
  const { path } = await resolveTool('versitygw', { install: false });
  // restic makes a bucket that is not there, but only after it has looked for it for seconds.
  await mkdir(join(folder, 'holdfast'), { recursive: true });
  const port = await freePort();
  const accessKey = 'demo';
  const secretKey = newPassword();
  const server = execa(
    'setpriv',
    ['--pdeathsig', 'KILL', '--', path, '--port', `127.0.0.1:${port}`, '--quiet', 'posix', folder],
    {
      env: { ROOT_ACCESS_KEY: accessKey, ROOT_SECRET_KEY: secretKey },
      stdio: 'ignore',
      reject: false,
    },
  );
  while (!(await isOpen(port))) {
    if (server.exitCode !== null) throw new Error('versitygw could not be started');
    await pause(50);
  }
  return {
    url: `http://127.0.0.1:${port}`,
    accessKey,
    secretKey,
    stop: async () => {
      server.kill();
      await server;
    },
  };
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => socket.end(() => resolve(true)));
    socket.once('error', () => resolve(false));
  });
}
