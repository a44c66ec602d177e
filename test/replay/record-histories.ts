import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freshClock, play, stopTimeSkipping } from '../workflows/time-skipping.ts';
import { historyToJson } from './history-json.ts';
import { recordings } from './recordings.ts';

// `npx tsx test/replay/record-histories.ts [name…]`: records the histories that replay.test.ts replays, on the
// time-skipping server. Without names all of them, and what is not a recording any more goes.

const folder = fileURLToPath(new URL('histories', import.meta.url));
const names = process.argv.slice(2);
await mkdir(folder, { recursive: true });
try {
  for (const recording of recordings.filter(({ name }) => names.length === 0 || names.includes(name))) {
    await freshClock();
    const run = await play(recording.workflow, recording.input, recording.script);
    await recording.drive?.(run);
    await run.ending();
    const history = withoutStacks(historyToJson(await run.handle.fetchHistory()));
    await writeFile(join(folder, `${recording.name}.json`), `${JSON.stringify(history, null, 1)}\n`);
    process.stdout.write(`${recording.name}: ${run.calls.length} steps\n`);
  }
} finally {
  await stopTimeSkipping();
}
if (names.length === 0) {
  const known = new Set(recordings.map(({ name }) => `${name}.json`));
  for (const file of await readdir(folder)) if (!known.has(file)) await rm(join(folder, file));
}

/** Stacks name this machine's folders. Nothing of them matters to a replay. */
function withoutStacks(json: unknown): unknown {
  return JSON.parse(
    JSON.stringify(json, (key, value: unknown) => (key === 'stackTrace' ? undefined : value)),
  );
}
