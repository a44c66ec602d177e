import { openCatalog } from '../catalog/index.ts';
import { connect } from '../client/index.ts';
import { defaultCacheDirectory } from '../tools/cache.ts';
import { takeUpWhatWasRunning } from './take-up.ts';
import { startWorker } from './run-worker.ts';
import { readStack } from './stack-file.ts';
import { workflowBundle } from './workflow-bundle.ts';

// The worker as a process: `node workers/main.ts <stack file>`. Says `ready` on standard output once it
// polls; everything else goes to standard error.

const stack = await readStack(process.argv[2] ?? '');
const catalog = await openCatalog({ url: stack.catalogUrl, actor: `worker@${stack.host}` });
const worker = await startWorker({
  temporal: stack.temporal,
  catalog,
  dataDir: stack.dataDir,
  host: stack.host,
  bundle: await workflowBundle(defaultCacheDirectory()),
  metricsPort: stack.metricsPort,
});
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => worker.shutdown());
await takeUpWhatWasRunning(connect(stack.temporal), catalog);
process.stdout.write('ready\n');
await worker.ended;
await catalog.close();
