import { sendMessage } from '../activities/notify/send.ts';
import { openCatalog } from '../catalog/index.ts';
import { connect, controlPlaneWorkflowId, exportKit, startControlPlaneBackup } from '../client/index.ts';
import { wordsOf } from '../domain/errors.ts';
import { defaultCacheDirectory } from '../tools/cache.ts';
import { archiveHistories } from './archive-histories.ts';
import { forgetExpiredKeys } from './forget-keys.ts';
import { forgetOldRecords } from './forget-records.ts';
import { keepKitCurrent } from './keep-kit-current.ts';
import { keepControlPlane } from './keep-control-plane.ts';
import { repeat } from './repeat.ts';
import { startWorker } from './run-worker.ts';
import { readStack } from './stack-file.ts';
import { takeUpSchedules, takeUpWhatWasRunning } from './take-up.ts';
import { watchOn } from './watch-incidents.ts';
import { workflowBundle } from './workflow-bundle.ts';

// The worker as a process: `node tools/program.mjs workers/main.ts <stack file>`. Says `ready` on standard output once it
// polls; everything else goes to standard error.

/** How long a policy may be kept from its next backup by a row whose workflow is gone. */
const TAKE_UP_MILLISECONDS = 60_000;
/** How long a key may be kept beyond its time. */
const FORGET_MILLISECONDS = 600_000;
/** Of records a day's worth goes at a time. */
const FORGET_RECORDS_MILLISECONDS = 3_600_000;

/** How long a Schedule may be missing that somebody deleted in Temporal; 1,000 cost some seconds to look at. */
const MEND_MILLISECONDS = 3_600_000;
/** How long a recovery kit may say what an `apply` has changed. */
const KIT_MILLISECONDS = 15_000;
/** How long after a drill its evidence may be on this host only. */
const CONTROL_PLANE_MILLISECONDS = 20_000;
/** Long before Temporal forgets a workflow that has ended (a day at the least). */
const ARCHIVE_MILLISECONDS = 60_000;

const stack = await readStack(process.argv[2] ?? '');
const catalog = await openCatalog({ url: stack.catalogUrl, actor: `worker@${stack.host}` });
const worker = await startWorker({
  temporal: stack.temporal,
  catalog,
  catalogUrl: stack.catalogUrl,
  dataDir: stack.dataDir,
  host: stack.host,
  bundle: await workflowBundle(defaultCacheDirectory()),
  metricsPort: stack.metricsPort,
});
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => worker.shutdown());
const temporal = connect(stack.temporal);
await takeUpWhatWasRunning(temporal, catalog, stack.dataDir);
await takeUpSchedules(temporal, catalog);
const takingUp = repeat(
  TAKE_UP_MILLISECONDS,
  () => takeUpWhatWasRunning(temporal, catalog, stack.dataDir),
  (error) => process.stderr.write(`taking up what was running failed: ${wordsOf(error)}\n`),
);
const mending = repeat(
  MEND_MILLISECONDS,
  () => takeUpSchedules(temporal, catalog),
  (error) => process.stderr.write(`looking after the Schedules failed: ${wordsOf(error)}\n`),
);
const archiving = repeat(
  ARCHIVE_MILLISECONDS,
  () => archiveHistories(temporal, catalog, { dataDir: stack.dataDir, host: stack.host }),
  (error) => process.stderr.write(`exporting histories failed: ${wordsOf(error)}\n`),
);
const forgetting = repeat(
  FORGET_MILLISECONDS,
  () => forgetExpiredKeys(catalog, new Date()),
  (error) => process.stderr.write(`forgetting idempotency keys failed: ${wordsOf(error)}\n`),
);
const forgettingRecords = repeat(
  FORGET_RECORDS_MILLISECONDS,
  () => forgetOldRecords(catalog, new Date()),
  (error) => process.stderr.write(`forgetting old records failed: ${wordsOf(error)}\n`),
);
const keepingKit = repeat(
  KIT_MILLISECONDS,
  keepKitCurrent({
    ...{ catalog, dataDir: stack.dataDir, now: () => new Date() },
    write: (input) => exportKit(temporal, input),
  }),
  (error) => process.stderr.write(`keeping the recovery kit current failed: ${wordsOf(error)}\n`),
);
const keepingControlPlane = repeat(
  CONTROL_PLANE_MILLISECONDS,
  () =>
    keepControlPlane(
      catalog,
      (input, at) => startControlPlaneBackup(temporal, controlPlaneWorkflowId(input.repository, at), input),
      new Date(),
    ),
  (error) => process.stderr.write(`storing the control plane failed: ${wordsOf(error)}\n`),
);
const watching = watchOn(
  { catalog, send: sendMessage, now: () => new Date(), random: Math.random },
  (error) => process.stderr.write(`watching for incidents failed: ${wordsOf(error)}\n`),
);
process.stdout.write('ready\n');
await worker.ended;
const loops = [
  ...[takingUp, mending, archiving, forgetting, forgettingRecords],
  ...[keepingControlPlane, keepingKit, watching],
];
await Promise.all(loops.map((one) => one.stop()));
await catalog.close();
