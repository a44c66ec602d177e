import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { parse } from 'yaml';
import { parseConfiguration } from '../../domain/configuration/parse.ts';
import {
  holdfastAsset,
  holdfastJob,
  holdfastPolicy,
  holdfastStatus,
} from '../../workflows/search-attributes.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = join(root, 'deploy', 'compose');

interface Service {
  image: string;
  user?: string;
  hostname?: string;
  restart: string;
  read_only?: boolean;
  cap_drop?: string[];
  cap_add?: string[];
  security_opt?: string[];
  ports?: string[];
  networks?: string[];
  volumes?: string[];
  secrets?: string[];
  configs?: { source: string }[];
  environment?: Record<string, string>;
  healthcheck?: { test: string[] };
  depends_on?: Record<string, { condition: string }>;
  deploy: { replicas?: number; resources: { limits: { cpus: string; memory: string } } };
}

interface Compose {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
  networks: Record<string, { internal?: boolean }>;
  configs: Record<string, { file: string }>;
  secrets: Record<string, { file: string }>;
}

describe('docker-compose.yml', () => {
  let text: string;
  let compose: Compose;
  let services: [name: string, service: Service][];

  before(async () => {
    text = await readFile(join(root, 'docker-compose.yml'), 'utf8');
    compose = parse(text, { merge: true }) as Compose;
    services = Object.entries(compose.services);
  });

  it('pins every image to a version', () => {
    for (const [name, { image }] of services) {
      assert.match(image, /^[a-z0-9./-]+:v?\d+\.\d+(\.\d+)?[a-z0-9.-]*$/, `${name} runs ${image}`);
    }
  });

  it('watches the health of every service that stays, and waits for every one that ends', () => {
    const awaited = new Set(
      services
        .flatMap(([, service]) => Object.entries(service.depends_on ?? {}))
        .filter(([, { condition }]) => condition === 'service_completed_successfully')
        .map(([name]) => name),
    );
    for (const [name, service] of services) {
      if (service.restart === 'unless-stopped') assert.ok(service.healthcheck, `${name} has no health check`);
      else assert.ok(awaited.has(name), `nobody waits for ${name}`);
    }
  });

  it('publishes the API and the UI only, on loopback', () => {
    const published = services.flatMap(([name, { ports }]) =>
      (ports ?? []).map((port) => [name, port] as const),
    );
    assert.deepEqual(published.map(([name]) => name).sort(), ['api', 'temporal-ui']);
    for (const [name, port] of published) assert.match(port, /^127\.0\.0\.1:\d+:\d+$/, name);
    assert.doesNotMatch(text, /network_mode: host/);
  });

  it('keeps databases, Temporal and the store on a network that reaches nothing', () => {
    assert.equal(compose.networks['inside']?.internal, true);
    for (const name of ['temporal', 'temporal-db', 'catalog-db', 's3']) {
      assert.deepEqual(compose.services[name]?.networks, ['inside'], name);
    }
  });

  it('has no secret but in files, and gives the API none it does not need', () => {
    for (const [name, { file }] of Object.entries(compose.secrets)) {
      assert.equal(file, `./deploy/compose/secrets/${name}`);
    }
    for (const [name, { environment }] of services) {
      for (const [variable, value] of Object.entries(environment ?? {})) {
        const isReference = /^\/run\/secrets\/|^--auth/.test(value);
        assert.ok(isReference || !/PASSWORD|PWD|SECRET|TOKEN|KEY/.test(variable), `${name}: ${variable}`);
      }
    }
    assert.deepEqual(compose.services['api']?.secrets, ['catalog_url', 's3_authority']);
  });

  it('runs every service without privileges, root, or a file system to write to', () => {
    for (const [name, service] of services) {
      assert.deepEqual(service.cap_drop, ['ALL'], name);
      assert.ok(service.security_opt?.includes('no-new-privileges:true'), name);
      // Its start script writes its configuration beside itself.
      assert.equal(service.read_only, name !== 'temporal-ui', name);
      if (name === 's3-volume') assert.deepEqual(service.cap_add, ['CHOWN']);
      else assert.doesNotMatch(service.user ?? 'root', /^(0|root)\b/, name);
    }
  });

  it('limits what every service may take', () => {
    for (const [name, { deploy }] of services) {
      assert.ok(deploy.resources.limits.cpus && deploy.resources.limits.memory, name);
    }
  });

  it('gives each worker a host name and a volume of its own, and one container', () => {
    const workers = services.filter(([name]) => name.startsWith('worker-'));
    assert.ok(workers.length >= 2);
    assert.equal(new Set(workers.map(([, { hostname }]) => hostname)).size, workers.length);
    assert.equal(new Set(workers.flatMap(([, { volumes }]) => volumes)).size, workers.length);
    for (const [name, { deploy }] of workers) assert.equal(deploy.replicas, 1, name);
  });

  it('mounts configuration files that are there, in shell that parses', async () => {
    for (const { file } of Object.values(compose.configs)) {
      await stat(join(root, file));
      if (file.endsWith('.sh')) await execa('sh', ['-n', join(root, file)]);
    }
  });

  it('makes the search attributes the workflows set, of the same types', async () => {
    const script = await readFile(join(folder, 'set-up-temporal-namespace.sh'), 'utf8');
    const words = { KEYWORD: 'Keyword', KEYWORD_LIST: 'KeywordList' };
    for (const { name, type } of [holdfastPolicy, holdfastAsset, holdfastJob, holdfastStatus]) {
      assert.ok(script.includes(`${name}:${words[type]}`), name);
    }
  });
});

describe('deploy/compose/holdfast.yaml', () => {
  it('is a right configuration, with a Temporal and a catalogue that the compose file has', async () => {
    const text = await readFile(join(folder, 'holdfast.yaml'), 'utf8');
    const source = { file: 'holdfast.yaml', folder: '/etc/holdfast' };
    const { configuration, warnings } = parseConfiguration(text, source);
    // Whom to tell is for whoever deploys it.
    assert.deepEqual(
      warnings.map(({ message }) => message),
      ['nobody is told when a backup fails or an objective is missed'],
    );
    assert.equal(configuration.temporal?.address, 'temporal:7233');
    assert.equal(configuration.temporal.namespace, 'holdfast');
    assert.deepEqual(configuration.catalog?.url, { kind: 'file', path: '/run/secrets/catalog_url' });
  });
});
