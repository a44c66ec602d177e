// Starts the real `holdfast` against an API over a double of our own services.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { buildServer } from '../../api/server.ts';
import type { ErrorContract } from '../../domain/errors.ts';
import type { Impact } from '../../domain/restore.ts';
import { servicesDouble } from '../api/services-double.ts';
import type { ServicesDouble } from '../api/services-double.ts';
import { tokensDouble } from '../api/tokens-double.ts';

const bin = resolve(import.meta.dirname, '../../cli/holdfast.mjs');

/** The token of the service; nothing a person sees may ever contain it. */
export const canary = 'canary-token';

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
  /** What was printed, if it is exactly one JSON object on one line; else an empty object. */
  json: Printed;
}

/** The fields the tests look at, of whichever answer has them. */
export interface Printed {
  id: string;
  status: string;
  ok: boolean;
  items: { path: string }[];
  next: string | null;
  assets: { asset: string; recoveryPointId: string | null }[];
  repositories: { due: { reason: string }[] }[];
  copies: { repository: string }[];
  include: string[];
  impact: Impact;
  safetyPointId: string | null;
  problem: { sequence: number; what: string };
  error: ErrorContract | null;
}

export interface Started {
  child: ChildProcess;
  ended: Promise<Ran>;
  stderr(): string;
}

export interface Site {
  folder: string;
  services: ServicesDouble;
  run(...words: string[]): Promise<Ran>;
  start(words: string[], environment?: Record<string, string | undefined>): Started;
  stopServing(): Promise<void>;
  serveAgain(): Promise<void>;
  close(): Promise<void>;
}

/** A folder with a configuration and what `up` leaves there, and a server that answers. */
export async function openSite(): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-cli-'));
  const run = join(folder, 'state', 'run');
  await mkdir(run, { recursive: true });
  await writeFile(join(folder, 'holdfast.yaml'), 'version: 1\ndataDir: ./state\nassets: nonsense\n');
  await writeFile(join(run, 'admin.token'), `${canary}\n`, { mode: 0o600 });
  const services = servicesDouble();
  const tokens = tokensDouble({ canary: 'admin' });
  let app: FastifyInstance;

  async function serve(): Promise<void> {
    app = await buildServer({ services, tokens, allowedHosts: [], logger: null });
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as AddressInfo;
    const file = { url: `http://127.0.0.1:${port}`, tokenFile: 'admin.token' };
    await writeFile(join(run, 'api.json'), JSON.stringify(file), { mode: 0o600 });
  }
  await serve();

  const start = (words: string[], environment: Record<string, string | undefined> = {}) =>
    startHoldfast(words, folder, environment);
  return {
    folder,
    services,
    start,
    run: (...words) => start(words).ended,
    stopServing: async () => {
      app.server.closeAllConnections();
      await app.close();
    },
    serveAgain: serve,
    close: async () => {
      app.server.closeAllConnections();
      await app.close();
      await rm(folder, { recursive: true });
    },
  };
}

export function startHoldfast(
  words: string[],
  folder: string,
  environment: Record<string, string | undefined> = {},
): Started {
  const { HOLDFAST_CONFIG: _config, HOLDFAST_URL: _url, HOLDFAST_TOKEN: _token, ...inherited } = process.env;
  const child = spawn(process.execPath, [bin, ...words], {
    cwd: folder,
    env: { ...inherited, NO_COLOR: '1', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<Ran>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr, json: oneObject(stdout) }));
  });
  return { child, ended, stderr: () => stderr };
}

function oneObject(text: string): Printed {
  if (!text.startsWith('{') || text.trimEnd().includes('\n')) return {} as Printed;
  return JSON.parse(text) as Printed;
}
