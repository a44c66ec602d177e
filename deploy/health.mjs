// Docker's health check of a Holdfast container, for the part it runs:
//
//   node deploy/health.mjs api [port]      its own health page answers, and every part of it is well
//   node deploy/health.mjs worker [port]   it polls Temporal for work (the SDK's own metrics say so)
const [part, port] = process.argv.slice(2);

const checks = {
  api: async () => {
    const answer = await ask(`http://127.0.0.1:${port ?? 8420}/api/health`);
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  },
  worker: async () => {
    const answer = await ask(`http://127.0.0.1:${port ?? 9464}/metrics`);
    const metrics = await answer.text();
    if (!/^temporal_num_pollers\{?.*\}? [1-9]/m.test(metrics)) throw new Error('nothing polls Temporal');
  },
};

try {
  const check = checks[part];
  if (!check) throw new Error(`say which part: ${Object.keys(checks).join(' or ')}`);
  await check();
} catch (error) {
  process.stderr.write(`${part ?? 'health'}: ${error.cause?.message ?? error.message}\n`);
  process.exitCode = 1;
}

function ask(url) {
  return fetch(url, { signal: AbortSignal.timeout(4000) });
}
