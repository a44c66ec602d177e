import { execa } from 'execa';

// `npm run test:soak`: what takes hours. Set-up has been done by tools/run.mjs. Smaller, and sooner done:
//   HOLDFAST_SOAK_FILES=20000 HOLDFAST_SOAK_MINUTES=2 npm run test:soak
// HOLDFAST_SOAK_SEED repeats the faults of an earlier run, whose seed is in what it printed.

const args = process.argv.slice(2);
const words = ['--no-config', '--import=tsx', '--reporter=test/reporter.cjs', '--forbid-only', '--timeout=0'];
const { exitCode } = await execa(
  'npx',
  ['--no-install', 'mocha', ...words, ...args, 'test/soak/**/*.test.ts', 'test/simulation/**/*.test.ts'],
  { stdio: 'inherit', reject: false, env: { HOLDFAST_SIMULATION_DAYS: '90', ...process.env } },
);
process.exitCode = exitCode ?? 1;
