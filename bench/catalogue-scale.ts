import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { postgresServerBinaries } from '../activities/hosts/postgres-binaries.ts';
import {
  catalogOwner,
  initialiseCluster,
  newPassword,
  startCluster,
} from '../activities/hosts/postgres-cluster.ts';
import { connect } from '../catalog/connection.ts';
import { migrateCatalog, openCatalog } from '../catalog/index.ts';
import { parseConfiguration } from '../domain/configuration/parse.ts';
import { seedCatalogue, seededConfiguration } from './catalogue-seed.ts';
import { scaleReport, type Answer } from './catalogue-report.ts';
import { catalogueQuestions } from './catalogue-questions.ts';
import { explaining, type Explained } from './explained.ts';

// `npm run bench:scale`: how long the catalogue takes to answer with 1,000 policies and 1,000,000 recovery points
// in it. Temporal is not asked. docs/objectives.md has what was measured.

const { values } = parseArgs({
  options: {
    policies: { type: 'string', default: '1000' },
    points: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '5' },
    /** Where the database goes (about 2 GiB for a million points); removed afterwards. */
    folder: { type: 'string', default: tmpdir() },
    json: { type: 'boolean', default: false },
  },
});
const size = { policies: Number(values.policies), points: Number(values.points) };
const room = await mkdtemp(join(values.folder, 'holdfast-scale-'));
const { folder: binaries } = await postgresServerBinaries();
const password = newPassword();
const start = { folder: join(room, 'data'), binaries, port: null, durable: true, password };
await initialiseCluster({ ...start, owner: await catalogOwner() });
let cluster = await startCluster(start);
try {
  await fill(cluster.url);
  say('starting the server anew: nothing is in its memory');
  await cluster.stop();
  cluster = await startCluster(start);
  const load = loadavg()[0] ?? 0;
  const answers = await measure(cluster.url, Number(values.rounds));
  const machine = { cores: availableParallelism(), load: [load, loadavg()[0] ?? 0], node: process.version };
  const measured = { machine, size, answers };
  process.stdout.write(`${values.json ? JSON.stringify(measured, null, 2) : await scaleReport(measured)}\n`);
} finally {
  await cluster.stop();
  await rm(room, { recursive: true, force: true });
}

async function fill(url: string): Promise<void> {
  say(`${size.policies} policies, ${size.points} recovery points`);
  await migrateCatalog(url);
  const catalog = await openCatalog({ url, actor: 'bench' });
  await catalog.configurations.apply(seededConfiguration(size, likeThis()));
  await catalog.close();
  const client = new Client({ connectionString: url, options: '-c search_path=holdfast' });
  await client.connect();
  await seedCatalogue((text) => client.query(text), size, say);
  await client.end();
}

/** Cold is the first answer of a server just started; the system's own cache of files may still be warm. */
async function measure(url: string, rounds: number): Promise<Answer[]> {
  const catalog = await openCatalog({ url, actor: 'bench' });
  const connection = await connect(url, { waitSeconds: 15 });
  const answers: Answer[] = [];
  try {
    for (const { name, ask, queries } of catalogueQuestions(catalog)) {
      say(name);
      const milliseconds: number[] = [];
      for (let round = 0; round <= rounds; round += 1) {
        const startedAt = performance.now();
        await ask();
        milliseconds.push(performance.now() - startedAt);
      }
      const [cold = 0, ...warm] = milliseconds;
      const explained: Explained[] = [];
      await connection.read(name, (query) => queries(explaining(query, explained)));
      answers.push({ name, cold, warm, explained });
    }
  } finally {
    await connection.close();
    await catalog.close();
  }
  return answers;
}

function likeThis() {
  const source = `version: 1
repositories:
  - { name: local, type: restic, url: ./local, password: file:./key }
  - { name: offsite, type: restic, url: ./offsite, password: file:./key }
assets: [ { name: asset, type: directory, path: /srv/asset } ]
policies: [ { name: policy, assets: [asset], every: 2h, repository: local, copies: [offsite] } ]
`;
  return parseConfiguration(source, { file: 'holdfast.yaml', folder: '/etc/holdfast' }).configuration;
}

function say(words: string): void {
  process.stderr.write(`[${new Date().toISOString().slice(11, 19)}] ${words}\n`);
}
