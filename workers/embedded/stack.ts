import { mkdir, readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ifThere } from '../../activities/hosts/if-there.ts';
import { resolveSecret } from '../../activities/secrets.ts';
import { migrateCatalog } from '../../catalog/index.ts';
import type { Configuration, DatabaseUrlSource } from '../../domain/configuration/types.ts';
import { refuseHalfRecovered } from '../recover/data-directory.ts';
import { stackFile, writePrivately, type Stack } from '../stack-file.ts';
import { catalogServer } from './catalog-server.ts';
import { choosePort, onFreePorts } from './ports.ts';
import { processPart } from './process-part.ts';
import { claimDataDirectory, markReady } from './running.ts';
import { Supervisor } from './supervisor.ts';
import { temporalServer } from './temporal-server.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface StackOptions {
  configuration: Configuration;
  configurationFile: string;
  /** Which of our own parts run here; the servers follow from the configuration. */
  only: 'worker' | 'api' | null;
  /** What happens to the parts, for the person at the terminal. */
  say(message: string): void;
}

export interface RunningStack {
  urls: { api: string | null; temporalUi: string | null; temporal: string };
  stop(): Promise<void>;
}

/**
 * Starts everything the configuration leaves to us, in the order of need: catalogue, Temporal, API, worker.
 * Whatever was killed before is brought up from disk; what was running goes on.
 */
export async function startStack(options: StackOptions): Promise<RunningStack> {
  const { configuration } = options;
  const { dataDir } = configuration;
  await refuseHalfRecovered(dataDir);
  await mkdir(join(dataDir, 'log'), { recursive: true, mode: 0o700 });
  await mkdir(join(dataDir, 'run'), { recursive: true, mode: 0o700 });
  const release = await claimDataDirectory(dataDir);
  const supervisor = new Supervisor(options.say);
  try {
    const ports = await choosePorts(configuration);
    const catalogUrl = await startCatalog(configuration, ports.catalog, supervisor);
    const temporal = await startTemporal(configuration, ports, supervisor);
    const stack: Stack = {
      configuration: options.configurationFile,
      dataDir,
      temporal,
      catalogUrl,
      host: hostname(),
      apiPort: ports.api,
      metricsPort: configuration.ports.metrics,
    };
    await writePrivately(stackFile(dataDir), stack);
    if (options.only !== 'worker') {
      await supervisor.start(nodePart('api', 'api/main.ts', dataDir, ['--apply']));
    }
    if (options.only !== 'api') await supervisor.start(nodePart('worker', 'workers/main.ts', dataDir));
    const urls = {
      api: options.only === 'worker' ? null : `http://127.0.0.1:${ports.api}`,
      temporalUi: temporal.ui,
      temporal: temporal.address,
    };
    supervisor.onRestart = () => markReady(dataDir, { urls, parts: supervisor.pids() });
    await supervisor.onRestart();
    return {
      urls,
      stop: async () => {
        await supervisor.stop();
        await release();
      },
    };
  } catch (error) {
    await supervisor.stop();
    await release();
    throw error;
  }
}

type Ports = Record<'catalog' | 'temporal' | 'temporalUi' | 'api', number>;

function portsFile(dataDir: string): string {
  return join(dataDir, 'run', 'ports.json');
}

async function choosePorts({ ports, dataDir }: Configuration): Promise<Ports> {
  const file = portsFile(dataDir);
  const lastTime = JSON.parse((await ifThere(readFile(file, 'utf8'))) ?? '{}') as Record<string, number>;
  const chosen = {
    catalog: await choosePort(ports.catalog, lastTime['catalog']),
    temporal: await choosePort(ports.temporal, lastTime['temporal']),
    temporalUi: await choosePort(ports.temporalUi, lastTime['temporalUi']),
    api: await choosePort(ports.api, lastTime['api']),
  };
  await writePrivately(file, chosen);
  return chosen;
}

async function startCatalog(
  configuration: Configuration,
  port: number,
  supervisor: Supervisor,
): Promise<string> {
  if (configuration.catalog) {
    return (await migrateCatalog(await urlOf(configuration.catalog.url))).url;
  }
  const server = await catalogServer(configuration.dataDir, port);
  await supervisor.start(server.part);
  const { url } = await migrateCatalog(server.ownerUrl, { applicationPassword: server.applicationPassword });
  return url;
}

async function startTemporal(
  configuration: Configuration,
  ports: Ports,
  supervisor: Supervisor,
): Promise<Stack['temporal']> {
  if (configuration.temporal) return { ...configuration.temporal, ui: null };
  const { dataDir } = configuration;
  const { temporal, temporalUi } = await onFreePorts(
    ports,
    async () => {
      const { temporal: port, temporalUi: uiPort } = configuration.ports;
      const anew = {
        ...ports,
        temporal: await choosePort(port, undefined),
        temporalUi: await choosePort(uiPort, undefined),
      };
      await writePrivately(portsFile(dataDir), anew);
      return anew;
    },
    async ({ temporal: port, temporalUi: uiPort }) =>
      supervisor.start(await temporalServer({ dataDir, port, uiPort })),
  );
  return { address: `127.0.0.1:${temporal}`, namespace: 'default', ui: `http://127.0.0.1:${temporalUi}` };
}

/** Left alone, Node.js collects garbage so late that a worker takes twice the memory it needs. */
const MEMORY = ['--max-old-space-size=384', '--max-semi-space-size=8'];

function nodePart(name: string, script: string, dataDir: string, firstArgs: string[] = []) {
  return processPart({
    name,
    file: process.execPath,
    args: [...MEMORY, join(root, 'tools/program.mjs'), script, stackFile(dataDir)],
    firstArgs,
    logFile: join(dataDir, 'log', `${name}.log`),
    ready: 'line',
  });
}

async function urlOf(source: DatabaseUrlSource): Promise<string> {
  return source.kind === 'literal' ? source.value : resolveSecret(source);
}
