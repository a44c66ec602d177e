import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openCatalog } from '../catalog/index.ts';
import { connect } from '../client/index.ts';
import { readStackFile } from './stack.ts';
import { buildServer } from './server.ts';
import { applyAtStart } from './starting-configuration.ts';
import { openAuditKey } from './wiring/audit-key.ts';
import { createServices, createTokenStore } from './wiring/services.ts';

// The API as a process: `node tools/program.mjs api/main.ts <stack file> [--apply]`. Says `ready` on standard output once it
// listens and, with `--apply`, the configuration `up` was started with is applied; everything else goes to
// standard error.

/** The operator at this machine. The token lies 0600 beside what it opens. */
const LOCAL_ADMIN = 'local-admin';

const stack = await readStackFile(process.argv[2] ?? '');
const catalog = await openCatalog({ url: stack.catalogUrl, actor: 'api' });
const parts = {
  catalog,
  temporal: connect(stack.temporal),
  auditKey: await openAuditKey(stack.dataDir, catalog),
  dataDir: stack.dataDir,
  host: stack.host,
};
const services = createServices(parts);
const listen = /^(.*):(\d+)$/.exec(process.env['HOLDFAST_API_LISTEN'] ?? '');
const app = await buildServer({
  services,
  tokens: createTokenStore(parts),
  allowedHosts: (process.env['HOLDFAST_ALLOWED_HOSTS'] ?? '').split(',').filter(Boolean),
  logger: { level: 'warn' },
});
const host = listen?.[1] ?? '127.0.0.1';
const port = Number(listen?.[2] ?? stack.apiPort ?? 0);
await app.listen({ host, port });
await publish(`http://127.0.0.1:${port}`);
await applyAtStart(services, stack.configuration, process.argv[3] === '--apply', (message) =>
  app.log.warn(message),
);
process.stdout.write('ready\n');
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void shutDown());

/** Tells the command line on this machine where we are and how to be let in. */
async function publish(url: string): Promise<void> {
  const run = join(stack.dataDir, 'run');
  const tokenFile = join(run, 'admin.token');
  const token =
    (existsSync(tokenFile) ? await readFile(tokenFile, 'utf8') : '').trim() ||
    randomBytes(32).toString('base64url');
  await writePrivately(tokenFile, `${token}\n`);
  await catalog.tokens.install(LOCAL_ADMIN, 'admin', token);
  await writePrivately(join(run, 'api.json'), `${JSON.stringify({ url, tokenFile })}\n`);
}

async function writePrivately(path: string, content: string): Promise<void> {
  await writeFile(`${path}.new`, content, { mode: 0o600 });
  await chmod(`${path}.new`, 0o600);
  await rename(`${path}.new`, path);
}

async function shutDown(): Promise<void> {
  await app.close();
  await catalog.close();
  process.exit(0);
}
