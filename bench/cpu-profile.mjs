// Loaded into the worker before anything else (`npm run bench -- --profile FOLDER`): writes a CPU profile of its
// main thread, and its highest memory figures, when it ends. Chrome's developer tools open the profile. Plain
// JavaScript, because nothing has been loaded yet that could read anything else.

import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';

const folder = process.env['HOLDFAST_BENCH_PROFILE'];
if (folder && isMainThread && process.argv[2] === 'workers/main.ts') profileInto(folder);

function profileInto(into) {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.start');
  const highest = {};
  const look = () => {
    for (const [name, bytes] of Object.entries(process.memoryUsage()))
      highest[name] = Math.max(highest[name] ?? 0, bytes);
  };
  setInterval(look, 250).unref();
  process.on('exit', () => {
    writeFileSync(join(into, `worker-${process.pid}.memory.json`), JSON.stringify(highest, null, 2));
    session.post('Profiler.stop', (error, result) => {
      if (error) return;
      writeFileSync(join(into, `worker-${process.pid}.cpuprofile`), JSON.stringify(result.profile));
    });
  });
}
