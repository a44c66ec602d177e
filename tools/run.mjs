// The first thing that runs on a fresh clone, so it needs nothing but Node.js: installs the dependencies when
// package-lock.json has changed, sets up the native tools, then becomes what was asked for.
//
//   node tools/run.mjs setup [--tests] | demo | test | <command of holdfast> | <file>.ts  [arguments]
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const marker = join(root, 'node_modules', '.holdfast-lock');

let running;
const [target, ...args] = process.argv.slice(2);
passSignalsOn();
checkNode();
await installDependencies();
if (target === 'setup') await runTypeScript('tools/setup.ts', args);
else {
  await runTypeScript('tools/setup.ts', ['--quiet', ...(needsTestTools() ? ['--tests'] : [])]);
  await runTarget();
}

function needsTestTools() {
  return target === 'test' || target === 'tools/soak.ts';
}

async function runTarget() {
  if (target === 'demo' || target === 'test') await runTypeScript(`tools/${target}.ts`, args);
  else if (target?.endsWith('.ts')) await runTypeScript(target, args);
  else await run(process.execPath, [join(root, 'cli', 'holdfast.mjs'), ...process.argv.slice(2)]);
}

function checkNode() {
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const wanted = engines.node
    .replace(/[^\d.]/g, '')
    .split('.')
    .map(Number);
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > wanted[0] || (major === wanted[0] && minor >= (wanted[1] ?? 0))) return;
  fail(
    `Holdfast needs Node.js ${engines.node}, and this is ${process.version}`,
    'install it from https://nodejs.org',
  );
}

async function installDependencies() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(marker) && readFileSync(marker, 'utf8').trim() === lock) return;
  const begun = Date.now();
  process.stderr.write('… npm ci: the dependencies are not installed as package-lock.json has them\n');
  await run(...npmCommand(), 'npm ci failed as it says above');
  writeFileSync(marker, `${lock}\n`);
  process.stderr.write(`✔ npm ci (${Math.round((Date.now() - begun) / 1000)} s)\n`);
}

/** The npm that runs this script if one does, else the one on the PATH. */
function npmCommand() {
  const npmScript = process.env['npm_execpath'];
  const command = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error', '--prefix', root];
  return npmScript?.endsWith('.js') ? [process.execPath, [npmScript, ...command]] : ['npm', command];
}

function runTypeScript(file, fileArgs) {
  const tsx = pathToFileURL(createRequire(join(root, 'package.json')).resolve('tsx')).href;
  return run(process.execPath, ['--import', tsx, resolve(root, file), ...fileArgs]);
}

/** Ends this process too, in the child's own way, unless the child ended well. */
function run(command, commandArgs, failure) {
  return new Promise((settle) => {
    const child = spawn(command, commandArgs, { stdio: 'inherit' });
    running = child;
    child.on('error', (error) =>
      fail(`${command} can't be started: ${error.message}`, 'install Node.js with npm'),
    );
    child.on('exit', (code, signal) => {
      running = undefined;
      if (code === 0) settle();
      else if (signal) dieOf(signal);
      else if (failure) fail(failure, 'mend what it names, or the network, and run this again', code);
      else process.exit(code);
    });
  });
}

/** On a terminal Ctrl-C reaches the child by itself, and a second one would mean "at once". */
function passSignalsOn() {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (signal === 'SIGINT' && process.stdin.isTTY) return;
      if (running) running.kill(signal);
      else dieOf(signal);
    });
  }
}

function dieOf(signal) {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

function fail(message, hint, code = 1) {
  process.stderr.write(`error: ${message}\n  next:  ${hint}\n`);
  process.exit(code);
}
