import { spawn } from 'node:child_process';
import { connect, createServer, type AddressInfo } from 'node:net';
import { until } from './repository-fixtures.ts';

export interface Server {
  signal(name: NodeJS.Signals): void;
  stop(): Promise<void>;
}

/** A server of the tests' own on the loopback address; back when it answers. */
export async function startServer(
  file: string,
  args: readonly string[],
  port: number,
  env: Readonly<Record<string, string>> = {},
): Promise<Server> {
  const words: string[] = [];
  const server = spawn(file, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
  server.stderr.on('data', (chunk: Buffer) => words.splice(20, 1, chunk.toString()));
  const ended = () => server.exitCode !== null || server.signalCode !== null;
  await until(`${file} on port ${port}`, () => {
    if (ended()) throw new Error(`${file} ended: ${words.join('')}`);
    return answers(port);
  });
  return {
    signal: (name) => void server.kill(name),
    stop: async () => {
      server.kill('SIGKILL');
      await until('its end', ended);
    },
  };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => (socket.destroy(), resolve(true)));
    socket.once('error', () => resolve(false));
  });
}
